package runner

import (
	"fmt"
	"slices"
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
	Catalogue   []fixtures.Spec         // to select from, in the order in which specs run; empty: nothing is asked
	Devices     []string                // names; empty: all
	LabelFilter string                  // Ginkgo's label language; empty: no filter
	Specs       []string                // ids or patterns ("tls/*"); empty: all
	Hubs        []string                // names, gone over in turn; none: the rig's own
	Firmware    record.Firmware         // File is read and hashed; its base name goes into the record
	Flash       bool                    // puts Firmware.File onto every board first
	Faults      []string                // faulty firmware, emulated devices only
	CheckFault  func(name string) error // says what is wrong with a name in Faults
	Rerun       *record.Record          // of which each entry gets what was red or not run; see Again
	Gone        []string                // what of that is there no more, and why; filled by Again
	Repeat      int                     // rounds, at least 1
	Attempts    int                     // tries per spec, at least 1
	Jobs        int                     // devices at once; 0: all
	Timeout     time.Duration           // for the whole run, above 0
	Secret      []string                // environment variables that no program gets, beside those that the rig names
}

// Plan is a checked request: nothing in it is unknown, and nothing has been
// touched to make it but the files that it names, which are read.
type Plan struct {
	Rig      string
	Hubs     []rigfile.Hub    // in turn on each device, at least one
	Secret   []string         // environment variables that no program gets which a run starts
	Devices  []rigfile.Device // in the rig's order, faults filled in
	Around   []rigfile.Device // all of the rig file, whether the run is for them or not
	Specs    []fixtures.Spec
	Own      map[string][]fixtures.Spec // by device name: specs of its own in place of Specs; nil: none has
	Firmware record.Firmware
	Flash    string           // file of the image to put onto every board first; empty: none
	Selected record.Selection // what was asked, for the record
	Gone     []string         // what was to be run again and is there no more, and why
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
	p := &Plan{Rig: r.Rig.Name, Around: r.Rig.Devices, Secret: append(r.Rig.SecretVariables(), r.Secret...), Repeat: r.Repeat, Attempts: r.Attempts, Jobs: r.Jobs, Timeout: r.Timeout}
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
	if p.Hubs, err = chooseHubs(r.Rig, r.Hubs); err != nil {
		return nil, err
	}
	if err = p.checkMeeting(); err != nil {
		return nil, err
	}
	if len(r.Catalogue) > 0 {
		if p.Specs, err = suites.Select(r.Catalogue, r.LabelFilter, r.Specs); err != nil {
			return nil, err
		}
		p.Selected = suites.Describe(r.Catalogue, p.Specs, r.LabelFilter, r.Specs)
	}
	if r.Rerun != nil {
		p.again(r.Rerun)
		p.Gone = r.Gone
	}
	if p.Firmware, err = DescribeFirmware(r.Firmware); err != nil {
		return nil, err
	}
	if r.Flash {
		if p.Flash, err = flashable(r.Firmware.File, p.Devices); err != nil {
			return nil, err
		}
	}
	if err = p.boundJobs(hub.Feeds); err != nil {
		return nil, err
	}
	return p, p.fits()
}

// checkMeeting says what keeps the devices from their hubs, or from one another
// there.
func (p *Plan) checkMeeting() error {
	for _, h := range p.Hubs {
		if err := rigfile.CheckEndpoints(h, p.Devices); err != nil {
			return err
		}
	}
	if err := checkWays(p.Hubs, p.Devices); err != nil {
		return err
	}
	return p.checkCertificates()
}

// readersOfAGroup is how many may read a partition of Azure's events by one
// consumer group (Event Hubs quotas). Each device has a reader where a run cannot
// hand on what it reads.
const readersOfAGroup = 5

// boundJobs makes no more devices run at once than there are, nor than a hub can
// be read for where each one's process reads by itself.
func (p *Plan) boundJobs(feeds bool) error {
	most := len(p.Devices)
	if !feeds && slices.ContainsFunc(p.Hubs, func(h rigfile.Hub) bool { return h.Kind == rigfile.KindAzure }) {
		most = min(most, readersOfAGroup)
		if p.Jobs > readersOfAGroup && len(p.Devices) > readersOfAGroup {
			return record.NewFailure(record.Usage, "read at azure with", fmt.Sprintf("--jobs %d", p.Jobs), fmt.Errorf("one consumer group has %d readers, and each device takes one", readersOfAGroup)).
				WithCure(fmt.Sprintf("--jobs %d, or none: the others wait their turn", readersOfAGroup))
		}
	}
	if p.Jobs == 0 || p.Jobs > most {
		p.Jobs = most
	}
	return nil
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

// SpecsOf are the specs that an entry gets.
func (p *Plan) SpecsOf(entry string) []fixtures.Spec {
	if own, ok := p.Own[entry]; ok {
		return own
	}
	return p.Specs
}

// ids are an entry's specs by name.
func (p *Plan) ids(entry string) []string {
	specs := p.SpecsOf(entry)
	ids := make([]string, 0, len(specs))
	for _, s := range specs {
		ids = append(ids, s.ID)
	}
	return ids
}
