package wording_test

import (
	"strings"
	"testing"

	"hilrig/record/wording"
)

func TestNearest(t *testing.T) {
	known := []string{"run", "report", "provision", "emulate", "label-filter", "tls/version", "tls/*", "firmware", "firmware-file"}
	for got, want := range map[string]string{
		"rum": "run", "reprot": "report", "Provision": "provision", "provison": "provision", "prov": "provision", "label": "label-filter",
		"labelfilter": "label-filter", "tls/verison": "tls/version", "firmware_file": "firmware-file", "firm": "",
		"xyzzy": "", "": "", "a": "", "ru": "run", "r": "", strings.Repeat("run", 100): "",
	} {
		if n := wording.Nearest(got, known); n != want {
			t.Errorf("Nearest(%q) = %q, want %q", got, n, want)
		}
	}
	if q := wording.DidYouMean("rum", known); q != "did you mean run?" {
		t.Error(q)
	}
	if q := wording.DidYouMean("xyzzy", known); q != "" {
		t.Error(q)
	}
}
