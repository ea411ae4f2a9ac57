package gate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"hilrig/record"
	"hilrig/record/wording"
)

// runs demands that every run that was given is whole.
func (j *judging) runs() {
	var lacks []string
	given := 0
	for i := range j.Runs {
		r := &j.Runs[i]
		if !r.Given {
			continue
		}
		given++
		if why := r.damage(); why != "" {
			lacks = append(lacks, fmt.Sprintf("run %s: %s", r.ID, why))
		}
	}
	if given == 0 {
		lacks = append(lacks, "no run was given")
	}
	j.out.rule("runs", wording.Plural(given, "run")+" given, whole", nil, lacks)
}

// unlisted demands that no run of this firmware was kept back.
func (j *judging) unlisted() {
	var lacks []string
	say := func(format string, values ...any) {
		if j.Policy.Unlisted == UnlistedWarn {
			j.out.warn(format, values...)
			return
		}
		lacks = append(lacks, fmt.Sprintf(format, values...))
	}
	if j.NoHistory != "" {
		say("nobody knows which runs there were: %s", j.NoHistory)
	}
	kept := 0
	for i := range j.Runs {
		r := &j.Runs[i]
		switch {
		case r.Given && r.Unknown:
			say("the history does not know run %s (hilrig history import takes it in)", r.ID)
		case !r.Given:
			kept++
			j.out.warn("run %s of this firmware was not given", r.ID)
			if why := r.doubt(); why != "" && !j.longAgo(r) {
				say("run %s, which was not given: %s", r.ID, why)
			}
		}
	}
	j.out.rule("unlisted", wording.Plural(kept, "run")+" of this firmware not given", nil, lacks)
}

// doubt is why nobody knows what a run that was not given has found; empty: it is
// known.
func (r *Run) doubt() string {
	if why := r.damage(); why != "" || !r.Unknown {
		return why
	}
	return "the history does not know it (hilrig history import takes it in)"
}

// longAgo reports whether a run that nobody knows is too old to count anyway.
func (j *judging) longAgo(r *Run) bool {
	if r.Record == nil {
		return j.stale(r.Began)
	}
	return r.Unknown && j.stale(r.Record.Run.Ended) && r.damage() == ""
}

// evidence demands enough accepted runs, and that nothing red is left out.
func (j *judging) evidence() {
	var lacks []string
	accepted := map[string]bool{}
	for _, e := range j.entries {
		if e.why == "" {
			if e.board != nil || len(j.counted) == 0 { // no board at all is told by their rule
				accepted[e.run.ID] = true
			}
			if e.board == nil {
				j.strangers(e)
			}
			continue
		}
		j.out.warn("%s of run %s does not count: %s", e.dev.Name, e.run.ID, e.why)
		if e.none || e.run.damage() != "" {
			continue
		}
		if e.dev.Cause != "" && e.dev.Class == record.ClassDevice {
			lacks = append(lacks, fmt.Sprintf("%s fails as a whole in run %s, which does not count: %s", e.dev.Name, e.run.ID, e.dev.Cause))
		}
		for _, s := range e.dev.Specs {
			if s.Verdict == record.Fail {
				lacks = append(lacks, fmt.Sprintf("%s fails %s in run %s, which does not count: %s", e.dev.Name, s.ID, e.run.ID, e.why))
			}
		}
	}
	if n := j.Policy.Evidence.Runs; len(accepted) < n {
		text := fmt.Sprintf("%s accepted, the policy asks for %d", wording.Plural(len(accepted), "run"), n)
		for _, r := range j.out.Runs {
			if r.Why != "" {
				text += fmt.Sprintf("; run %s: %s", r.ID, r.Why)
			}
		}
		lacks = append([]string{text}, lacks...)
	}
	j.out.rule("evidence", wording.Plural(len(accepted), "run")+" accepted", nil, lacks)
}

