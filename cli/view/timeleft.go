package view

import (
	"cmp"
	"time"

	"hilrig/record"
	"hilrig/runner"
)

// timeLeft reckons when a run is over. What each spec of each board takes is
// known from the last run that was asked the same, or else from the spec's costs,
// as a dry run tells them; how much longer it takes today, from what has ended.
type timeLeft struct {
	specs map[string]map[string]time.Duration // expected, by entry and spec
	board map[string]string                   // of an entry: its entries run one after another
	left  map[string]time.Duration            // expected, by board
	jobs  int                                 // boards at once

	all, expected, took time.Duration // of all specs; of those that ended
	end                 time.Time     // as it is shown
}

// leastOfASpec is what a spec without costs takes.
const leastOfASpec = 100 * time.Millisecond

// newTimeLeft takes the last run that was asked the same; nil: there is none.
func newTimeLeft(p *runner.Plan, last *record.Record, now time.Time) *timeLeft {
	t := &timeLeft{specs: map[string]map[string]time.Duration{}, board: map[string]string{}, left: map[string]time.Duration{}, jobs: cmp.Or(p.Jobs, len(p.Devices))}
	before := secondsOf(last)
	var costs, took time.Duration // of what the last run tells
	least := map[string]map[string]time.Duration{}
	for _, e := range p.Entries() {
		least[e.Name], t.board[e.Name] = map[string]time.Duration{}, e.Board()
		for _, s := range p.SpecsOf(e.Name) {
			if p.WhyNot(e, s) != "" {
				continue
			}
			least[e.Name][s.ID] = s.Cost.AtLeast(e.Type) + leastOfASpec
			if b := before[e.Name][s.ID]; b > 0 {
				costs, took = costs+least[e.Name][s.ID], took+b
			}
		}
	}
	scale := 1.0
	if costs > 0 {
		scale = took.Seconds() / costs.Seconds()
	}
	for entry, specs := range least {
		t.specs[entry] = map[string]time.Duration{}
		for id, d := range specs {
			d = cmp.Or(before[entry][id], time.Duration(scale*float64(d)))
			t.specs[entry][id] = d
			t.left[t.board[entry]] += d
			t.all += d
		}
	}
	t.reckon(now)
	return t
}

// secondsOf is what specs took where they ended as they should: one that failed
// may have waited for what never came.
func secondsOf(r *record.Record) map[string]map[string]time.Duration {
	all := map[string]map[string]time.Duration{}
	if r == nil {
		return all
	}
	for _, d := range r.Devices {
		all[d.Name] = map[string]time.Duration{}
		for _, s := range d.Specs {
			if s.Verdict == record.Pass || s.Verdict == record.Warn {
				all[d.Name][s.ID] = time.Duration(s.Seconds * float64(time.Second))
			}
		}
	}
	return all
}

// ended counts a spec. What did not run says nothing of how fast this run is.
func (t *timeLeft) ended(entry string, s record.SpecResult, now time.Time) {
	d := t.specs[entry][s.ID]
	delete(t.specs[entry], s.ID)
	t.left[t.board[entry]] -= d
	if d > 0 && s.Seconds > 0 {
		t.expected, t.took = t.expected+d, t.took+time.Duration(s.Seconds*float64(time.Second))
	}
	t.reckon(now)
}

// reckon says when the run is over. The first specs say little of how fast it is:
// a tenth of all is taken to be as expected. An end that moves by little stays
// where it is: a number that jumps is not read.
func (t *timeLeft) reckon(now time.Time) {
	var longest, sum time.Duration
	for _, d := range t.left {
		longest, sum = max(longest, d), sum+d
	}
	pace := 1.0
	if trust := t.all / 10; trust > 0 {
		pace = (trust + t.took).Seconds() / (trust + t.expected).Seconds()
	}
	left := time.Duration(pace * float64(max(longest, sum/time.Duration(max(1, t.jobs)))))
	if end := now.Add(left); end.Sub(t.end).Abs() > max(calm, left/10) {
		t.end = end
	}
}

// calm is what an end may be off by and stay.
const calm = 5 * time.Second

// aboutLeft is a time for people, never less than it is: nobody plans by seconds.
func aboutLeft(d time.Duration) string {
	step := 5 * time.Second
	switch {
	case d > 10*time.Minute:
		step = time.Minute
	case d > time.Minute:
		step = 10 * time.Second
	}
	return "about " + max(step, (d+step-1).Truncate(step)).String() + " left"
}
