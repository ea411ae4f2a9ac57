package backoff_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"hilrig/suites/backoff"
)

// drawn makes the gaps of one device: gap n, from 0, after the gap before, in
// seconds.
type drawn func(n int, before float64) float64

// policy is a way of waiting that is in use, or should not be. Its parameters
// are drawn anew for each device.
type policy struct {
	name   string
	device func(r *rand.Rand) drawn
	is     string // polite, slow (of one size and long: a warning), either (at its ceiling when it is looked at), impolite
	warned float64
}

const (
	polite   = "polite"
	slow     = "slow"
	either   = "either"
	impolite = "impolite"
)

func within(r *rand.Rand, a, b float64) float64 { return a + (b-a)*r.Float64() }

// base and ceiling are those of the population: 0.5 to 5 s, 10 to 300 s.
func base(r *rand.Rand) float64    { return within(r, 0.5, 5) }
func ceiling(r *rand.Rand) float64 { return 10 * math.Pow(30, r.Float64()) }

func growingBy(factor, jitter float64) func(r *rand.Rand) drawn {
	return func(r *rand.Rand) drawn {
		b, c := base(r), ceiling(r)
		return func(n int, _ float64) float64 {
			return math.Min(c, b*math.Pow(factor, float64(n))) * within(r, 1-jitter, 1+jitter)
		}
	}
}

func window(low float64, bc func(r *rand.Rand) (b, c float64)) func(r *rand.Rand) drawn {
	return func(r *rand.Rand) drawn {
		b, c := bc(r)
		return func(n int, _ float64) float64 {
			w := math.Min(c, b*math.Pow(2, float64(n)))
			return within(r, low*w, w)
		}
	}
}

func any2(r *rand.Rand) (b, c float64) { return base(r), ceiling(r) }

func exactly(b, c float64) func(*rand.Rand) (float64, float64) {
	return func(*rand.Rand) (float64, float64) { return b, c }
}

func decorrelated(bc func(r *rand.Rand) (b, c float64)) func(r *rand.Rand) drawn {
	return func(r *rand.Rand) drawn {
		b, c := bc(r)
		return func(n int, before float64) float64 {
			if n == 0 {
				before = b
			}
			return math.Min(c, within(r, b, 3*before))
		}
	}
}

func constant(mean, jitter float64) func(r *rand.Rand) drawn {
	return func(r *rand.Rand) drawn {
		return func(int, float64) float64 { return mean * within(r, 1-jitter, 1+jitter) }
	}
}

func atCeiling(from, to float64) func(r *rand.Rand) drawn {
	return func(r *rand.Rand) drawn {
		c, j := from*math.Pow(to/from, r.Float64()), within(r, 0.1, 0.5)
		return func(int, float64) float64 { return c * within(r, 1-j, 1+j) }
	}
}

// held makes the first gap hold a handshake that failed, of up to three seconds.
func held(of func(r *rand.Rand) drawn) func(r *rand.Rand) drawn {
	return func(r *rand.Rand) drawn {
		d := of(r)
		return func(n int, before float64) float64 {
			g := d(n, before)
			if n == 0 {
				g += within(r, 0.5, 3)
			}
			return g
		}
	}
}

func population() []policy {
	all := []policy{
		{"full jitter", window(0, any2), polite, 0.02},
		{"full jitter, 1 s to 10 s", window(0, exactly(1, 10)), polite, 0.02},
		{"full jitter, 0.5 s to 10 s", window(0, exactly(0.5, 10)), polite, 0.02},
		{"equal jitter", window(0.5, any2), polite, 0.02},
		{"decorrelated jitter", decorrelated(any2), polite, 0.08},
		{"decorrelated jitter, 0.5 s to 10 s", decorrelated(exactly(0.5, 10)), polite, 0.04},
		{"Microsoft device SDKs", func(r *rand.Rand) drawn {
			return func(n int, _ float64) float64 {
				return math.Min(10, 0.1+(math.Pow(2, float64(n))-1)*within(r, 0.05, 0.125))
			}
		}, polite, 0.02},
		{"growing by its base, ±20 %", func(r *rand.Rand) drawn {
			b, c := base(r), ceiling(r)
			return func(n int, _ float64) float64 { return math.Min(c, b*float64(n+1)) * within(r, 0.8, 1.2) }
		}, polite, 0.02},
		{"doubling, the first gap with a handshake in it", held(growingBy(2, 0.2)), polite, 0.04},
		{"full jitter, the first gap with a handshake in it", held(window(0, any2)), polite, 0.02},
		{"the emulator's", func(r *rand.Rand) drawn {
			return func(n int, _ float64) float64 {
				return math.Min(24, 1.05*math.Pow(1.5, float64(n))) * within(r, 1, 1.25)
			}
		}, polite, 0.01},
		{"at its ceiling already, 10 s to 300 s", atCeiling(10, 300), either, 1},
		{"at its ceiling already, 5 s to 10 s", atCeiling(5, 10), either, 1},
		{"full jitter at its ceiling of 10 s", constant(5, 1), either, 1},
		{"constant 10 s ±10 % (esp-mqtt)", constant(10, 0.1), slow, 1},
		{"constant 20 s ±30 %", constant(20, 0.3), slow, 1},
		{"constant 2 s ±50 %, the first gap with a handshake in it", held(constant(2, 0.5)), impolite, 1},
		{"at its ceiling already, 0.5 s to 4 s", atCeiling(0.5, 4), impolite, 1},
		{"constant 0.5 s, anywhere up to twice that", constant(0.5, 1), impolite, 1},
		{"constant 2 s, anywhere up to twice that", constant(2, 1), impolite, 1},
	}
	for _, j := range []float64{0.1, 0.2, 0.3, 0.5} {
		all = append(all,
			policy{fmt.Sprintf("doubling ±%.0f %%", 100*j), growingBy(2, j), polite, 0.02},
			policy{fmt.Sprintf("half as much again ±%.0f %%", 100*j), growingBy(1.5, j), polite, 0.02})
	}
	for _, m := range []float64{0.02, 0.1, 0.5, 1, 2, 3, 4, 4.5} {
		for _, j := range []float64{0, 0.1, 0.25, 0.5} {
			all = append(all, policy{fmt.Sprintf("constant %g s ±%.0f %%", m, 100*j), constant(m, j), impolite, 1})
		}
	}
	return all
}

