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
	share []float64 // of each law in its class, before the row; 1 in all
	times []float64 // of each law
}

// newScales holds each family of a class as likely as another, and in it each
// law.
func newScales(all []family) *scales {
	s := &scales{}
	families := map[class]float64{}
	for _, f := range all {
		families[f.class]++
	}
	for _, f := range all {
		laws := f.laws()
		share := make([]float64, len(laws))
		for k := range share {
			share[k] = 1 / (families[f.class] * float64(len(laws)))
		}
		s.families = append(s.families, weighed{class: f.class, laws: laws, share: share})
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
		out.families[i] = weighed{f.class, f.laws, f.share, times}
	}
	return out
}

// learned are fresh scales in which half of what a class has is shared out as
// the row in the present ones has it: the next row of the same device is likely
// of the same law. The other half stays as it was, for a device that waits by
// more laws than one.
func (s *scales) learned(c class) *scales {
	out, all := s.fresh(), s.mixed(c)
	for i, f := range s.families {
		if f.class != c {
			continue
		}
		share := make([]float64, len(f.share))
		for k := range share {
			share[k] = f.share[k] * (1 + f.times[k]/all) / 2
		}
		out.families[i].share = share
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
// laws it is.
func (s *scales) mixed(c class) (sum float64) {
	for _, f := range s.families {
		if f.class != c {
			continue
		}
		for k, t := range f.times {
			sum += f.share[k] * t
		}
	}
	return sum
}
