package gate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"hilrig/record"
	"hilrig/record/wording"
)

// Question is all that a verdict is made of.
type Question struct {
	Policy    *Policy
	Waivers   []Waiver
	Runs      []Run
	NoHistory string // why nobody knows which runs there were; empty: it is known
	Catalogue []Spec
	Firmware  Wanted // in place of the policy's
	Released  Released
	Now       time.Time
	Version   string // of this binary
}

// judging is a question on its way to the verdict.
type judging struct {
	Question

	out     *Verdict
	entries []*entry
	boards  []*board
	results map[spot]*outcome
	spots   []spot            // where they stand, in an order that never changes
	bySpec  map[string][]spot // the same, of each spec
	counted []*board          // of which something counts
	used    map[Waiver]bool

	asked     Wanted              // the firmware, as it was asked for
	lack      string              // why no firmware is judged
	others    []Wanted            // names that runs have for the firmware, beside the one that is asked for
	images    []string            // of which an accepted result is
	revisions map[string][]string // that runs name for a board
	unsure    []*board            // of which no run names one, where one is asked for
}

// spot is where a result stands: a spec on a board at a hub.
type spot struct {
	board     *board
	hub, spec string
}

// outcome is what became of a spec on a board at a hub, over all runs.
type outcome struct {
	kind     string // of the hub
	last     record.Verdict
	run      string
	text     string
	failed   []string // runs in which it failed
	proved   bool     // passed, or warned, in one of them
	warned   bool
	wavering bool // failed and passed, in whatever order
}

// Judge gives the verdict.
func Judge(q Question) *Verdict {
	j := &judging{
		Question: q, results: map[spot]*outcome{}, bySpec: map[string][]spot{}, used: map[Waiver]bool{},
		out: &Verdict{Schema: 1, Policy: PolicyRef{q.Policy.Name, q.Policy.sha256}, Hilrig: q.Version, At: q.Now.UTC().Round(0), Runs: []RunRef{}, Boards: []Counted{}, Waived: []Waiver{}, Warnings: []string{}},
	}
	j.Runs = slices.Clone(j.Runs)
	j.once()
	j.firmware()
	j.revisions = revisionsOf(j.Runs)
	slices.SortStableFunc(j.Runs, func(a, b Run) int { return cmp.Compare(a.ID, b.ID) }) // ids sort by time
	for i := range j.Runs {
		j.take(&j.Runs[i])
	}
	j.enter()
	j.order()
	j.oneFirmware()
	j.runs()
	j.unlisted()
	j.evidence()
	j.boardRules()
	j.hubs()
	for _, pattern := range j.Policy.Required {
		j.demand("required "+pattern, "", func(s Spec) bool { return matches(pattern, s) })
	}
	j.requirements()
	for _, m := range j.Policy.Measured {
		j.measured(m)
	}
	j.baseline()
	j.notRequired()
	j.warnings()
	j.flaky()
	j.waivers()
	j.out.conclude()
	return j.out
}

// enter puts every accepted result where it stands.
func (j *judging) enter() {
	for _, e := range j.entries {
		if e.why != "" || e.board == nil {
			continue
		}
		b := e.board
		if !b.accepted || weaker(e.dev.Running.Known, b.known) {
			b.known = e.dev.Running.Known
		}
		b.accepted = true
		if known := &j.out.Firmware.Known; *known == "" || weaker(b.known, *known) {
			*known = b.known
		}
		if sum := imageOf(e.run.Record, e.dev); sum != "" {
			j.out.Firmware.SHA256 = cmp.Or(j.out.Firmware.SHA256, sum)
			if !slices.Contains(j.images, sum) {
				j.images = append(j.images, sum)
			}
		}
		for i := range e.dev.Specs {
			j.result(e, &e.dev.Specs[i])
		}
		if e.dev.Cause != "" && e.dev.Class == record.ClassDevice {
			j.result(e, &record.SpecResult{ID: "device/whole", Verdict: record.Fail, Class: record.ClassDevice, Message: e.dev.Cause})
		}
	}
}

// order says, once for all rules, where results stand and which boards have any.
func (j *judging) order() {
	j.spots = slices.SortedFunc(maps.Keys(j.results), func(a, b spot) int {
		return cmp.Or(cmp.Compare(a.spec, b.spec), cmp.Compare(a.board.name(), b.board.name()), cmp.Compare(a.hub, b.hub))
	})
	for _, at := range j.spots {
		j.bySpec[at.spec] = append(j.bySpec[at.spec], at)
	}
	for _, b := range j.boards {
		if b.accepted {
			j.counted = append(j.counted, b)
		}
	}
}

// weaker reports whether a is known in a worse way than b.
func weaker(a, b record.Origin) bool {
	order := []record.Origin{record.Flashed, record.Asked, record.Claimed, ""}
	return slices.Index(order, a) > slices.Index(order, b)
}

func (j *judging) result(e *entry, s *record.SpecResult) {
	at := spot{e.board, e.dev.Hub.Name, s.ID}
	o := j.results[at]
	if o == nil {
		o = &outcome{kind: e.dev.Hub.Kind}
		j.results[at] = o
	}
	failed := s.Verdict == record.Fail
	for _, a := range s.Attempts {
		failed = failed || a.Verdict == record.Fail
	}
	for _, r := range s.Rounds {
		failed = failed || r.Verdict == record.Fail
	}
	if failed {
		o.failed = append(o.failed, e.run.ID)
	}
	o.proved = o.proved || s.Verdict == record.Pass || s.Verdict == record.Warn
	o.warned = o.warned || s.Verdict == record.Warn
	o.wavering = o.wavering || len(o.failed) > 0 && o.proved
	if settled(s.Verdict) || o.last == "" || o.last != record.Fail && !o.proved {
		o.last, o.run, o.text = s.Verdict, e.run.ID, wording.Clip(wording.OneLine(cmp.Or(s.Message, s.Cause)), 200)
	}
}

// settled reports whether a spec ran to an answer.
func settled(v record.Verdict) bool {
	return v == record.Pass || v == record.Warn || v == record.Fail
}

// where is a result's place in words.
func (at spot) String() string {
	return fmt.Sprintf("%s on %s at %s", at.spec, at.board.name(), at.hub)
}

func (b *board) name() string {
	return strings.TrimSpace(b.kind + " " + cmp.Or(b.serial, "without a serial number"))
}

// waived reports whether somebody answers for a failure.
func (j *judging) waived(at spot) bool {
	for _, w := range j.Waivers {
		if w.covers(at.spec, at.board) {
			j.used[w] = true
			return true
		}
	}
	return false
}