// HILRIG_BACKOFF_DEVICES asks for so many devices of each policy; the figures
// of docs/design/backoff.md are of 20000.
func devices() int {
	if n, err := strconv.Atoi(os.Getenv("HILRIG_BACKOFF_DEVICES")); err == nil && n > 0 {
		return n
	}
	if testing.Short() {
		return 200
	}
	return 400
}

// before draws what a device has shown before its row is looked at: five first
// gaps and a row, of a polite policy. Nil is a device that is looked at for the
// first time.
type before func(rule *backoff.Rule, p policy, r *rand.Rand) [][]time.Duration

// No polite policy is failed in more than one device of a thousand, no
// impolite one is passed in more than one of a hundred, and warnings of polite
// ones are rare.
func TestTheRuleJudgesThePopulation(t *testing.T) {
	judgePopulation(t, 2026, nil)
}

// It is so, too, behind rows of the same device that grew: by the same policy if
// this one is polite, and if not by any polite one.
func TestTheRuleJudgesThePopulationBehindRowsThatGrew(t *testing.T) {
	var growing []policy
	for _, p := range population() {
		if p.is == polite {
			growing = append(growing, p)
		}
	}
	judgePopulation(t, 2027, func(rule *backoff.Rule, p policy, r *rand.Rand) [][]time.Duration {
		if p.is != polite {
			p = growing[r.IntN(len(growing))]
		}
		device := p.device(r)
		_, row := ask(rule, device, r)
		rows := [][]time.Duration{row}
		for range 5 {
			rows = append(rows, []time.Duration{measured(device(0, 0), r)})
		}
		return rows
	})
}

// The worst pair: what the emulator does, and then a pause of its size with much
// chance in it.
func TestTheRuleIsNotMisledByRowsBefore(t *testing.T) {
	var first, then policy
	for _, p := range population() {
		switch p.name {
		case "the emulator's":
			first = p
		case "constant 2 s ±50 %":
			then = p
		}
	}
	rule, r, n := backoff.Defaults.Rule(), rand.New(rand.NewPCG(7, 2026)), 2*devices()
	passed, saved := 0, 0
	for range n {
		alone, row := ask(rule, first.device(r), r)
		behind := rule.After(row)
		again, second := ask(behind, first.device(r), r)
		if !alone.Passes() || !again.Passes() {
			t.Errorf("the same policy twice: %s, %s", alone.Grade, again.Grade)
		}
		saved += len(row) - len(second)
		if v, _ := ask(behind, then.device(r), r); v.Passes() {
			passed++
		}
	}
	t.Logf("%d of %d devices passed; %d gaps saved", passed, n, saved)
	if passed > n/100 {
		t.Errorf("%d of %d devices are passed", passed, n)
	}
	if saved < n/3 {
		t.Errorf("the second row of %d devices took %d gaps less", n, saved)
	}
}

