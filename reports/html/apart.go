package html

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"hilrig/record/wording"
)

// TrendValue is what was measured of a board.
type TrendValue struct {
	Board string
	Value float64
}

// How a board is found that stands apart from its siblings: its value is far
// from their median, for what they scatter, in most of its last runs.
const (
	fewSiblings = 3  // up to so many boards each has its line; of more, those that stand apart
	lookBack    = 10 // runs
	leastRuns   = 3
	far         = 3.5  // of 1.4826 median deviations, Iglewicz and Hoaglin's bound
	leastSpread = 0.01 // of the median: less says nothing of a board
	mostApart   = 3    // lines
)

// apart is a board with a line of its own.
type apart struct {
	Board, Says string
	Bad         bool // beyond a limit when it was last measured
	Line        string
	runs        int
}

// standing counts where a board stood among its siblings.
type standing struct {
	runs, above, below int
	last               float64
	of                 int // of the last run's boards
}

// standings are those of the last runs, by board.
func (t Trend) standings() map[string]*standing {
	all := map[string]*standing{}
	for _, p := range t.Points[max(0, len(t.Points)-lookBack):] {
		if p.Each == nil {
			continue
		}
		each := p.Each()
		middle, spread := spreadOf(each)
		for _, v := range each {
			s := all[v.Board]
			if s == nil {
				s = &standing{}
				all[v.Board] = s
			}
			s.runs, s.last, s.of = s.runs+1, v.Value, len(each)
			switch z := (v.Value - middle) / spread; {
			case z > far:
				s.above++
			case z < -far:
				s.below++
			}
		}
	}
	return all
}

// spreadOf is the median of some values, which are in order, and how far they
// are from it.
func spreadOf(each []TrendValue) (middle, spread float64) {
	if len(each) == 0 {
		return 0, 1
	}
	middle = each[len(each)/2].Value
	off := make([]float64, len(each))
	for i, v := range each {
		off[i] = math.Abs(v.Value - middle)
	}
	slices.Sort(off)
	return middle, max(1.4826*off[len(off)/2], leastSpread*math.Abs(middle), math.SmallestNonzeroFloat64)
}

// apart are the boards that a trend names, those beyond a limit first, and how
// many more there are.
func (t Trend) apart() (all []apart, more int) {
	for board, s := range t.standings() {
		a := apart{Board: board, Says: number(s.last) + " " + t.Unit}
		side, n := "above", s.above
		if s.below > n {
			side, n = "below", s.below
		}
		stands := s.of > fewSiblings && s.runs >= leastRuns && 2*n > s.runs
		if stands {
			a.runs = n
			a.Says += fmt.Sprintf(", far %s its siblings in %d of its last %s", side, n, wording.Plural(s.runs, "run"))
		}
		if t.Low != nil && s.last < *t.Low || t.High != nil && s.last > *t.High {
			a.Bad = true
			a.Says += ", beyond the limit"
		}
		if stands || a.Bad || s.of > 1 && s.of <= fewSiblings {
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(a, b apart) int {
		switch {
		case a.Bad != b.Bad && a.Bad:
			return -1
		case a.Bad != b.Bad:
			return 1
		}
		return cmp.Or(cmp.Compare(b.runs, a.runs), cmp.Compare(a.Board, b.Board))
	})
	n := min(len(all), mostApart)
	return all[:n], len(all) - n
}

// lines draws the boards that a trend names.
func (t Trend) lines(all []apart, x func(TrendPoint) float64, y func(float64) float64) {
	if len(all) == 0 {
		return
	}
	paths := make([]strings.Builder, len(all))
	for _, p := range t.Points {
		if p.Each == nil {
			continue
		}
		for _, v := range p.Each() {
			i := slices.IndexFunc(all, func(a apart) bool { return a.Board == v.Board })
			if i < 0 {
				continue
			}
			c := 'L'
			if paths[i].Len() == 0 {
				c = 'M'
			}
			fmt.Fprintf(&paths[i], "%c%g %g", c, x(p), y(v.Value))
		}
	}
	for i := range all {
		all[i].Line = paths[i].String()
	}
}

// ends names the boards of the smallest and the largest value of the last run.
func (t Trend) ends() string {
	last := t.Points[len(t.Points)-1]
	if last.Each == nil {
		return ""
	}
	each := last.Each()
	if len(each) < 2 || number(each[0].Value) == number(each[len(each)-1].Value) {
		return ""
	}
	low, high := each[0], each[len(each)-1]
	return fmt.Sprintf("%s (%s) … %s (%s)", number(low.Value), low.Board, number(high.Value), high.Board)
}