// strangers tells of what fails on a board that the policy does not ask for.
func (j *judging) strangers(e *entry) {
	for _, s := range e.dev.Specs {
		if s.Verdict == record.Fail {
			j.out.warn("%s of run %s, of type %s, for which the policy does not ask, fails %s", e.dev.Name, e.run.ID, e.dev.Type, s.ID)
			return
		}
	}
}

// hubs demand every hub on every board.
func (j *judging) hubs() {
	for _, hub := range j.Policy.Hubs {
		var lacks []string
		for _, b := range j.counted {
			if !slices.ContainsFunc(j.entries, func(e *entry) bool { return e.why == "" && e.board == b && isHub(hub, e.dev.Hub.Name, e.dev.Hub.Kind) }) {
				lacks = append(lacks, b.name()+" was not tested at hub "+hub)
			}
		}
		if len(j.counted) == 0 {
			lacks = append(lacks, "no board was tested at hub "+hub)
		}
		j.out.rule("hub "+hub, "every board was tested there", nil, lacks)
	}
}

func isHub(asked, name, kind string) bool { return asked == name || asked == kind }

// demand asks for one accepted result that does not fail of each spec that is
// asked, on each board, at each hub of the policy. Of says what else the rule
// stands on.
func (j *judging) demand(rule, of string, asked func(Spec) bool) {
	hubs := j.Policy.Hubs
	if len(hubs) == 0 {
		hubs = []string{""} // any
	}
	var failures, lacks []string
	specs, results := 0, 0
	for _, s := range j.Catalogue {
		if !asked(s) {
			continue
		}
		specs++
		for _, b := range j.counted {
			for _, hub := range hubs {
				failed, lack, n := j.asks(s, b, hub)
				failures, lacks, results = append(failures, failed...), append(lacks, lack...), results+n
			}
		}
	}
	if len(j.counted) == 0 {
		lacks = append(lacks, "no board has a result that counts")
	}
	j.out.rule(rule, fmt.Sprintf("%s passed, %s%s", wording.Plural(specs, "spec"), wording.Plural(results, "result"), of), failures, lacks)
}

// asks is what a spec lacks on a board at a hub; an empty hub is any.
func (j *judging) asks(s Spec, b *board, hub string) (failures, lacks []string, results int) {
	proved, red := false, false
	var without *outcome
	for _, at := range j.at(s.ID, b, hub) {
		o := j.results[at]
		switch {
		case o.last == record.Fail && !j.waived(at):
			failures = append(failures, fmt.Sprintf("%s failed in run %s: %s", at, o.run, o.text))
		case o.last == record.Fail, o.proved:
			proved, results = true, results+1
		default:
			without, red = o, red || j.unsettled(at)
		}
	}
	if proved || len(failures) > 0 || !red && j.accepted(s, hub) {
		return failures, nil, results
	}
	text := fmt.Sprintf("%s has no result on %s", s.ID, b.name())
	if hub != "" {
		text += " at " + hub
	}
	if without != nil {
		text += fmt.Sprintf(": %s, %s", without.last, cmp.Or(without.text, "no reason given"))
	}
	return nil, []string{text}, results
}

// unsettled reports whether a result failed at an attempt and came to no answer
// after it.
func (j *judging) unsettled(at spot) bool {
	o := j.results[at]
	return len(o.failed) > 0 && !settled(o.last) && !j.waived(at)
}

// at are the places of a spec's results on a board.
func (j *judging) at(spec string, b *board, hub string) (all []spot) {
	for _, at := range j.bySpec[spec] {
		if at.board == b && (hub == "" || isHub(hub, at.hub, j.results[at].kind)) {
			all = append(all, at)
		}
	}
	return all
}

func (j *judging) accepted(s Spec, hub string) bool {
	return slices.ContainsFunc(j.Policy.Accept, func(a Acceptance) bool {
		return matches(a.Spec, s) && (a.Hub == "" || a.Hub == hub)
	})
}