func judgePopulation(t *testing.T, seed uint64, shown before) {
	alone := backoff.Defaults.Rule()
	n := devices()
	if shown != nil {
		n /= 4 // each is asked for seven rows
	}
	for k, p := range population() {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			n := n
			if p.is == impolite {
				n /= 2
			}
			r := rand.New(rand.NewPCG(uint64(k), seed))
			var passed, warned, failed int
			var gaps []int
			for range n {
				rule := alone
				if shown != nil {
					rule = alone.After(shown(alone, p, r)...)
				}
				v, row := ask(rule, p.device(r), r)
				gaps = append(gaps, len(row))
				switch {
				case v.Passes():
					passed++
				case v.Warns():
					warned++
				default:
					failed++
				}
			}
			slices.Sort(gaps)
			share := func(x int) float64 { return float64(x) / float64(n) }
			t.Logf("%s: pass %.2f %%, warn %.2f %%, fail %.2f %%; gaps: median %d, 95 %% %d", p.is,
				100*share(passed), 100*share(warned), 100*share(failed), gaps[n/2], gaps[n*95/100])
			if p.is != impolite && share(failed) > 0.001 {
				t.Errorf("%d of %d devices are failed, and do no harm", failed, n)
			}
			if (p.is == impolite || p.is == slow) && share(passed) > 0.01 {
				t.Errorf("%d of %d devices are passed", passed, n)
			}
			if share(warned) > p.warned {
				t.Errorf("%d of %d devices are warned of", warned, n)
			}
		})
	}
}

// ask shows the rule a device until it has decided, and returns the row.
func ask(rule *backoff.Rule, gap drawn, r *rand.Rand) (backoff.Verdict, []time.Duration) {
	j := rule.Begin()
	var row []time.Duration
	for before := 0.0; ; {
		before = gap(len(row), before)
		row = append(row, measured(before, r))
		j.See(row[len(row)-1])
		if v, decided := j.Verdict(); decided {
			return v, row
		}
	}
}

// measured is a gap as the hub sees it: the network and a busy host add up to
// twenty milliseconds.
func measured(gap float64, r *rand.Rand) time.Duration {
	return time.Duration((gap + within(r, 0, 0.02)) * float64(time.Second))
}

// Of devices with chance in their gaps few are asked for a second row because the
// first looks as if there were none; of those without chance none is let off.
func TestRowsBeforeSpareASecondOne(t *testing.T) {
	r, n := rand.New(rand.NewPCG(8, 2026)), devices()
	rule := backoff.Defaults.Rule()
	for name, p := range map[string]struct {
		device  func(r *rand.Rand) drawn
		chance  bool
		atLeast float64 // of the second rows that are not asked for
	}{
		"the emulator's": {func(r *rand.Rand) drawn {
			return func(n int, _ float64) float64 {
				return math.Min(24, 1.05*math.Pow(1.5, float64(n))) * within(r, 1, 1.25)
			}
		}, true, 0.7},
		"doubling ±20 %":          {growingBy(2, 0.2), true, 0.9},
		"doubling without chance": {growingBy(2, 0), false, 0},
	} {
		asked, spared := 0, 0
		for range n {
			device := p.device(r)
			var before [][]time.Duration
			for range 3 {
				_, row := ask(rule, device, r)
				before = append(before, row)
			}
			_, row := ask(rule, device, r)
			if len(row) < 4 || !rule.Regular(row) {
				continue
			}
			asked++
			if rule.Unlike(row, before...) {
				spared++
			}
		}
		t.Logf("%s: %d of %d second rows spared", name, spared, asked)
		if p.chance && float64(spared) < p.atLeast*float64(asked) || !p.chance && spared > 0 {
			t.Errorf("%s: %d of %d second rows spared", name, spared, asked)
		}
	}
}

// Chance makes two rows alike now and then, and a stall makes a row without
// chance unlike the others: three of four rows show which it is.
func TestChanceIsNotTakenForNone(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 2026))
	rule := backoff.Defaults.Rule()
	for name, p := range map[string]struct {
		n      int
		chance float64 // the greatest gap by the least of one place
		stall  float64 // share of the rows that a busy host holds up once
		most   float64 // share of the devices that are told wrong
	}{
		"chance, a quiet host":    {40 * devices(), 1.25, 0, 1.0 / 2000},
		"no chance, a quiet host": {4 * devices(), 1, 0, 0},
		"no chance, a busy host":  {4 * devices(), 1, 0.1, 0.1},
	} {
		asked, rows, none, wrong := 0, 0, 0, 0
		for range p.n {
			one := func() []time.Duration {
				_, row := ask(rule, func(n int, _ float64) float64 {
					return math.Min(24, 1.05*math.Pow(1.5, float64(n))) * within(r, 1, p.chance)
				}, r)
				if r.Float64() < p.stall {
					row[r.IntN(len(row))] += time.Duration(within(r, 0.1, 0.6) * float64(time.Second))
				}
				return row
			}
			seen := [][]time.Duration{one()}
			if len(seen[0]) <= rule.Least || !rule.Regular(seen[0]) {
				continue
			}
			asked++
			without, decided := false, false
			for !decided {
				seen = append(seen, one())
				without, decided = rule.NoChance(seen...)
			}
			rows += len(seen)
			if without {
				none++
			}
			if without == (p.chance > 1) {
				wrong++
			}
		}
		t.Logf("%s: of %d devices %d are asked again, %.2f rows each; %d have no chance in their gaps, %d told wrong",
			name, p.n, asked, float64(rows)/float64(asked), none, wrong)
		if asked == 0 || float64(wrong) > p.most*float64(p.n) {
			t.Errorf("%s: %d of %d devices told wrong", name, wrong, p.n)
		}
	}
}
