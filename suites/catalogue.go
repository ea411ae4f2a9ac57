package suites

import (
	"fmt"
	"slices"
	"strings"

	"hilrig/fixtures"
	"hilrig/record"
	"hilrig/suites/delivery"
	"hilrig/suites/identity"
	"hilrig/suites/provisioning"
	"hilrig/suites/recovery"
	"hilrig/suites/session"
	"hilrig/suites/soak"
	"hilrig/suites/tlsclient"
)

// All is the catalogue, in the order in which specs run.
func All() []fixtures.Spec {
	return slices.Concat(
		identity.Specs(), provisioning.Specs(), tlsclient.Specs(),
		session.Specs(), delivery.Specs(), recovery.Specs(),
		session.Closing(), delivery.Closing(), soak.Specs(), provisioning.Closing(),
	)
}

// With is the catalogue with specs of somebody else behind it. Each of those
// must be whole, and have an id of its own: AREA/NAME, in lower case. The error
// is of class usage and names all that is wrong.
func With(more ...fixtures.Spec) ([]fixtures.Spec, error) {
	all := All()
	known := map[string]bool{}
	for _, s := range all {
		known[s.ID] = true
	}
	var wrong []string
	for _, s := range more {
		switch area, name, ok := strings.Cut(s.ID, "/"); {
		case !ok || area == "" || name == "" || s.ID != strings.ToLower(s.ID) || strings.ContainsAny(name, "/ *"):
			wrong = append(wrong, fmt.Sprintf("id %q is not AREA/NAME in lower case", s.ID))
		case known[s.ID]:
			wrong = append(wrong, s.ID+" is there already")
		}
		if lacks := s.Lacks(); len(lacks) > 0 {
			wrong = append(wrong, s.ID+" has no "+strings.Join(lacks, ", no "))
		}
		known[s.ID] = true
	}
	if len(wrong) > 0 {
		return nil, record.NewFailure(record.Usage, "register", "specs", fmt.Errorf("%s", strings.Join(wrong, "; ")))
	}
	return append(all, more...), nil
}

// Measured are the names of all that specs measure, each once: limits of a
// device type may be set for these.
func Measured(specs []fixtures.Spec) (names []string) {
	for _, s := range specs {
		for _, n := range s.Measures {
			if !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
	}
	return names
}
