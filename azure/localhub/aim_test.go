package localhub_test

import (
	"testing"

	"hilrig/azure/hub"
	"hilrig/azure/localhub"
)

// A fault for one device does not meet another.
func TestFaultIsAimedAtOneDevice(t *testing.T) {
	b := start(t)
	other := &device{bench: b, t: t, config: b.tls(b.id)}
	tls := hub.Fault{Name: "cut-after-client-hello", CutAfter: 1}
	for _, f := range []hub.Fault{hub.Refuse(3), tls} {
		f.Device = "another"
		s := b.hub.Show(f, 0)
		other.connects(0)
		if s.Count() != 0 {
			t.Errorf("%s met another device", f.Name)
		}
		s.Lift()
	}
	f := hub.Refuse(3)
	f.Device = deviceID
	b.hub.Show(f, 1)
	other.connects(3)
	other.connects(0)
	tls.Device = deviceID // known by its address by now
	s := b.hub.Show(tls, 1)
	other.refused()
	if s.Count() != 1 {
		t.Errorf("shown %d times", s.Count())
	}
}

// Every name of the table is found as people write it, and says what it shows.
func TestFaultsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range localhub.NamedFaults() {
		got, ok := localhub.FaultNamed(localhub.FaultName(f.Name))
		if !ok || got.Name != f.Name || f.Shows == "" || seen[f.Name] {
			t.Errorf("%q: found %v as %q, %q", f.Name, ok, got.Name, f.Shows)
		}
		seen[f.Name] = true
	}
	if f, ok := localhub.FaultNamed("drop-every-1m30s"); !ok || f.DropAfter.Seconds() != 90 {
		t.Errorf("drop-every-1m30s is %+v", f)
	}
	for _, none := range []string{"", "drop-every-", "drop-every--1s", "nonsense"} {
		if f, ok := localhub.FaultNamed(none); ok {
			t.Errorf("%q is %+v", none, f)
		}
	}
}