// isRequired reports whether a spec is judged by a pattern already.
func (j *judging) isRequired(spec string) bool {
	i := slices.IndexFunc(j.Catalogue, func(s Spec) bool { return s.ID == spec })
	return i >= 0 && slices.ContainsFunc(j.Policy.Required, func(p string) bool { return matches(p, j.Catalogue[i]) })
}

// notRequired counts failures of specs that are not required, by area.
func (j *judging) notRequired() {
	failures := map[string][]string{}
	for _, at := range j.spots {
		o := j.results[at]
		hubAsked := len(j.Policy.Hubs) == 0 || slices.ContainsFunc(j.Policy.Hubs, func(h string) bool { return isHub(h, at.hub, o.kind) })
		if o.last == record.Fail && !(j.isRequired(at.spec) && hubAsked) && !j.waived(at) {
			failures[areaOf(at.spec)] = append(failures[areaOf(at.spec)], fmt.Sprintf("%s failed in run %s: %s", at, o.run, o.text))
		}
	}
	var broken, lacks []string
	for _, at := range j.spots {
		if j.unsettled(at) && !j.isRequired(at.spec) {
			lacks = append(lacks, fmt.Sprintf("%s failed in run %s, and ended with %s", at, j.results[at].failed[0], j.results[at].last))
		}
	}
	for _, area := range slices.Sorted(maps.Keys(failures)) {
		most := 0
		if l := j.Policy.limit(area).Fail; l != nil {
			most = *l
		}
		if len(failures[area]) > most {
			broken = append(broken, failures[area]...)
		}
	}
	j.out.rule("other specs", "none fails beyond what its area may", broken, lacks)
}

// warnings count against what an area may have.
func (j *judging) warnings() {
	warned := map[string][]string{}
	for _, at := range j.spots {
		if o := j.results[at]; o.warned && o.last != record.Fail {
			warned[areaOf(at.spec)] = append(warned[areaOf(at.spec)], at.String())
		}
	}
	var broken []string
	n := 0
	for _, area := range slices.Sorted(maps.Keys(warned)) {
		n += len(warned[area])
		if most := j.Policy.limit(area).Warn; most != nil && len(warned[area]) > *most {
			broken = append(broken, fmt.Sprintf("%s in %s, which may have %d: %s", wording.Plural(len(warned[area]), "warning"), area, *most, warned[area][0]))
		}
	}
	j.out.rule("warnings", wording.Plural(n, "warning"), broken, nil)
}

// flaky counts what failed before it passed.
func (j *judging) flaky() {
	var all []string
	for _, at := range j.spots {
		if o := j.results[at]; o.wavering && o.last != record.Fail && !j.waived(at) {
			all = append(all, fmt.Sprintf("%s passed, and failed in run %s", at, o.failed[len(o.failed)-1]))
		}
	}
	if len(all) <= j.Policy.Flaky {
		j.out.rule("flaky", fmt.Sprintf("%s, of %d that may", wording.Plural(len(all), "flaky result"), j.Policy.Flaky), nil, nil)
		return
	}
	j.out.rule("flaky", "", all, nil)
}

// waivers says which were used, and which are for nothing.
func (j *judging) waivers() {
	for _, w := range j.Waivers {
		if j.used[w] {
			j.out.Waived = append(j.out.Waived, w)
			continue
		}
		matched := slices.ContainsFunc(j.spots, func(at spot) bool { return w.covers(at.spec, at.board) && j.results[at].proved })
		if matched {
			j.out.warn("the waiver of %s for %s is no longer needed: it passes", w.Spec, w.of())
		} else {
			j.out.warn("the waiver of %s for %s matches no failure", w.Spec, w.of())
		}
	}
	if len(j.Waivers) > 0 {
		j.out.rule("waivers", fmt.Sprintf("%d of %s used", len(j.out.Waived), wording.Plural(len(j.Waivers), "waiver")), nil, nil)
	}
}
