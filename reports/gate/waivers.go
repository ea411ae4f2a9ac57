package gate

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"hilrig/record"
	"hilrig/record/yamltree"
)

//go:embed waivers.schema.json
var waiverSchema []byte

// WaiverSchema is the JSON schema of a waiver file (draft 2020-12).
func WaiverSchema() []byte { return bytes.Clone(waiverSchema) }

// Waiver is a failure that somebody answers for until a day.
type Waiver struct {
	Spec    string `yaml:"spec" json:"spec"`
	Board   string `yaml:"board" json:"board,omitempty"`
	Type    string `yaml:"type" json:"type,omitempty"`
	Owner   string `yaml:"owner" json:"owner"`
	Reason  string `yaml:"reason" json:"reason"`
	Issue   string `yaml:"issue" json:"issue"`
	Expires string `yaml:"expires" json:"expires"`
}

// longestWaiver bounds how far from now a waiver may expire.
const longestWaiver = 90 * 24 * time.Hour

// ReadWaivers reads and checks a waiver file; every error is a usage failure,
// an expired waiver too: whoever answered for it does so no more.
func ReadWaivers(path string, data []byte, p *Policy, catalogue []Spec, now time.Time) ([]Waiver, error) {
	var f struct {
		Waivers []Waiver `yaml:"waivers"`
	}
	tree, err := yamltree.ReadStrict("waivers", path, data, waiverSchema, &f)
	if err != nil {
		return nil, err
	}
	var errs []error
	for i, w := range f.Waivers {
		if err := w.check(p, catalogue, now); err != nil {
			errs = append(errs, fmt.Errorf("line %d: waiver of %s for %s: %w", yamltree.Line(tree, "waivers", strconv.Itoa(i)), w.Spec, w.of(), err))
		}
	}
	if len(errs) > 0 {
		return nil, record.NewFailure(record.Usage, "read waivers", path, errors.Join(errs...))
	}
	return f.Waivers, nil
}

func (w Waiver) check(p *Policy, catalogue []Spec, now time.Time) error {
	i := slices.IndexFunc(catalogue, func(s Spec) bool { return s.ID == w.Spec })
	if i < 0 {
		return errors.New("the catalogue has no such spec")
	}
	for _, l := range catalogue[i].Labels {
		if slices.Contains(p.Never, l) {
			return fmt.Errorf("the policy lets no spec labelled %s be waived", l)
		}
	}
	day, err := time.Parse(time.DateOnly, w.Expires)
	if err != nil {
		return fmt.Errorf("expires: %s is no day", w.Expires)
	}
	switch end := day.AddDate(0, 0, 1); {
	case !now.Before(end):
		return fmt.Errorf("it expired on %s; %s answered for it", w.Expires, w.Owner)
	case day.Sub(now) > longestWaiver:
		return fmt.Errorf("it expires on %s, more than 90 days from now", w.Expires)
	}
	return nil
}

// of is whom a waiver is for.
func (w Waiver) of() string {
	if w.Board != "" {
		return "board " + w.Board
	}
	return "type " + w.Type
}

// covers reports whether it is for a board of a type.
func (w Waiver) covers(spec string, b *board) bool {
	return w.Spec == spec && (w.Board != "" && w.Board == b.serial || w.Type != "" && w.Type == b.kind)
}
