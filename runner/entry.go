package runner

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"hilrig/azure/hub"
	"hilrig/fixtures"
	"hilrig/fixtures/rigfile"
	"hilrig/record"
)

// Entry is a device as it is tested at one hub: what the record has an entry
// for. Where a run goes over several hubs, its name says which.
type Entry struct {
	rigfile.Device
	Hub rigfile.Hub
}

// Board is the device's name in the rig file, whichever hub it is tested at.
func (e Entry) Board() string { return strings.TrimSuffix(e.Name, record.EntryName("", e.Hub.Name)) }

// Entries are those of all devices, each device's in the order of the hubs.
func (p *Plan) Entries() (all []Entry) {
	for _, d := range p.Devices {
		all = append(all, p.EntriesOf(d)...)
	}
	return all
}

// EntriesOf are those of one device, one after another.
func (p *Plan) EntriesOf(d rigfile.Device) (all []Entry) {
	for _, h := range p.Hubs {
		e := Entry{Device: d.At(h), Hub: h.For(d)}
		if len(p.Hubs) > 1 {
			e.Name = record.EntryName(e.Name, h.Name)
		}
		if own, is := p.Own[e.Name]; is && len(own) == 0 {
			continue // nothing is asked of it at this hub
		}
		all = append(all, e)
	}
	return all
}

// checkWays says which device cannot go from one hub to another: a board dials
// the host name and port that are set in it, and a command may set others.
func checkWays(hubs []rigfile.Hub, devices []rigfile.Device) error {
	for _, d := range devices {
		if d.Serial.Emulated != nil {
			continue // it is told when it is switched on
		}
		for _, h := range hubs[1:] {
			from, to := d.At(hubs[0]).HubPort, d.At(h).HubPort
			one, other := hubs[0].For(d).Host, h.For(d).Host
			what, place := "", ""
			switch {
			case one != other && !d.Type.Commands.Hold(rigfile.PlaceHubHost):
				what, place = fmt.Sprintf("host name: %s is at %s, %s at %s", hubs[0].Name, one, h.Name, other), rigfile.PlaceHubHost
			case from != to && !d.Type.Commands.Hold(rigfile.PlaceHubPort):
				what, place = fmt.Sprintf("port: %s is at %d, %s at %d", hubs[0].Name, from, h.Name, to), rigfile.PlaceHubPort
			default:
				continue
			}
			return record.NewFailure(record.Usage, "go over several hubs with", d.Name,
				fmt.Errorf("it dials one %s, and no command of its type sets another", what)).
				WithCure(fmt.Sprintf("a command in before_run that holds %s, or one hub for it: --hub %s", place, hubs[0].Name))
		}
	}
	return nil
}

// CostOf is what the specs of an entry take of the device, in one round.
func (p *Plan) CostOf(e Entry) (c fixtures.Cost) {
	for _, s := range p.SpecsOf(e.Name) {
		if p.WhyNot(e, s) == "" {
			c = c.Plus(s.Cost)
		}
	}
	return c
}

// MessagesOf is how many messages of telemetry an entry takes at the least, in
// all rounds: those that specs wait for, and those that come meanwhile where the
// type says how often. IoT Hub counts them.
func (p *Plan) MessagesOf(e Entry) int {
	c, n := p.CostOf(e), 0
	if t := e.Type.Timing; !t.IntervalAssumed && t.Interval > 0 {
		n = int(c.AtLeast(e.Type) / t.Interval)
	}
	return p.Repeat * max(n, c.Messages+c.Connects)
}

// fits refuses a selection that cannot be over by the run's time limit on some
// device, whatever the device does.
func (p *Plan) fits() error {
	for _, d := range p.Devices {
		least := time.Duration(0)
		for _, e := range p.EntriesOf(d) {
			least += time.Duration(p.Repeat) * p.CostOf(e).AtLeast(d.Type)
		}
		if least > p.Timeout {
			return record.NewFailure(record.Usage, "fit the selection into", "--timeout "+p.Timeout.String(),
				fmt.Errorf("on %s it takes %s at the least", d.Name, least.Round(time.Second))).
				WithCure("more time, or fewer specs: --label-filter core")
		}
	}
	return nil
}

// WhyNot says why a spec cannot be asked of a device at a hub; it is empty
// where it can, as far as can be told without touching anything.
func (p *Plan) WhyNot(e Entry, s fixtures.Spec) string {
	var why []string
	if letters, known := hub.OfKind(e.Hub.Kind, e.Hub.Tap.On); known {
		if at := s.WhyNotAt(letters); at != "" {
			why = append(why, at)
		}
	}
	if slices.Contains(s.Needs, fixtures.NeedPower) && e.Power == nil && e.Serial.Emulated == nil {
		why = append(why, "needs power control, and the rig file has none for "+e.Name)
	}
	return strings.Join(why, "; ")
}

// hubKinds are the kinds of the plan's hubs, each once.
func (p *Plan) hubKinds() string {
	var kinds []string
	for _, h := range p.Hubs {
		if !slices.Contains(kinds, h.Kind) {
			kinds = append(kinds, h.Kind)
		}
	}
	return strings.Join(kinds, ", ")
}
