//go:build linux

package runner

import (
	"slices"
	"strings"
	"testing"

	"hilrig/fixtures/rigfile"
	"hilrig/record"
)

// red is a record in which each device has these specs red or not run, and
// passed the others of the catalogue.
func redIn(hubs []string, devices map[string][]string) *record.Record {
	r := &record.Record{Run: record.Run{ID: "R"}}
	for _, name := range []string{"emu-1", "emu-1@a", "emu-1@b", "ads300-a", "gone"} {
		bad, there := devices[name]
		if !there {
			continue
		}
		d := record.DeviceRecord{Name: name}
		d.Hub.Name = hubs[0]
		if strings.HasSuffix(name, "@b") {
			d.Hub.Name = hubs[1]
		}
		for _, s := range catalogue() {
			v := record.Pass
			if slices.Contains(bad, s.ID) {
				v = record.Fail
			}
			d.Specs = append(d.Specs, record.SpecResult{ID: s.ID, Verdict: v})
		}
		for _, id := range bad {
			if !slices.ContainsFunc(d.Specs, func(s record.SpecResult) bool { return s.ID == id }) {
				d.Specs = append(d.Specs, record.SpecResult{ID: id, Verdict: record.NotRun})
			}
		}
		r.Devices = append(r.Devices, d)
	}
	return r
}

