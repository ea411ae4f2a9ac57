package gate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"hilrig/record/wording"
)

// Explain says a policy in sentences, with what its patterns stand for.
func (p *Policy) Explain(catalogue []Spec) (lines []string) {
	say := func(format string, values ...any) { lines = append(lines, fmt.Sprintf(format, values...)) }
	if p.Firmware != (Wanted{}) {
		say("It judges %s.", p.Firmware)
	}
	for _, b := range p.Boards {
		of := b.Type
		if b.Revision != "" {
			of += ", revision " + b.Revision
		}
		say("At least %s of type %s, told apart by serial number; every board that ran the firmware counts, also one that is dead.", wording.Plural(b.AtLeast, "board"), of)
	}
	if len(p.Hubs) > 0 {
		say("Each required spec is asked for at each of the hubs %s.", strings.Join(p.Hubs, ", "))
	}
	for _, pattern := range p.Required {
		var ids []string
		for _, s := range catalogue {
			if matches(pattern, s) {
				ids = append(ids, s.ID)
			}
		}
		say("Required %s: %s on each board.", pattern, wording.Plural(len(ids), "spec"))
	}
	p.Requirements.explain(say)
	for _, a := range p.Accept {
		where := ""
		if a.Hub != "" {
			where = " at " + a.Hub
		}
		say("%s may be without a result%s, because: %s.", a.Spec, where, strings.TrimSuffix(a.Because, "."))
	}
	for _, m := range p.Measured {
		say("Measurement %s of %s: %s, on each board.", m.Name, m.Spec, m.bounds())
	}
	p.Baseline.explain(say)
	p.explainEvidence(say)
	for _, area := range slices.Sorted(maps.Keys(p.Areas)) {
		l := p.Areas[area]
		if l.Warn != nil {
			say("Area %s may have %s.", area, wording.Plural(*l.Warn, "warning"))
		}
		if l.Fail != nil {
			say("Area %s may have %s of specs that are not required.", area, wording.Plural(*l.Fail, "failure"))
		}
	}
	say("A spec that is not required may not fail either, where its area has no number for it.")
	say("At most %s may have failed before it passed.", wording.Plural(p.Flaky, "result"))
	if p.Unlisted == UnlistedWarn {
		say("A run of this firmware that was not given counts like a given one, and one that is lost is a warning only.")
	} else {
		say("A run of this firmware that was not given counts like a given one; one that is lost leaves no answer.")
	}
	for _, l := range p.Never {
		say("No spec labelled %s can be waived.", l)
	}
	return lines
}

// explainEvidence says what a result must be like to count.
func (p *Policy) explainEvidence(say func(format string, values ...any)) {
	e := p.Evidence
	known := make([]string, len(e.Known))
	for i, k := range e.Known {
		known[i] = string(k)
	}
	say("The firmware on a board must be known: %s.", strings.Join(known, " or "))
	if e.Emulated {
		say("Emulated devices count: this says nothing of a board.")
	} else {
		say("Emulated devices do not count.")
	}
	say("At least %s must be accepted.", wording.Plural(e.Runs, "run"))
	if e.MaxAge != "" {
		say("A run that ended more than %s ago does not count.", e.MaxAge)
	}
	if e.Hilrig != "" {
		say("A run of a hilrig older than %s does not count.", e.Hilrig)
	}
	if e.Catalogue > 0 {
		say("A run whose catalogue had fewer than %d specs does not count.", e.Catalogue)
	}
	if p.sealed {
		say("A run that is not sealed by a key that is given does not count.")
	}
}
