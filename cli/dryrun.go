package cli

import (
	"encoding/json"
	"fmt"
	"time"

	"hilrig/fixtures"
	"hilrig/fixtures/rigfile"
	"hilrig/record"
	"hilrig/record/wording"
	"hilrig/runner"
)

// kindPlanned is the event of a dry run: one for each device and spec.
const kindPlanned = "spec.planned"

// dryRun says what a plan would do. Nothing is touched.
func (a *app) dryRun(p *runner.Plan, asJSON bool) error {
	if asJSON {
		return a.dryRunJSON(p)
	}
	ink := palette(lively(a.out))
	fmt.Fprintf(a.out, "rig %s, hub %s at %s: %s on %s", p.Rig, p.Hub.Kind, p.Hub.Host,
		plural(len(p.Specs), "spec", "specs"), plural(len(p.Devices), "device", "devices"))
	if p.Repeat > 1 {
		fmt.Fprintf(a.out, ", %d rounds", p.Repeat)
	}
	fmt.Fprintf(a.out, "\nasked: %s\n", wording.Selection(p.Selected))
	width := idWidth(p.Specs)
	for _, d := range p.Devices {
		fmt.Fprintf(a.out, "\n%s  %s at %s, device id %s, hub port %s%s\n", ink.paint(bold, d.Name), d.TypeName, d.Serial,
			d.DeviceID, hubPort(d), withFirmware(d))
		c := p.CostOf(d)
		fmt.Fprintf(a.out, "  at the least %s, %s, %s loaded, about %d kB over its link; time limit %s\n", c.AtLeast(d.Type).Round(time.Second),
			plural(c.Connects, "connect", "connects"), plural(c.Loads, "file", "files"), (c.Bytes()+999)/1000, p.Timeout)
		for _, s := range p.Specs {
			if why := p.WhyNot(d, s); why != "" {
				fmt.Fprintf(a.out, "  %s %-*s  %s\n", ink.paint(dim, "would not run"), width, s.ID, why)
				continue
			}
			fmt.Fprintf(a.out, "  %s     %-*s  %s\n", ink.paint(green, "would run"), width, s.ID, s.Text)
		}
	}
	fmt.Fprintln(a.out, "\nnothing was touched")
	return nil
}

func hubPort(d rigfile.Device) string {
	if d.HubPort == 0 {
		return "free"
	}
	return fmt.Sprint(d.HubPort)
}

func withFirmware(d rigfile.Device) string {
	if len(d.Faults()) == 0 {
		return ""
	}
	return fmt.Sprintf(", faulty firmware %v", d.Faults())
}

func idWidth(specs []fixtures.Spec) int {
	n := 0
	for _, s := range specs {
		n = max(n, len(s.ID))
	}
	return n
}

func (a *app) dryRunJSON(p *runner.Plan) error {
	enc, clock := json.NewEncoder(a.out), record.ClockAt(time.Now())
	for _, d := range p.Devices {
		for _, s := range p.Specs {
			e := record.Event{Device: d.Name, Source: record.SourceSpec, Kind: kindPlanned, Spec: s.ID, Text: "would run"}
			if why := p.WhyNot(d, s); why != "" {
				e.Text = "would not run: " + why
			}
			if err := enc.Encode(clock.Stamp(time.Now(), e)); err != nil {
				return err
			}
		}
	}
	return nil
}
