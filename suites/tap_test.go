package suites_test

import (
	"slices"
	"strings"
	"testing"

	"hilrig/azure/hub"
	"hilrig/fixtures"
	"hilrig/record"
	"hilrig/selftest"
	"hilrig/suites"
)

// TestGalleryThroughATap shows that what a tap adds to a hub catches through a
// tap what the local hub catches itself: handshakes, and a bad link.
func TestGalleryThroughATap(t *testing.T) {
	if testing.Short() {
		t.Skip("short: the gallery takes a minute")
	}
	adds := slices.DeleteFunc(suites.All(), func(s fixtures.Spec) bool {
		return slices.Contains(s.Labels, "soak") || !needsOneOf(s, hub.Handshakes, hub.BadLinks)
	})
	cases, err := selftest.Cases(selftest.Request{Specs: adds})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if c.Fault == nil {
			continue
		}
		t.Run(c.Fault.Name, func(t *testing.T) {
			if alone[c.Fault.Name] == "" {
				t.Parallel()
			}
			job := emulatedJob(t, c.Specs)
			job.Device, job.Hub.Tap.On = c.Device, true
			caught(t, job, *c.Fault)
		})
	}
}

func needsOneOf(s fixtures.Spec, letters ...hub.Letter) bool {
	return slices.ContainsFunc(s.Needs, func(n fixtures.Need) bool {
		return slices.ContainsFunc(letters, func(l hub.Letter) bool { return strings.Contains(string(n), string(l)) })
	})
}

// A sound device is green through a tap.
func TestASoundDeviceThroughATap(t *testing.T) {
	t.Parallel()
	specs, err := suites.Select(suites.All(), "core", nil)
	if err != nil {
		t.Fatal(err)
	}
	job := emulatedJob(t, specs)
	job.Hub.Tap.On = true
	results := runChild(t, job)
	for _, s := range specs {
		if r := results[s.ID]; r.Verdict != record.Pass {
			t.Errorf("%s: %s %s %s", s.ID, r.Verdict, r.Message, r.Cause)
		}
	}
}
