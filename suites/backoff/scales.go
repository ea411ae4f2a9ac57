package backoff

import "math"

// scales weigh every law by the gaps of one row: how much likelier each makes
// them than strays alone would.
type scales struct {
	families []weighed
	n        int
	before   float64
}

type weighed struct {
	class class
	laws  []law
	times []float64 // of each law
}

func newScales(all []family) *scales {
	s := &scales{}
	for _, f := range all {
		s.families = append(s.families, weighed{class: f.class, laws: f.laws()})
	}
	return s.fresh()
}

// fresh are the same laws with nothing in the scales.
func (s *scales) fresh() *scales {
	out := &scales{families: make([]weighed, len(s.families))}
	for i, f := range s.families {
		times := make([]float64, len(f.laws))
		for k := range times {
			times[k] = 1
		}
		out.families[i] = weighed{f.class, f.laws, times}
	}
	return out
}

// see adds the next gap of the row, in seconds.
func (s *scales) see(gap float64) {
	alone := straying(gap)
	for _, f := range s.families {
		for i := range f.laws {
			if d := f.laws[i].likes(s.n, s.before, gap); d > 0 {
				f.times[i] *= 1 + d/alone
			}
		}
	}
	s.n, s.before = s.n+1, gap
}

// best is the weight of the best law of a class: no law of it explains the row
// better.
func (s *scales) best(c class) (most float64) {
	for _, f := range s.families {
		for _, t := range f.times {
			if f.class == c {
				most = math.Max(most, t)
			}
		}
	}
	return most
}

// mixed is the weight of a class as a whole, before one knows which of its
// laws it is: each family of it as likely as another, and in it each law.
func (s *scales) mixed(c class) float64 {
	sum, families := 0.0, 0.0
	for _, f := range s.families {
		if f.class != c {
			continue
		}
		of := 0.0
		for _, t := range f.times {
			of += t
		}
		sum, families = sum+of/float64(len(f.times)), families+1
	}
	return sum / families
}
