package backoff

import "math"

// class is what a law means to the hub.
type class int

const (
	short   class = iota // gaps of one size, and a short one: they harm the hub
	long                 // gaps of one size, and a long one: a warning
	growing              // gaps that grow
)

// shape is how a law's nominal gap goes on from try to try.
type shape int

const (
	oneSize      shape = iota // size
	geometric                 // size × factorⁿ, at most the ceiling
	linear                    // size × (n+1), at most the ceiling
	decorrelated              // from size to three times the gap before, at most a ceiling
	microsoft                 // 0.1 s and size × (2ⁿ−1), at most the ceiling
)

// mostGaps is how many gaps a row may have.
const mostGaps = 16

// law is one way of waiting: gap n, from 0, is anywhere from low to high times
// its nominal gap, one place as likely as another. Sizes are in seconds.
type law struct {
	shape         shape
	size, ceiling float64
	nominal       *[mostGaps]float64 // over size, without the ceiling; nil: 1
	low, high     float64
}

// What no law has of its own.
const (
	early = 0.02 // s that a gap may be shorter than its law has it: timers
	late  = 0.06 // s that it may be longer: timers, the network, a busy host

	// Now and then a gap is of another making: a handshake that failed within
	// it, a stall. It may be of any size between a millisecond and a thousand
	// seconds, one order of magnitude as likely as another.
	stray  = 0.02
	orders = 13.8 // ln(1000 s / 1 ms)
)

// straying is how likely a gap is one of another making, per second.
func straying(gap float64) float64 { return stray / (math.Max(gap, 0.01) * orders) }

// likes is how likely the law makes the gap, per second, strays apart.
func (l *law) likes(n int, before, gap float64) float64 {
	lo, hi := 0.0, 0.0
	switch l.shape {
	case decorrelated:
		return l.decorrelated(n, before, gap)
	case microsoft:
		grown := l.size * l.nominal[n]
		lo, hi = math.Min(l.ceiling, 0.1+l.low*grown), math.Min(l.ceiling, 0.1+l.high*grown)
	case oneSize:
		lo, hi = l.low*l.size, l.high*l.size
	default:
		w := math.Min(l.ceiling, l.size*l.nominal[n])
		lo, hi = l.low*w, l.high*w
	}
	if lo, hi = lo-early, hi+late; gap < lo || gap > hi {
		return 0
	}
	return (1 - stray) / (hi - lo)
}

// decorrelated jitter has most of its gaps at its ceiling once it is there:
// one of nine seconds and more that comes again as it was.
func (l *law) decorrelated(n int, before, gap float64) float64 {
	if n == 0 {
		before = l.size
	}
	share, lo, hi := 1-stray, l.size-early, math.Max(l.size, 3*before)+late
	at := 0.0
	if n > 0 && before > 9 {
		if near := 0.005*before + 0.05; math.Abs(gap-before) <= near {
			at = share * 0.2 / (2 * near)
		}
		share *= 0.8
	}
	if gap < lo || gap > hi {
		return at
	}
	return at + share/(hi-lo)
}

// family is laws of one shape over a grid: every size with every factor,
// ceiling and jitter.
type family struct {
	class    class
	shape    shape
	from, to float64 // the sizes, s...
	step     float64 // ...each so many times the one before
	factors  []float64
	ceilings []float64
	jitter   [][2]float64 // low and high of a law
}

// families are the ways of waiting that are told from each other. Widths of one
// size are a little more than the jitter meant (3, 10, 20, 35, 50 %), so that a
// law between two of the grid fits one of them. A pause anywhere between none
// and twice its mean counts as short up to a mean of 2.5 s: above, it is what
// full jitter under a ceiling of ten seconds looks like.
func families() []family {
	once, none := []float64{1}, []float64{math.Inf(1)}
	ceilings := []float64{10, 30, 100, 300}
	sizes := [][2]float64{{0.96, 1.04}, {0.88, 1.12}, {0.78, 1.22}, {0.64, 1.36}, {0.48, 1.52}}
	around := [][2]float64{{0.9, 1.1}, {0.75, 1.25}, {0.5, 1.5}}
	return []family{
		{short, oneSize, 0.01, 5, 1.05, once, none, sizes},
		{short, oneSize, 0.01, 2.6, 1.05, once, none, [][2]float64{{0, 2}}},
		{long, oneSize, 5, 400, 1.06, once, none, sizes},
		{growing, geometric, 0.4, 6.5, 1.08, []float64{1.5, 2}, ceilings, around},
		{growing, geometric, 0.4, 6.5, 1.08, []float64{1.5, 2}, ceilings, [][2]float64{{0, 1}, {0.5, 1}}}, // full and equal jitter
		{growing, linear, 0.4, 6.5, 1.08, once, ceilings, around},
		{growing, decorrelated, 0.4, 6.5, 1.08, once, none, [][2]float64{{1, 3}}},
		{growing, microsoft, 0.1, 0.11, 2, []float64{2}, []float64{10}, [][2]float64{{0.5, 1.25}}},
	}
}

// laws are a family's, written out.
func (f family) laws() (all []law) {
	for _, factor := range f.factors {
		nominal := f.shape.nominal(factor)
		for _, c := range f.ceilings {
			for _, j := range f.jitter {
				for size := f.from; size < f.to*0.999; size *= f.step {
					all = append(all, law{f.shape, size, c, nominal, j[0], j[1]})
				}
			}
		}
	}
	return all
}

func (s shape) nominal(factor float64) *[mostGaps]float64 {
	var w [mostGaps]float64
	for n := range w {
		switch s {
		case geometric:
			w[n] = math.Pow(factor, float64(n))
		case linear:
			w[n] = float64(n + 1)
		case microsoft:
			w[n] = math.Pow(2, float64(n)) - 1
		default:
			return nil
		}
	}
	return &w
}
