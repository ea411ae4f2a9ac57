package backoff

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Thresholds are what separates the grades. How they were found, and what they
// are worth, is in docs/design/backoff.md.
type Thresholds struct {
	Fail, Pass, Warn float64 // so many times likelier, before it is said
	Again            float64 // in place of Pass, for a device that has shown rows before
	Least, Most      int     // gaps of a row
	Enough           int     // gaps after which a device that does the hub no harm is not asked on
	Slow             time.Duration
	Hammer           time.Duration // a mean gap below this is no waiting at all
	Jitter           float64       // two gaps within this share of each other are the same gap...
	Noise            time.Duration // ...and so are two within this: timers, the network, a busy host
}

// Defaults are the catalogue's. Slow is what its line of recovery/backoff says,
// Hammer what that of recovery/server-disconnect says.
var Defaults = Thresholds{
	Fail: 500, Pass: 6, Warn: 30, Again: 12, Least: 3, Most: mostGaps, Enough: 6,
	Slow: 5 * time.Second, Hammer: 200 * time.Millisecond, Jitter: 0.03, Noise: 60 * time.Millisecond,
}

// Grade is what a row of gaps is.
type Grade string

// The grades, best first.
const (
	Growing       Grade = "growing gaps with jitter"
	WithoutJitter Grade = "growing gaps without jitter"
	ConstantSlow  Grade = "gaps that do not grow, of 5 s and more"
	Undecided     Grade = "undecided: gaps that may grow, or do not grow"
	Constant      Grade = "gaps that do not grow, of less than 5 s"
	NotOver       Grade = "gaps that do not start over"
	Hammering     Grade = "no pause between tries"
)

// Verdict is the grade of a row, and why.
type Verdict struct {
	Grade Grade
	Why   string // one sentence, with the numbers
}

// Passes says that there is nothing to say. What neither passes nor warns is a
// failure.
func (v Verdict) Passes() bool { return v.Grade == Growing }

// Warns says that there is no failure: works, but worth a look.
func (v Verdict) Warns() bool {
	return v.Grade == WithoutJitter || v.Grade == ConstantSlow || v.Grade == Undecided
}

// Rule decides from gap to gap: it is asked after each, and says when it has
// seen enough. It may be used for many rows, one after the other or at once.
type Rule struct {
	Thresholds
	laws *scales
}

// Rule makes the rule of these thresholds.
func (t Thresholds) Rule() *Rule { return &Rule{t, newScales(families())} }

// After is the rule for a device that has shown rows before, of a gap or more:
// if the next grows, it is likely by the same law. What speaks against growing
// is not learned.
func (r *Rule) After(rows ...[]time.Duration) *Rule {
	if len(rows) == 0 {
		return r
	}
	t, laws := r.Thresholds, r.laws
	t.Pass = t.Again
	for _, gaps := range rows {
		in := laws.fresh()
		for _, g := range gaps {
			in.see(g.Seconds())
		}
		laws = in.learned(growing)
	}
	return &Rule{t, laws}
}

// Judging is a row that is being judged.
type Judging struct {
	rule *Rule
	in   *scales
	gaps []time.Duration
}

// Begin begins a row.
func (r *Rule) Begin() *Judging { return &Judging{rule: r, in: r.laws.fresh()} }

// See adds the row's next gap; more than the rule's Most are not looked at.
func (j *Judging) See(gap time.Duration) {
	if len(j.gaps) < j.rule.Most {
		j.gaps = append(j.gaps, gap)
		j.in.see(gap.Seconds())
	}
}

// Verdict is what the row is as far as it has been seen. Where it is not
// decided, more gaps may decide it.
func (j *Judging) Verdict() (v Verdict, decided bool) {
	g := j.grade()
	decided = g != Undecided || len(j.gaps) >= j.rule.Most
	if g == Growing && len(j.gaps) == j.rule.Least && j.rule.Regular(j.gaps) {
		decided = len(j.gaps) >= j.rule.Most // three follow a rule too easily to tell; four do not
	}
	return Verdict{g, j.why(g)}, decided
}

func (j *Judging) grade() Grade {
	t := j.rule.Thresholds
	if len(j.gaps) < t.Least {
		return Undecided
	}
	hurts, slow, grows := j.in.mixed(short), j.in.mixed(long), j.in.mixed(growing)
	bestShort, bestLong, bestGrowing := j.in.best(short), j.in.best(long), j.in.best(growing)
	switch {
	case hurts >= t.Fail*math.Max(bestLong, bestGrowing):
		if mean(j.gaps) < t.Hammer {
			return Hammering
		}
		return Constant
	case math.Max(slow, grows) < t.Pass*bestShort:
		return Undecided
	case grows >= t.Pass*bestLong:
		return Growing
	case slow >= t.Warn*bestGrowing:
		return ConstantSlow
	case len(j.gaps) < t.Enough:
		return Undecided
	case slow >= grows: // it harms nobody either way
		return ConstantSlow
	}
	return Growing
}

func (j *Judging) why(g Grade) string {
	seen := "gaps of " + text(j.gaps)
	switch g {
	case Growing:
		return seen
	case Undecided:
		return fmt.Sprintf("%s: %d did not show whether they are of one size or grow", seen, len(j.gaps))
	case Hammering:
		return fmt.Sprintf("%s: a mean of %.3f s", seen, mean(j.gaps).Seconds())
	}
	return fmt.Sprintf("%s: of one size, %.1f s in the mean", seen, mean(j.gaps).Seconds())
}

