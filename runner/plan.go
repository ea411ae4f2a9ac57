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
	"hilrig/suites"
)

// Request is what is asked of a run, as `hilrig run` takes it.
type Request struct {
	Rig         *rigfile.Rig
	Catalogue   []fixtures.Spec         // to select from, in the order in which specs run
	Devices     []string                // names; empty: all
	LabelFilter string                  // Ginkgo's label language; empty: no filter
	Specs       []string                // ids or patterns ("tls/*"); empty: all
	Hub         string                  // kind; empty: the rig's
	Firmware    record.Firmware         // File is read and hashed; its base name goes into the record
	Faults      []string                // faulty firmware, emulated devices only
	CheckFault  func(name string) error // says what is wrong with a name in Faults
	Repeat      int                     // rounds, at least 1
	Attempts    int                     // tries per spec, at least 1
	Jobs        int                     // devices at once; 0: all
	Timeout     time.Duration           // for the whole run, above 0
}

// Plan is a checked request: nothing in it is unknown, and nothing has been
// touched to make it but the files that it names, which are read.
type Plan struct {
	Rig      string
	Hub      rigfile.Hub
	Secret   []string         // environment variables that the rig names
	Devices  []rigfile.Device // in the rig's order, faults filled in
	Specs    []fixtures.Spec
	Own      map[string][]fixtures.Spec // by device name: specs of its own in place of Specs; nil: none has
	Firmware record.Firmware
	Selected record.Selection // what was asked, for the record
	Repeat   int
	Attempts int
	Jobs     int
	Timeout  time.Duration
}

// NewPlan checks a request. Every error is a usage failure that says what is
// wrong and where.
func NewPlan(r Request) (*Plan, error) {
	if err := r.checkNumbers(); err != nil {
		return nil, err
	}
	p := &Plan{Rig: r.Rig.Name, Secret: r.Rig.SecretVariables(), Repeat: r.Repeat, Attempts: r.Attempts, Jobs: r.Jobs, Timeout: r.Timeout}
	var err error
	if p.Devices, err = chooseDevices(r.Rig, r.Devices); err != nil {
		return nil, err
	}
	if p.Devices, err = withFaults(p.Devices, r.Faults, r.CheckFault); err != nil {
		return nil, err
	}
	if err = checkTypes(p.Devices); err != nil {
		return nil, err
	}
	if err = checkOwnFiles(p.Devices); err != nil {
		return nil, err
	}
	if p.Hub, err = chooseHub(r.Rig, r.Hub); err != nil {
		return nil, err
	}
	if err = rigfile.CheckEndpoints(p.Hub, p.Devices); err != nil {
		return nil, err
	}
	if p.Specs, err = suites.Select(r.Catalogue, r.LabelFilter, r.Specs); err != nil {
		return nil, err
	}
	p.Selected = suites.Describe(r.Catalogue, p.Specs, r.LabelFilter, r.Specs)
	if p.Firmware, err = describeFirmware(r.Firmware); err != nil {
		return nil, err
	}
	if p.Jobs == 0 || p.Jobs > len(p.Devices) {
		p.Jobs = len(p.Devices)
	}
	return p, p.fits()
}

func (r Request) checkNumbers() error {
	for _, n := range []struct {
		flag       string
		value, min int
	}{{"--repeat", r.Repeat, 1}, {"--attempts", r.Attempts, 1}, {"--jobs", r.Jobs, 0}} {
		if n.value < n.min {
			return record.NewFailure(record.Usage, "read", n.flag, fmt.Errorf("%d is less than %d", n.value, n.min))
		}
	}
	if r.Timeout <= 0 {
		return record.NewFailure(record.Usage, "read", "--timeout", fmt.Errorf("%s is not above zero", r.Timeout))
	}
	return nil
}

// CostOf is what the specs that a device gets take of it, in one round.
func (p *Plan) CostOf(d rigfile.Device) (c fixtures.Cost) {
	for _, s := range p.SpecsOf(d.Name) {
		if p.WhyNot(d, s) == "" {
			c = c.Plus(s.Cost)
		}
	}
	return c
}

// fits refuses a selection that cannot be over by the run's time limit on some
// device, whatever the device does.
func (p *Plan) fits() error {
	for _, d := range p.Devices {
		if least := time.Duration(p.Repeat) * p.CostOf(d).AtLeast(d.Type); least > p.Timeout {
			return record.NewFailure(record.Usage, "fit the selection into", "--timeout "+p.Timeout.String(),
				fmt.Errorf("on %s it takes %s at the least", d.Name, least.Round(time.Second))).
				WithCure("more time, or fewer specs: --label-filter core")
		}
	}
	return nil
}

// WhyNot says why a spec cannot be asked of a device on this hub; it is empty
// where it can, as far as can be told without touching anything.
func (p *Plan) WhyNot(d rigfile.Device, s fixtures.Spec) string {
	var why []string
	if letters, known := hub.OfKind(p.Hub.Kind); known {
		if at := s.WhyNotAt(letters); at != "" {
			why = append(why, at)
		}
	}
	if slices.Contains(s.Needs, fixtures.NeedPower) && d.Power == nil && d.Serial.Emulated == nil {
		why = append(why, "needs power control, and the rig file has none for "+d.Name)
	}
	return strings.Join(why, "; ")
}

// SpecsOf are the specs that a device gets.
func (p *Plan) SpecsOf(device string) []fixtures.Spec {
	if own, ok := p.Own[device]; ok {
		return own
	}
	return p.Specs
}

// ids are a device's specs by name.
func (p *Plan) ids(device string) []string {
	specs := p.SpecsOf(device)
	ids := make([]string, 0, len(specs))
	for _, s := range specs {
		ids = append(ids, s.ID)
	}
	return ids
}
