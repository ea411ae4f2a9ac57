package view

import (
	"testing"
	"time"

	"hilrig/fixtures"
	"hilrig/fixtures/rigfile"
	"hilrig/record"
	"hilrig/runner"
)

// shelfOf is a plan of boards with two specs each that wait, by their costs, for
// 30 s and 60 s.
func shelfOf(jobs int, names ...string) *runner.Plan {
	p := &runner.Plan{Hubs: []rigfile.Hub{rigfile.DefaultHub()}, Own: map[string][]fixtures.Spec{}, Jobs: jobs, Rig: "shelf"}
	for _, name := range names {
		p.Devices = append(p.Devices, rigfile.Device{Name: name})
		p.Own[name] = []fixtures.Spec{
			{ID: "tls/1", Cost: fixtures.Cost{Fixed: 30*time.Second - leastOfASpec}},
			{ID: "tls/2", Cost: fixtures.Cost{Fixed: 60*time.Second - leastOfASpec}},
		}
	}
	return p
}

func lasted(id string, v record.Verdict, seconds float64) record.SpecResult {
	return record.SpecResult{ID: id, Verdict: v, Seconds: seconds}
}

func TestTheTimeLeftIsOfTheCostsAndOfTheLastRun(t *testing.T) {
	began := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	last := func(specs ...record.SpecResult) *record.Record {
		return &record.Record{Devices: []record.DeviceRecord{{Name: "a", Specs: specs}}}
	}
	for name, c := range map[string]struct {
		plan *runner.Plan
		last *record.Record
		want time.Duration
	}{
		"one board, by its costs":             {shelfOf(1, "a"), nil, 90 * time.Second},
		"two at once":                         {shelfOf(2, "a", "b"), nil, 90 * time.Second},
		"two, one after another":              {shelfOf(1, "a", "b"), nil, 180 * time.Second},
		"as in the last run":                  {shelfOf(1, "a"), last(lasted("tls/1", record.Pass, 10), lasted("tls/2", record.Warn, 20)), 30 * time.Second},
		"a spec that failed then waited long": {shelfOf(1, "a"), last(lasted("tls/1", record.Pass, 15), lasted("tls/2", record.Fail, 500)), 45 * time.Second},
		"a board that was not there is alike": {shelfOf(1, "a", "b"), last(lasted("tls/1", record.Pass, 10), lasted("tls/2", record.Pass, 20)), 60 * time.Second},
	} {
		if got := newTimeLeft(c.plan, c.last, began).end.Sub(began).Round(time.Second); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestTheTimeLeftFollowsThePaceAndDoesNotJump(t *testing.T) {
	began := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		result record.SpecResult
		after  time.Duration
		want   time.Duration // left, then
	}{
		"as expected":              {lasted("tls/1", record.Pass, 30), 30 * time.Second, 60 * time.Second},
		"a little slower":          {lasted("tls/1", record.Pass, 31), 31 * time.Second, 59 * time.Second}, // the end stays
		"three times as slow":      {lasted("tls/1", record.Fail, 90), 90 * time.Second, 152 * time.Second},
		"not run says of no pace":  {lasted("tls/1", record.NotRun, 0), time.Second, 60 * time.Second},
		"a spec that nobody knows": {lasted("tls/9", record.Pass, 1), time.Second, 89 * time.Second},
	} {
		left := newTimeLeft(shelfOf(1, "a"), nil, began)
		left.ended("a", c.result, began.Add(c.after))
		if got := left.end.Sub(began.Add(c.after)).Round(time.Second); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestTheTimeLeftIsForPeople(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second:       "about 5s left",
		0:                  "about 5s left",
		11 * time.Second:   "about 15s left",
		61 * time.Second:   "about 1m10s left",
		3599 * time.Second: "about 1h0m0s left",
	} {
		if got := aboutLeft(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}