// Regular says that the gaps hold no chance. Of several rows the gaps of the
// same place must be the same; a single row must be one that a simple rule
// makes: a constant factor or a constant step, up to a ceiling. Of five gaps and
// more one may be of another making, as for the laws: a stall is no chance.
func (t Thresholds) Regular(rows ...[]time.Duration) bool {
	if len(rows) == 1 {
		r := t.belowCeiling(rows[0])
		return len(r) >= 3 && (t.follows(r, math.Log) || t.follows(r, func(s float64) float64 { return s }))
	}
	for _, r := range rows[1:] {
		if t.others(r, rows[0]) > strays(min(len(r), len(rows[0]))) {
			return false
		}
	}
	return true
}

// NoChance says whether there is none in the gaps of the rows, and whether that
// is decided. Three that are the same show it, each begun where it may. Of four
// one may be unlike the others in a gap, because a stall is no chance; more than
// that is chance. A row that is too short to be judged shows nothing.
func (t Thresholds) NoChance(rows ...[]time.Duration) (none, decided bool) {
	const same, unlike = 3, 2
	most, gaps := 0, 0
	for _, r := range rows {
		alike := 0
		for _, other := range rows {
			off, of := t.apart(r, other)
			gaps = max(gaps, off)
			if of >= t.Least && off <= strays(of) {
				alike++
			}
		}
		most = max(most, alike)
	}
	none = most >= same
	return none, none || len(rows)-most >= unlike || gaps >= unlike
}

// apart is how many gaps are not the same in two rows, of how many, if they
// begin at one place or, where that fits better, one begins a place later: a
// try before a row counts as its first at times, and at times does not.
func (t Thresholds) apart(a, b []time.Duration) (off, of int) {
	off, of = t.others(a, b), min(len(a), len(b))
	for _, later := range [][2][]time.Duration{{a[min(1, len(a)):], b}, {a, b[min(1, len(b)):]}} {
		n := min(len(later[0]), len(later[1]))
		if o := t.others(later[0], later[1]); n >= t.Least && o < off {
			off, of = o, n
		}
	}
	return off, of
}

// Unlike says that a row before shows that there is chance in the device's gaps,
// though this one looks as if there were none: wherever a backoff may have begun
// in either, two gaps or more are not the same. A row that is too short to be
// judged shows nothing.
func (t Thresholds) Unlike(row []time.Duration, before ...[]time.Duration) bool {
	return slices.ContainsFunc(before, func(r []time.Duration) bool {
		most := min(len(r), len(row))
		if most < t.Least {
			return false
		}
		for skip := range most - 1 {
			if t.others(row[skip:], r) < 2 || t.others(row, r[skip:]) < 2 {
				return false
			}
		}
		return true
	})
}

// others is how many gaps of the same place are not the same.
func (t Thresholds) others(a, b []time.Duration) (n int) {
	for i := range min(len(a), len(b)) {
		if !t.same(a[i], b[i]) {
			n++
		}
	}
	return n
}

// strays is how many of so many gaps may be of another making.
func strays(gaps int) int {
	if gaps < 5 {
		return 0
	}
	return 1
}

// belowCeiling leaves out the gaps at the end that are the same as the one
// before them.
func (t Thresholds) belowCeiling(r []time.Duration) []time.Duration {
	for len(r) > 3 && t.same(r[len(r)-1], r[len(r)-2]) {
		r = r[:len(r)-1]
	}
	return r
}

// follows says that the gaps, as measured, are on a straight line by their
// places: of their logarithms for a constant factor, of themselves for a
// constant step.
func (t Thresholds) follows(r []time.Duration, of func(seconds float64) float64) bool {
	if t.straight(r, -1, of) {
		return true
	}
	for out := range r {
		if strays(len(r)) > 0 && t.straight(r, out, of) {
			return true
		}
	}
	return false
}

// straight says that one line goes through all gaps but one, each as far off as
// it may be measured: half of what two that are the same may differ by.
func (t Thresholds) straight(r []time.Duration, but int, of func(seconds float64) float64) bool {
	low, high := func(g time.Duration) float64 { return of(max(g-t.off(g)/2, time.Millisecond).Seconds()) },
		func(g time.Duration) float64 { return of((g + t.off(g)/2).Seconds()) }
	least, most := math.Inf(-1), math.Inf(1) // how steep it is
	for i, g := range r {
		for k, before := range r[:i] {
			if i == but || k == but {
				continue
			}
			places := float64(i - k)
			least, most = max(least, (low(g)-high(before))/places), min(most, (high(g)-low(before))/places)
		}
	}
	return least <= most
}

func (t Thresholds) same(a, b time.Duration) bool {
	return (a - b).Abs() <= t.off(max(a, b))
}

// off is how much two gaps of this size may differ and be the same.
func (t Thresholds) off(g time.Duration) time.Duration {
	return max(t.Noise, time.Duration(t.Jitter*float64(g)))
}

func mean(gaps []time.Duration) (m time.Duration) {
	for _, g := range gaps {
		m += g / time.Duration(len(gaps))
	}
	return m
}

func text(gaps []time.Duration) string {
	var one []string
	for _, g := range gaps {
		one = append(one, fmt.Sprintf("%.2f", g.Seconds()))
	}
	return strings.Join(one, ", ") + " s"
}

// each tells rows one after the other.
func each(rows [][]time.Duration) string {
	var all []string
	for _, r := range rows {
		all = append(all, text(r))
	}
	return strings.Join(all, ", again ")
}

func sum(gaps []time.Duration) (s time.Duration) {
	for _, g := range gaps {
		s += g
	}
	return s
}

func longest(gaps []time.Duration) time.Duration {
	if len(gaps) == 0 {
		return 0
	}
	return slices.Max(gaps)
}
