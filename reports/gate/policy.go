package gate

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"hilrig/record"
	"hilrig/record/dsse"
	"hilrig/record/requirements"
	"hilrig/record/yamltree"
)

//go:embed policy.schema.json
var policySchema []byte

// PolicySchema is the JSON schema of a policy file (draft 2020-12).
func PolicySchema() []byte { return bytes.Clone(policySchema) }

// Policy is what a firmware must have shown before it may ship.
type Policy struct {
	Name         string           `yaml:"policy"`
	Firmware     Wanted           `yaml:"firmware"`
	Boards       []Boards         `yaml:"boards"`
	Hubs         []string         `yaml:"hubs"`
	Required     []string         `yaml:"required"`
	Requirements Demanded         `yaml:"requirements"`
	Accept       []Acceptance     `yaml:"accept"`
	Evidence     Evidence         `yaml:"evidence"`
	Measured     []Measured       `yaml:"measurements"`
	Baseline     *Baseline        `yaml:"baseline"`
	Areas        map[string]Limit `yaml:"areas"`
	Flaky        int              `yaml:"flaky"`
	Unlisted     string           `yaml:"unlisted"`
	Never        []string         `yaml:"never_waived"`

	sha256   string // of the file
	maxAge   time.Duration
	sealed   bool
	sealKeys []dsse.Key
}

// Wanted is the firmware that is judged.
type Wanted struct {
	Version string `yaml:"version" json:"version,omitempty"`
	SHA256  string `yaml:"sha256" json:"sha256,omitempty"`
}

// Boards are boards of one type, by their serial numbers.
type Boards struct {
	Type     string `yaml:"type"`
	AtLeast  int    `yaml:"at_least"`
	Revision string `yaml:"revision"`
}

// Acceptance lets a required spec be without a result.
type Acceptance struct {
	Spec    string `yaml:"spec"`
	Hub     string `yaml:"hub"`
	Because string `yaml:"because"`
}

// Evidence says what a result must be like to count.
type Evidence struct {
	Known     []record.Origin `yaml:"known"`
	Emulated  bool            `yaml:"emulated"`
	MaxAge    string          `yaml:"max_age"`
	Runs      int             `yaml:"runs"`
	Hilrig    string          `yaml:"hilrig"`
	Catalogue int             `yaml:"catalogue"`
	Sealed    any             `yaml:"sealed"` // whether, or by which public keys (PEM)
}

// Limit is what an area may have; nil is no limit for warnings, and none at all
// for failures.
type Limit struct {
	Warn *int `yaml:"warn"`
	Fail *int `yaml:"fail"`
}

// What becomes of runs that were not given.
const (
	UnlistedCount = "count"
	UnlistedWarn  = "warn"
)

// Spec is what the catalogue says of a spec.
type Spec = requirements.Spec

// ReadPolicy reads and checks a policy against the catalogue; every error is a
// usage failure.
func ReadPolicy(path string, data []byte, catalogue []Spec) (*Policy, error) {
	p := &Policy{}
	tree, err := yamltree.ReadStrict("policy", path, data, policySchema, p)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	p.sha256 = hex.EncodeToString(sum[:])
	if len(p.Evidence.Known) == 0 {
		p.Evidence.Known = []record.Origin{record.Flashed, record.Asked}
	}
	p.Baseline.fill()
	p.Evidence.Runs = max(1, p.Evidence.Runs)
	if p.Unlisted == "" {
		p.Unlisted = UnlistedCount
	}
	for i := range p.Boards {
		p.Boards[i].AtLeast = max(1, p.Boards[i].AtLeast)
	}
	if n := len(p.Evidence.MaxAge); n > 0 {
		count, _ := strconv.Atoi(p.Evidence.MaxAge[:n-1]) // the schema has seen to it
		unit := time.Hour
		if p.Evidence.MaxAge[n-1] == 'd' {
			unit *= 24
		}
		p.maxAge = time.Duration(count) * unit
	}
	if err := errors.Join(p.seals(), p.check(tree, catalogue), p.checkMeasured(catalogue), p.Requirements.read(path, catalogue)); err != nil {
		return nil, record.NewFailure(record.Usage, "read policy", path, err)
	}
	return p, nil
}

// seals reads whether runs must be sealed, and by whom.
func (p *Policy) seals() (err error) {
	switch v := p.Evidence.Sealed.(type) {
	case bool:
		p.sealed = v
	case string:
		p.sealed = true
		if p.sealKeys, err = dsse.ReadKeys([]byte(v)); err != nil {
			return fmt.Errorf("evidence.sealed: %w", err)
		}
	}
	return nil
}

// SealKeys are the keys by one of which a run must be sealed, where the policy
// has them; asked is whether it must be sealed at all.
func (p *Policy) SealKeys() (keys []dsse.Key, asked bool) { return p.sealKeys, p.sealed }

// check finds what no schema can see: patterns, areas and labels that nothing
// in the catalogue answers to.
func (p *Policy) check(tree ast.Node, catalogue []Spec) error {
	type named struct {
		pattern string
		line    int
	}
	at := func(where ...string) int { return yamltree.Line(tree, where...) }
	var errs []error
	var all []named
	for i, pattern := range p.Required {
		all = append(all, named{pattern, at("required", strconv.Itoa(i))})
	}
	for i, a := range p.Accept {
		line := at("accept", strconv.Itoa(i))
		all = append(all, named{a.Spec, line})
		if a.Hub != "" && !slices.Contains(p.Hubs, a.Hub) {
			errs = append(errs, fmt.Errorf("line %d: accept: hub %s is not among hubs", line, a.Hub))
		}
	}
	for i, l := range p.Never {
		all = append(all, named{"label:" + l, at("never_waived", strconv.Itoa(i))})
	}
	for area := range p.Areas {
		if area != "*" {
			all = append(all, named{area + "/*", at("areas", area)})
		}
	}
	slices.SortStableFunc(all, func(a, b named) int { return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.pattern, b.pattern)) })
	for _, n := range all {
		if !slices.ContainsFunc(catalogue, func(s Spec) bool { return matches(n.pattern, s) }) {
			errs = append(errs, fmt.Errorf("line %d: no spec of the catalogue is %s (hilrig list shows them)", n.line, n.pattern))
		}
	}
	return errors.Join(errs...)
}

// matches reports whether a pattern takes a spec.
func matches(pattern string, s Spec) bool { return s.Matches(pattern) }

func areaOf(spec string) string {
	area, _, _ := strings.Cut(spec, "/")
	return area
}

// OfType reports whether it asks for boards of a type.
func (p *Policy) OfType(name string) bool {
	return slices.ContainsFunc(p.Boards, func(b Boards) bool { return b.Type == name })
}

// limit is what an area may have.
func (p *Policy) limit(area string) Limit {
	l, ok := p.Areas[area]
	if !ok {
		l = p.Areas["*"]
	}
	return l
}
