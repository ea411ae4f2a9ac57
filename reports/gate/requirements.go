package gate

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"hilrig/record/requirements"
	"hilrig/record/wording"
	"hilrig/record/yamltree"
)

// Demanded is a list of requirements, each of which is to be shown.
type Demanded struct {
	Of     string     `yaml:"list"`
	Except []Excepted `yaml:"except"`

	list *requirements.List
}

// Excepted lets a requirement be without a spec that shows it.
type Excepted struct {
	Requirement string `yaml:"requirement"`
	Because     string `yaml:"because"`
}

// read reads the list that a policy at a path names: one that comes with this
// binary, or a file whose name is taken from the policy's folder.
func (d *Demanded) read(policy string, catalogue []Spec) error {
	if d.Of == "" {
		return nil
	}
	data, known := requirements.Shipped(d.Of)
	if !known {
		path := d.Of
		if !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(policy), path)
		}
		var err error
		if data, err = regular(path); err != nil {
			return fmt.Errorf("requirements: %w", err)
		}
	}
	var err error
	if d.list, err = requirements.Read(d.Of, data, catalogue); err != nil {
		return err
	}
	var errs []error
	for _, e := range d.Except {
		i := slices.IndexFunc(d.list.All, func(r requirements.Requirement) bool { return r.ID == e.Requirement })
		switch {
		case i < 0:
			errs = append(errs, fmt.Errorf("requirements: except: %s has no requirement %s", d.list.Name, e.Requirement))
		case len(d.list.All[i].Specs) > 0:
			errs = append(errs, fmt.Errorf("requirements: except: %s is shown by specs; accept says which of them may be without a result", e.Requirement))
		}
	}
	return errors.Join(errs...)
}

// regular reads a file of a person; a device or a pipe may never end.
func regular(path string) ([]byte, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() || st.Size() > yamltree.Largest {
		return nil, fmt.Errorf("%s is no file of at most %d bytes", path, yamltree.Largest)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	return io.ReadAll(io.LimitReader(f, yamltree.Largest+1))
}

// requirements demand that each of the policy's list is covered, and that every
// spec of it passed on each board, at each hub that is asked for.
func (j *judging) requirements() {
	d := &j.Policy.Requirements
	if d.list == nil {
		return
	}
	for _, r := range d.list.All {
		name := "requirement " + r.ID
		of := fmt.Sprintf(", %s of sha256 %s", d.list.Name, d.list.SHA256[:12])
		if len(r.Specs) > 0 {
			j.demand(name, of, func(s Spec) bool { return slices.Contains(r.Specs, s.ID) })
			continue
		}
		i := slices.IndexFunc(d.Except, func(e Excepted) bool { return e.Requirement == r.ID })
		if i < 0 {
			j.out.rule(name, "", nil, []string{"no spec shows it: " + cmp.Or(r.Because, "no reason given")})
			continue
		}
		j.out.rule(name, "no spec shows it, because: "+d.Except[i].Because+of, nil, nil)
	}
}

// explain says the list in sentences.
func (d *Demanded) explain(say func(string, ...any)) {
	if d.list == nil {
		return
	}
	bare := 0
	for _, r := range d.list.All {
		if len(r.Specs) == 0 {
			bare++
		}
	}
	say("Each of %s of %s must be shown: every spec of it passed on each board.", wording.Plural(len(d.list.All), "requirement"), d.list.Name)
	if bare > len(d.Except) {
		say("%s of it are shown by no spec, and the policy excepts %d: there will be no PASS.", wording.Plural(bare, "requirement"), len(d.Except))
	}
	for _, e := range d.Except {
		say("Requirement %s need not be shown, because: %s.", e.Requirement, strings.TrimSuffix(e.Because, "."))
	}
}