// What was red or not run is run again, on the devices and at the hubs where it
// was.
func TestWhatWasRedIsRunAgain(t *testing.T) {
	all := catalogue()
	one, two := all[0].ID, all[1].ID
	for name, c := range map[string]struct {
		hubs    []string
		red     map[string][]string
		only    []string
		want    string // entries with what they get
		refused string
	}{
		"one spec on one device":   {[]string{"local"}, map[string][]string{"emu-1": {two}, "ads300-a": nil}, nil, "emu-1: " + two, ""},
		"others on another":        {[]string{"local"}, map[string][]string{"emu-1": {two}, "ads300-a": {one, two}}, nil, "emu-1: " + two + "; ads300-a: " + one + " " + two, ""},
		"only a named device":      {[]string{"local"}, map[string][]string{"emu-1": {two}, "ads300-a": {one}}, []string{"ads300-a"}, "ads300-a: " + one, ""},
		"at one hub of two":        {[]string{"a", "b"}, map[string][]string{"emu-1@a": nil, "emu-1@b": {one}}, nil, "emu-1: " + one, ""},
		"at both, another at each": {[]string{"a", "b"}, map[string][]string{"emu-1@a": {two}, "emu-1@b": {one}}, nil, "emu-1@a: " + two + "; emu-1@b: " + one, ""},
		"nothing red":              {[]string{"local"}, map[string][]string{"emu-1": nil}, nil, "", "everything in it has a green verdict"},
		"nothing red there":        {[]string{"local"}, map[string][]string{"emu-1": nil, "ads300-a": {one}}, []string{"emu-1"}, "", "green verdict for emu-1"},
		"a device it never had":    {[]string{"local"}, map[string][]string{"emu-1": {one}}, []string{"ads300-a"}, "", "it has no device ads300-a"},
		"a device that is gone":    {[]string{"local"}, map[string][]string{"gone": {one}}, nil, "", "gone: rig built-in has no such device"},
		"a spec that is gone":      {[]string{"local"}, map[string][]string{"emu-1": {"tls/of-yesterday"}}, nil, "", "tls/of-yesterday"},
		"a hub that is gone":       {[]string{"lab"}, map[string][]string{"emu-1": {one}}, nil, "", "lab"},
	} {
		t.Run(name, func(t *testing.T) {
			r := request()
			if c.hubs[0] == "a" {
				for _, name := range c.hubs {
					r.Rig.Hubs[name] = rigfile.Hub{Name: name, Kind: "local", Host: "localhost", Listen: "127.0.0.1"}
				}
			}
			r.Devices = c.only
			err := r.Again(redIn(c.hubs, c.red))
			var p *Plan
			if err == nil {
				p, err = NewPlan(r)
			}
			if c.refused != "" {
				if record.ClassOf(err) != record.Usage || !strings.Contains(err.Error(), c.refused) {
					t.Fatalf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range p.Entries() {
				got = append(got, e.Name+": "+strings.Join(p.ids(e.Name), " "))
			}
			if strings.Join(got, "; ") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// What is still there is run again; what is gone since is said, once, and keeps
// nothing else from being run.
func TestWhatIsGoneIsSaidAndTheRestIsRunAgain(t *testing.T) {
	one, two := catalogue()[0].ID, catalogue()[1].ID
	const (
		noDevice = "device gone: rig built-in has no such device"
		noSpec   = "spec tls/of-yesterday: the catalogue has no such spec"
		noHub    = "hub b: "
	)
	for name, c := range map[string]struct {
		red     map[string][]string
		hubs    []string
		only    []string
		want    string
		gone    []string // how each begins
		refused []string
	}{
		"nothing":              {map[string][]string{"emu-1": {one}, "ads300-a": nil}, nil, nil, "emu-1: " + one, nil, nil},
		"a device":             {map[string][]string{"emu-1": {two}, "gone": {one, two}}, nil, nil, "emu-1: " + two, []string{noDevice}, nil},
		"a green device":       {map[string][]string{"emu-1": {two}, "gone": nil}, nil, nil, "emu-1: " + two, nil, nil},
		"a spec":               {map[string][]string{"emu-1": {"tls/of-yesterday", one}, "ads300-a": {"tls/of-yesterday"}}, nil, nil, "emu-1: " + one, []string{noSpec}, nil},
		"a hub":                {map[string][]string{"emu-1@a": {one}, "emu-1@b": {two}}, []string{"a", "b"}, nil, "emu-1: " + one, []string{noHub}, nil},
		"elsewhere":            {map[string][]string{"emu-1": {one}, "gone": {two}}, nil, []string{"emu-1"}, "emu-1: " + one, nil, nil},
		"both":                 {map[string][]string{"emu-1": {one, "tls/of-yesterday"}, "gone": {two}}, nil, nil, "emu-1: " + one, []string{noSpec, noDevice}, nil},
		"everything":           {map[string][]string{"emu-1": {"tls/of-yesterday"}, "gone": {one}}, nil, nil, "", nil, []string{"nothing of it is left: cannot find ", noSpec, noDevice, "(without --rerun"}},
		"the device asked for": {map[string][]string{"emu-1": {one}, "gone": {one}}, nil, []string{"emu-1", "gone"}, "", nil, []string{noDevice, "(there is "}},
	} {
		t.Run(name, func(t *testing.T) {
			r := request()
			if c.hubs == nil {
				c.hubs = []string{"local"}
			} else {
				r.Rig.Hubs["a"] = rigfile.Hub{Name: "a", Kind: "local", Host: "localhost", Listen: "127.0.0.1"}
			}
			r.Devices = c.only
			err := r.Again(redIn(c.hubs, c.red))
			var p *Plan
			if err == nil {
				p, err = NewPlan(r)
			}
			for _, says := range c.refused {
				if record.ClassOf(err) != record.Usage || !strings.Contains(err.Error(), says) {
					t.Errorf("got %v, want a usage error with %q", err, says)
				}
			}
			if c.refused != nil {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range p.Entries() {
				got = append(got, e.Name+": "+strings.Join(p.ids(e.Name), " "))
			}
			if strings.Join(got, "; ") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if !slices.EqualFunc(p.Gone, c.gone, strings.HasPrefix) {
				t.Errorf("gone are %q, want %q", p.Gone, c.gone)
			}
		})
	}
}

// What has no verdict at all is not called green.
func TestNothingToRunAgainIsSaidAsItIs(t *testing.T) {
	device := func(specs ...record.SpecResult) []record.DeviceRecord {
		return []record.DeviceRecord{{Name: "emu-1", Specs: specs}}
	}
	for want, rec := range map[string]*record.Record{
		"it is a selftest":                 {Selftest: &record.Selftest{}},
		"it names no spec that was asked":  {},
		"no spec that was asked":           {Devices: device()},
		"nothing in it applies":            {Devices: device(record.SpecResult{ID: "x/1", Verdict: record.NotApplicable})},
		"everything in it has a green ver": {Devices: device(record.SpecResult{ID: "x/1", Verdict: record.Pass})},
	} {
		r := request()
		if err := r.Again(rec); record.ClassOf(err) != record.Usage || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
