package gate

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"hilrig/record"
)

// Baseline asks that the firmware fails no more often than the one that was
// released last.
type Baseline struct {
	Version      string  `yaml:"version"`
	SHA256       string  `yaml:"sha256"`
	Per          string  `yaml:"per"`
	Significance float64 `yaml:"significance"`
	Worse        string  `yaml:"worse"`
	Missing      string  `yaml:"missing"`
}

// What a baseline compares, and what becomes of it.
const (
	perArea        = "area"
	worseWarns     = "warn"
	missingWarns   = "warn"
	defaultMistake = 0.05 // how often a firmware that is no worse may be called worse
)

// Wanted is the firmware that it names, if any.
func (b *Baseline) Wanted() Wanted { return Wanted{b.Version, b.SHA256} }

// fill sets what the policy does not say.
func (b *Baseline) fill() {
	if b != nil && b.Significance == 0 {
		b.Significance = defaultMistake
	}
}

// explain says it in a sentence.
func (b *Baseline) explain(say func(format string, values ...any)) {
	if b == nil {
		return
	}
	of, becomes := "the firmware that was released last", "fails"
	if w := b.Wanted(); w != (Wanted{}) {
		of = w.String()
	}
	if b.Worse == worseWarns {
		becomes = "is a warning"
	}
	say("What fails more often than with %s, by Fisher's exact test of each %s at %s, %s.", of, cmp.Or(b.Per, "spec"), number(b.Significance), becomes)
}

// Share is how many of some results failed, before they passed too.
type Share struct{ Failed, Of int }

// Released is what is known of the firmware that was released last.
type Released struct {
	Wanted
	Lack   string           // why nothing is; empty: it is
	Shares map[string]Share // by spec, over its boards
}

// baseline demands that nothing fails more often than with the firmware that was
// released last, by Fisher's exact test: one that is no worse is called worse in
// as many cases as the policy says, over all that is compared (Holm).
func (j *judging) baseline() {
	b := j.Policy.Baseline
	if b == nil {
		return
	}
	old := j.Released
	lack := old.Lack
	switch {
	case lack != "":
	case old.Wanted == Wanted{}:
		lack = "nobody says which firmware was released last (baseline.version, baseline.sha256, --baseline or --baseline-key)"
	case old.Same(j.out.Firmware.Wanted):
		lack = old.String() + " is the one that is judged"
	}
	pairs, without := j.compared(b.Per == perArea)
	if lack == "" && len(pairs) == 0 {
		lack = "no result of " + old.String() + " is known of what was tested"
	}
	if lack != "" {
		lack = "there is no baseline: " + lack
		if b.Missing == missingWarns {
			j.out.warn("%s", lack)
			j.out.rule("baseline", lack, nil, nil)
			return
		}
		j.out.rule("baseline", "", nil, []string{lack})
		return
	}
	worse := significant(pairs, b.Significance)
	text := fmt.Sprintf("%d compared with %s, none fails more often", len(pairs), old)
	if b.Worse == worseWarns && len(worse) > 0 {
		for _, w := range worse {
			j.out.warn("%s", w.tell(old))
		}
		text, worse = fmt.Sprintf("%d compared with %s, %d fail more often", len(pairs), old, len(worse)), nil
	}
	if without > 0 {
		text += fmt.Sprintf("; %d have no baseline", without)
	}
	var failures []string
	for _, w := range worse {
		failures = append(failures, w.tell(old))
	}
	j.out.rule("baseline", text, failures, nil)
}

// Same reports whether both are one firmware: by the hash where both have it,
// else by the version.
func (w Wanted) Same(other Wanted) bool {
	if w.SHA256 != "" && other.SHA256 != "" {
		return w.SHA256 == other.SHA256
	}
	return w.Version != "" && w.Version == other.Version
}

// compare is a spec, or an area, with both firmwares.
type compare struct {
	name     string
	now, old Share
	chance   float64 // of so many failures or more, were the firmware no worse
}

func (c compare) tell(old Released) string {
	return fmt.Sprintf("%s fails in %d of %d results, with %s in %d of %d (p = %.2g)", c.name, c.now.Failed, c.now.Of, old, c.old.Failed, c.old.Of, c.chance)
}

// compared are the accepted results of each spec, or area, beside those of the
// baseline; without is how many have none there. A failure that somebody answers
// for is left out.
func (j *judging) compared(byArea bool) (pairs []compare, without int) {
	now, old := map[string]Share{}, map[string]Share{}
	name := func(spec string) string {
		if byArea {
			return "area " + areaOf(spec)
		}
		return spec
	}
	for _, e := range j.entries {
		if e.why != "" || e.board == nil {
			continue
		}
		for i := range e.dev.Specs {
			s := &e.dev.Specs[i]
			at := spot{e.board, e.dev.Hub.Name, s.ID}
			_, known := j.Released.Shares[s.ID]
			switch {
			case !settled(s.Verdict):
			case !known:
				if byArea {
					continue // the area is compared by the specs that both have
				}
				now[s.ID] = Share{Of: now[s.ID].Of + 1}
			default:
				n := now[name(s.ID)]
				n.Of++
				if s.Verdict == record.Fail || s.Flaky {
					if j.waived(at) {
						continue
					}
					n.Failed++
				}
				now[name(s.ID)] = n
			}
		}
	}
	for spec, s := range j.Released.Shares {
		if len(j.bySpec[spec]) == 0 {
			continue // it was not tested now
		}
		o := old[name(spec)]
		old[name(spec)] = Share{o.Failed + s.Failed, o.Of + s.Of}
	}
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if o := old[name]; o.Of > 0 {
			c := compare{name: name, now: now[name], old: o}
			c.chance = fisher(c.now.Failed, c.now.Of, c.old.Failed, c.old.Of)
			pairs = append(pairs, c)
		} else {
			without++
		}
	}
	return pairs, without
}

// significant are those that fail more often, so that the chance to name one
// wrongly is below a level (Holm's procedure). What never failed cannot be named,
// and is not counted among the questions.
func significant(all []compare, level float64) []compare {
	asked := slices.DeleteFunc(slices.Clone(all), func(c compare) bool { return c.now.Failed+c.old.Failed == 0 })
	slices.SortStableFunc(asked, func(a, b compare) int { return cmp.Compare(a.chance, b.chance) })
	for i, c := range asked {
		if c.chance > level/float64(len(asked)-i) {
			return asked[:i]
		}
	}
	return asked
}

// fisher is the chance of failed or more among of results, where as many failed
// over all and it is all one which firmware they had (Fisher's exact test, one
// sided).
func fisher(failed, of, oldFailed, oldOf int) float64 {
	all, red := of+oldOf, failed+oldFailed
	sum := 0.0
	for k := failed; k <= min(of, red); k++ {
		if red-k <= oldOf {
			sum += math.Exp(choose(red, k) + choose(all-red, of-k) - choose(all, of))
		}
	}
	return min(1, sum)
}

// choose is the logarithm of how many ways there are to take k of n.
func choose(n, k int) float64 {
	gamma := func(v int) float64 { l, _ := math.Lgamma(float64(v) + 1); return l }
	return gamma(n) - gamma(k) - gamma(n-k)
}
