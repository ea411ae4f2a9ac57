package backoff

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Thresholds are what separates the grades.
type Thresholds struct {
	Grown    float64       // the later half of the gaps, added up, is at least so many times the earlier half
	Slow     time.Duration // gaps that do not grow, of so much and more, are a warning; below, a failure
	Jitter   float64       // two gaps within this share of each other are the same gap...
	Noise    time.Duration // ...and so are two within this: timers, the network, a busy host
	Hammer   time.Duration // a mean gap below this is no waiting at all
	LeastRow int           // gaps that a row needs to be judged
}

// Defaults are the catalogue's. Grown: the mildest backoff in use, gaps that
// grow by a second from one second, gives 2.3; half of them again and a quarter
// of jitter against it 1.8; constant gaps with half of jitter either way rarely
// reach 1.4. Slow is the catalogue's. Hammer is recovery/server-disconnect's.
var Defaults = Thresholds{
	Grown: 1.4, Slow: 5 * time.Second, Jitter: 0.03, Noise: 60 * time.Millisecond,
	Hammer: 200 * time.Millisecond, LeastRow: 2,
}

// Grade is what a row of gaps is.
type Grade string

// The grades, best first.
const (
	Growing       Grade = "growing gaps with jitter"
	WithoutJitter Grade = "growing gaps without jitter"
	ConstantSlow  Grade = "gaps that do not grow, of 5 s and more"
	Constant      Grade = "gaps that do not grow, of less than 5 s"
	Hammering     Grade = "no pause between tries"
)

// Verdict is the grade of one or more rows, and why.
type Verdict struct {
	Grade Grade
	Why   string // one sentence, with the numbers
}

// Passes says that there is nothing to say. What neither passes nor warns is a
// failure.
func (v Verdict) Passes() bool { return v.Grade == Growing }

// Warns says that the catalogue has a warning for it and no failure.
func (v Verdict) Warns() bool { return v.Grade == WithoutJitter || v.Grade == ConstantSlow }

// Judge grades rows of gaps, each the gaps between tries of one outage, in
// order. A second row of another outage makes two things sure that one row
// cannot: that gaps which look alike are the same again, and that a row which
// did not grow was no accident of its jitter.
func (t Thresholds) Judge(rows ...[]time.Duration) Verdict {
	var early, late, sum time.Duration
	n := 0
	for _, r := range rows {
		half := len(r) / 2
		early += total(r[:half])
		late += total(r[len(r)-half:])
		sum += total(r)
		n += len(r)
	}
	if n == 0 {
		return Verdict{Hammering, "no gaps"}
	}
	mean := sum / time.Duration(n)
	seen := text(rows)
	grown := late.Seconds() / math.Max(early.Seconds(), 1e-9)
	switch {
	case mean < t.Hammer:
		return Verdict{Hammering, fmt.Sprintf("gaps of %s: a mean of %.3f s", seen, mean.Seconds())}
	case grown < t.Grown && mean >= t.Slow:
		return Verdict{ConstantSlow, fmt.Sprintf("gaps of %s: the later ones are %.1f times the earlier ones, not %.1f", seen, grown, t.Grown)}
	case grown < t.Grown:
		return Verdict{Constant, fmt.Sprintf("gaps of %s: the later ones are %.1f times the earlier ones, not %.1f", seen, grown, t.Grown)}
	case t.regular(rows):
		return Verdict{WithoutJitter, fmt.Sprintf("gaps of %s grow by a rule, without jitter", seen)}
	}
	return Verdict{Growing, fmt.Sprintf("gaps of %s", seen)}
}

// regular says that the gaps hold no chance. Of several rows the gaps of the
// same place must be the same; a single row must be one that a simple rule
// makes: a constant factor or a constant step, up to a ceiling. Three gaps
// follow one or the other too easily to tell.
func (t Thresholds) regular(rows [][]time.Duration) bool {
	if len(rows) == 1 {
		r := t.belowCeiling(rows[0])
		return len(rows[0]) >= 4 && (t.follows(r, factor) || t.follows(r, step))
	}
	for _, r := range rows[1:] {
		for i := range min(len(r), len(rows[0])) {
			if !t.same(r[i], rows[0][i]) {
				return false
			}
		}
	}
	return true
}

// belowCeiling leaves out the gaps at the end that are the same as the one
// before them.
func (t Thresholds) belowCeiling(r []time.Duration) []time.Duration {
	for len(r) > 3 && t.same(r[len(r)-1], r[len(r)-2]) {
		r = r[:len(r)-1]
	}
	return r
}

// follows says that each gap follows from the two before it.
func (t Thresholds) follows(r []time.Duration, rule func(a, b time.Duration) time.Duration) bool {
	for i := 2; i < len(r); i++ {
		if !t.same(r[i], rule(r[i-2], r[i-1])) {
			return false
		}
	}
	return true
}

func factor(a, b time.Duration) time.Duration {
	return time.Duration(b.Seconds() * b.Seconds() / math.Max(a.Seconds(), 1e-9) * float64(time.Second))
}

func step(a, b time.Duration) time.Duration { return b + b - a }

func (t Thresholds) same(a, b time.Duration) bool {
	return (a - b).Abs() <= max(t.Noise, time.Duration(t.Jitter*float64(max(a, b))))
}

func total(r []time.Duration) (sum time.Duration) {
	for _, g := range r {
		sum += g
	}
	return sum
}

func text(rows [][]time.Duration) string {
	var all []string
	for _, r := range rows {
		var one []string
		for _, g := range r {
			one = append(one, fmt.Sprintf("%.2f", g.Seconds()))
		}
		all = append(all, strings.Join(one, ", ")+" s")
	}
	return strings.Join(all, " and ")
}

// Longest is the longest gap of the rows.
func Longest(rows ...[]time.Duration) (most time.Duration) {
	for _, r := range rows {
		if len(r) > 0 {
			most = max(most, slices.Max(r))
		}
	}
	return most
}
