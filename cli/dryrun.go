package cli

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"hilrig/cli/terminal"
	"hilrig/cli/view"
	"hilrig/fixtures/rigfile"
	"hilrig/record"
	"hilrig/record/wording"
	"hilrig/runner"
)

// kindPlanned is the event of a dry run: one for each device and spec.
const kindPlanned = "spec.planned"

// kindNote is an event of a dry run about the rig as a whole.
const kindNote = "run.note"

// dryRun says what a plan would do. No device and no hub is touched.
func (a *app) dryRun(ctx context.Context, p *runner.Plan, asJSON bool) error {
	uses, err := a.manager.Uses(ctx, p)
	if err != nil {
		return err
	}
	notes := slices.Concat(notAgain(p), notesOnHosts(p), uses)
	if asJSON {
		return a.dryRunJSON(p, notes)
	}
	ink := terminal.PaletteOf(a.Out)
	fmt.Fprintf(a.Out, "rig %s, %s: %s on %s", p.Rig, hubsOf(p),
		wording.Plural(len(p.Specs), "spec"), wording.Plural(len(p.Devices), "device"))
	if p.Repeat > 1 {
		fmt.Fprintf(a.Out, ", %d rounds", p.Repeat)
	}
	fmt.Fprintf(a.Out, "\nasked: %s\n", wording.Selection(p.Selected))
	for _, note := range notes {
		fmt.Fprint(a.Out, terminal.Wrap("note: "+note, "", terminal.Width(a.Out)))
	}
	width := view.IDWidth(p.Specs)
	for _, d := range p.Entries() {
		fmt.Fprintf(a.Out, "\n%s  %s at %s, device id %s, hub port %s%s\n", ink.Paint(terminal.Bold, d.Name), d.TypeName, d.Serial,
			d.DeviceID, hubPort(d), withFirmware(d.Device))
		c := p.CostOf(d)
		fmt.Fprintf(a.Out, "  at the least %s, %s, %s loaded, about %d kB over its link; time limit %s\n", c.AtLeast(d.Type).Round(time.Second),
			wording.Plural(c.Connects, "connect"), wording.Plural(c.Loads, "file"), (c.Bytes()+999)/1000, p.Timeout)
		if d.Hub.Kind == rigfile.KindAzure {
			fmt.Fprintf(a.Out, "  of the hub's messages at the least %d\n", p.MessagesOf(d))
		}
		for _, s := range p.Specs {
			if why := p.WhyNot(d, s); why != "" {
				fmt.Fprintf(a.Out, "  %s %-*s  %s\n", ink.Paint(terminal.Dim, "would not run"), width, s.ID, why)
				continue
			}
			fmt.Fprintf(a.Out, "  %s     %-*s  %s\n", ink.Paint(terminal.Green, "would run"), width, s.ID, s.Text)
		}
	}
	fmt.Fprintln(a.Out, "\nnothing was touched")
	return nil
}

// hubsOf names the hubs of a plan.
func hubsOf(p *runner.Plan) string {
	var hubs []string
	for _, h := range p.Hubs {
		name := h.Name
		if h.Kind != h.Name {
			name += ", " + h.Kind + ","
		}
		hubs = append(hubs, "hub "+name+" at "+h.Host)
	}
	return strings.Join(hubs, ", then ")
}

// notesOnHosts say what a hub's host that is an IP address costs.
func notesOnHosts(p *runner.Plan) (notes []string) {
	for _, h := range p.Hubs {
		if net.ParseIP(h.Host) != nil {
			notes = append(notes, "hub.host "+h.Host+" is an IP address: SNI cannot carry one, so tls/server-name does not apply; a name that boards resolve to it is judged in full")
		}
	}
	return notes
}

// hubPort is the port that a device dials, and the name where it is its own.
func hubPort(d runner.Entry) string {
	port := "free"
	if d.HubPort != 0 {
		port = fmt.Sprint(d.HubPort)
	}
	if d.HubHost != "" && d.HubHost == d.Hub.Host {
		port += ", which it dials as " + d.HubHost
	}
	return port
}

func withFirmware(d rigfile.Device) string {
	if len(d.Faults()) == 0 {
		return ""
	}
	return fmt.Sprintf(", faulty firmware %v", d.Faults())
}

func (a *app) dryRunJSON(p *runner.Plan, notes []string) error {
	enc, clock := a.Encoder(), record.ClockAt(time.Now())
	for _, note := range notes {
		if err := enc.Encode(clock.Stamp(time.Now(), record.Event{Source: record.SourceHub, Kind: kindNote, Text: note})); err != nil {
			return err
		}
	}
	for _, d := range p.Entries() {
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
