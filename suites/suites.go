package suites

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strings"

	"hilrig/fixtures"
	"hilrig/record"
	"hilrig/record/wording"
)

// Select picks from specs by Ginkgo's label language and by id. An id may be a
// pattern ("tls/*"). Empty arguments pick everything. A filter that cannot be
// read, an id that names nothing and a selection of nothing are usage errors.
func Select(specs []fixtures.Spec, labelFilter string, ids []string) ([]fixtures.Spec, error) {
	matches, err := parseFilter(labelFilter)
	if err != nil {
		return nil, err
	}
	if err := checkLabels(specs, labelFilter); err != nil {
		return nil, err
	}
	if err := checkIDs(specs, ids); err != nil {
		return nil, err
	}
	var picked []fixtures.Spec
	for _, s := range specs {
		if matches(s.Labels) && wanted(s.ID, ids) {
			picked = append(picked, s)
		}
	}
	if len(picked) == 0 {
		return nil, record.NewFailure(record.Usage, "select specs", describe(labelFilter, ids), fmt.Errorf("nothing matches")).
			WithCure("hilrig list shows every spec with its labels")
	}
	return picked, nil
}

// DefaultFilter is asked where nobody chooses: all but the long specs.
const DefaultFilter = "!soak"

// Describe says for the record which part of a catalogue was picked, and how.
func Describe(catalogue, picked []fixtures.Spec, labelFilter string, ids []string) record.Selection {
	s := record.Selection{
		Specs: ids, LabelFilter: labelFilter, Chosen: len(picked), Catalogue: len(catalogue), Digest: digest(catalogue),
		Default: len(ids) == 0 && labelFilter == DefaultFilter, Whole: true,
	}
	has := map[string]bool{}
	for _, p := range picked {
		has[p.ID] = true
	}
	usual, err := Select(catalogue, DefaultFilter, nil)
	if err != nil { // a catalogue of long specs alone
		usual = catalogue
	}
	for _, u := range usual {
		s.Whole = s.Whole && has[u.ID]
	}
	return s
}

// digest stands for a catalogue: two that differ in a spec or its words differ
// in it.
func digest(specs []fixtures.Spec) string {
	sum := sha256.New()
	for _, s := range specs {
		fmt.Fprintf(sum, "%q %q %q\n", s.ID, s.Text, s.Labels)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func checkIDs(specs []fixtures.Spec, ids []string) error {
	for _, id := range ids {
		if _, err := path.Match(id, ""); err != nil {
			return record.NewFailure(record.Usage, "read spec id", id, err)
		}
		found := false
		for _, s := range specs {
			if ok, _ := path.Match(id, s.ID); ok {
				found = true
				break
			}
		}
		if !found {
			return record.NewFailure(record.Usage, "select spec", id, fmt.Errorf("no spec has this id")).
				WithCure(cmp.Or(wording.DidYouMean(id, idsOf(specs)), "hilrig list shows them all"))
		}
	}
	return nil
}

// idsOf are the ids of specs, and the patterns of their areas.
func idsOf(specs []fixtures.Spec) (ids []string) {
	for _, s := range specs {
		ids = append(ids, s.ID)
		if area, _, ok := strings.Cut(s.ID, "/"); ok && !slices.Contains(ids, area+"/*") {
			ids = append(ids, area+"/*")
		}
	}
	return ids
}

func wanted(id string, ids []string) bool {
	if len(ids) == 0 {
		return true
	}
	for _, p := range ids {
		if ok, _ := path.Match(p, id); ok {
			return true
		}
	}
	return false
}

func describe(labelFilter string, ids []string) string {
	if len(ids) == 0 {
		return fmt.Sprintf("with label filter %q", labelFilter)
	}
	return fmt.Sprintf("%s with label filter %q", strings.Join(ids, " "), labelFilter)
}
