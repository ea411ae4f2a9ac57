package html

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"hilrig/record"
)

var began = time.Date(2026, 1, 1, 20, 0, 0, 0, time.UTC)

// past is a history of some firmwares, the newest first, of two specs: one that
// is red with the newest red ones, and one that is green.
func past(firmwares, red int) *Past {
	p := &Past{Host: "lab", Made: began.AddDate(1, 0, 0), Specs: []PastSpec{{Type: "ads300", ID: "tls/expired"}, {Type: "ads300", ID: "tls/version"}}}
	for i := range firmwares {
		at := began.AddDate(0, 0, firmwares-i)
		report := Ref("")
		if i%2 == 0 {
			report = Ref(fmt.Sprintf("out/run%%20%d/report.html", i))
		}
		p.Firmwares = append(p.Firmwares, PastFirmware{fmt.Sprint("2.", firmwares-i), at, at, report})
		p.Runs = append(p.Runs, PastRun{ID: fmt.Sprint("run-", i), Rig: "bench", Started: at, Verdict: record.Pass, Found: "90 pass", Report: report})
		c := PastCell{Verdict: record.Pass}
		if i < red {
			c = PastCell{Verdict: record.Fail, Failing: 1, Says: "1 fail </script>"}
		}
		p.Specs[0].Cells = append(p.Specs[0].Cells, c)
		p.Specs[1].Cells = append(p.Specs[1].Cells, PastCell{Verdict: record.Pass})
	}
	high := 2.0
	p.Trends = []Trend{{Spec: "tls/version", Name: "handshake", Unit: "s", Type: "ads300", High: &high, Points: []TrendPoint{
		{At: began, Low: 0.1, Middle: 0.2, High: 0.3}, {At: began.AddDate(0, 0, 1), Low: 0.1, Middle: 0.2, High: 2.5, Outside: 1, Report: "out/r/report.html"},
	}}}
	p.Boards = []PastBoard{{Serial: "A1", Type: "ads300", Slot: "slot-1", Rig: "bench", Runs: 3, Last: began, Tail: []record.Verdict{record.Pass, record.Fail}, Alone: []string{"tls/expired with 2.4"}}}
	return p
}

func historyOf(t *testing.T, p *Past) string {
	t.Helper()
	var b strings.Builder
	if err := WriteHistory(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTheHistorySaysWhatIsRedAndSinceWhen(t *testing.T) {
	for _, c := range []struct {
		firmwares, red int
		want           string
	}{
		{3, 0, "no spec is red where it was asked last"},
		{3, 1, "since 2.3 (2026-01-04), green with 2.2"},
		{3, 2, "since 2.2 (2026-01-03), green with 2.1"},
		{3, 3, "since 2.1 (2026-01-02), as long as it was asked"},
		{200, 30, "since 2.171 (2026-06-21), green with 2.170"},
	} {
		if page := historyOf(t, past(c.firmwares, c.red)); !strings.Contains(page, c.want) {
			t.Errorf("%d of %d: it does not say %q", c.red, c.firmwares, c.want)
		}
	}
	if page := historyOf(t, &Past{}); !strings.Contains(page, "There are no runs yet.") {
		t.Error("of nothing it does not say so")
	}
}

// A firmware that was not asked of a spec says nothing of it.
func TestWhatWasNotAskedLastIsJudgedWhereItWas(t *testing.T) {
	p := past(3, 2)
	p.Specs[0].Cells[0] = PastCell{}
	page := historyOf(t, p)
	if !strings.Contains(page, `with 2.2, since 2.2`) {
		t.Error("the last firmware that was asked is not named")
	}
}

func TestTheHistoryIsOneFileWithoutANetwork(t *testing.T) {
	page := historyOf(t, past(60, 10))
	for _, m := range regexp.MustCompile(`(?:href|src)="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if to := m[1]; !strings.HasPrefix(to, "#") && !strings.HasPrefix(to, "out/") && to != "data:," {
			t.Errorf("it leads to %q", to)
		}
	}
	if strings.Contains(page, "http:") || strings.Contains(page, "https:") {
		t.Error("it names a network")
	}
	if n := strings.Count(page, "</script>"); n != 2 {
		t.Errorf("%d ends of scripts: words of a run are not escaped", n)
	}
	if strings.Contains(page, "ZgotmplZ") {
		t.Error("the template refused a value")
	}
	if !strings.Contains(page, `>run-0</a>`) || strings.Contains(page, `>run-1</a>`) {
		t.Error("a run whose folder is gone is a link, or one that is there is none")
	}
}

// Twenty boards, ninety specs, another firmware each night for a year.
func TestTheHistoryOfAYearIsSmall(t *testing.T) {
	p := past(365, 0)
	for s := range 88 {
		spec := PastSpec{Type: "ads300", ID: fmt.Sprint("area/spec-", s)}
		for i := range 365 {
			c := PastCell{Verdict: record.Pass}
			if (i*7+s)%5 == 0 {
				c = PastCell{Verdict: record.Fail, Says: "2 fail, 18 pass (2 of 20 boards fail)"}
			}
			spec.Cells = append(spec.Cells, c)
		}
		p.Specs = append(p.Specs, spec)
	}
	trend := p.Trends[0]
	for i := range 363 {
		trend.Points = append(trend.Points, TrendPoint{At: began.AddDate(0, 0, i+2), Low: 1.01, Middle: 1.21, High: 1.41})
	}
	for range 90 {
		p.Trends = append(p.Trends, trend)
	}
	if n := len(historyOf(t, p)); n > 5<<20 {
		t.Errorf("%d bytes", n)
	}
}

// A trend names the boards that stand apart from their siblings, and no board
// that once did or that scatters as they do.
func TestATrendNamesTheBoardsThatStandApart(t *testing.T) {
	high := 3.0
	for name, c := range map[string]struct {
		boards, nights int
		value          func(board, night int) float64
		want           string // the boards with a line
		says           string
	}{
		"alike":       {20, 30, func(b, n int) float64 { return 1 + 0.01*float64((b*7+n*3)%5) }, "", ""},
		"one is slow": {20, 30, func(b, n int) float64 { return 1 + 0.01*float64((b*7+n*3)%5) + map[bool]float64{true: 0.5}[b == 4] }, "B04", "far above its siblings in 10 of its last 10 runs"},
		"one was slow": {20, 30, func(b, n int) float64 {
			return 1 + 0.01*float64((b*7+n*3)%5) + map[bool]float64{true: 0.5}[b == 4 && n < 20]
		}, "", ""},
		"slow once": {20, 30, func(b, n int) float64 {
			return 1 + 0.01*float64((b*7+n*3)%5) + map[bool]float64{true: 0.5}[b == 4 && n == 29]
		}, "", ""},
		"one is fast": {20, 30, func(b, n int) float64 { return 1 + 0.01*float64((b*7+n*3)%5) - map[bool]float64{true: 0.5}[b == 7] }, "B07", "far below its siblings"},
		"beyond the limit": {20, 30, func(b, n int) float64 {
			return 1 + 0.01*float64((b*7+n*3)%5) + map[bool]float64{true: 2.5}[b == 9 && n == 29]
		}, "B09", "beyond the limit"},
		"too few runs":           {20, 2, func(b, _ int) float64 { return 1 + map[bool]float64{true: 0.5}[b == 4] }, "", ""},
		"two boards":             {2, 30, func(b, _ int) float64 { return 1 + float64(b) }, "B00 B01", "2 s"},
		"one board":              {1, 30, func(_, n int) float64 { return 1 + float64(n)/100 }, "", ""},
		"all are the same":       {20, 30, func(int, int) float64 { return 0 }, "", ""},
		"more than a plot holds": {30, 30, func(b, n int) float64 { return 1 + 0.01*float64((b*7+n*3)%5) + map[bool]float64{true: 0.5}[b < 5] }, "B00 B01 B02", "and 2 boards more"},
	} {
		trend := Trend{Spec: "tls/version", Name: "handshake", Unit: "s", Type: "ads300", High: &high}
		for n := range c.nights {
			var each []TrendValue
			for b := range c.boards {
				each = append(each, TrendValue{fmt.Sprintf("B%02d", b), c.value(b, n)})
			}
			slices.SortFunc(each, func(a, b TrendValue) int { return cmp.Compare(a.Value, b.Value) })
			trend.Points = append(trend.Points, TrendPoint{At: began.AddDate(0, 0, n), Low: each[0].Value, Middle: each[len(each)/2].Value, High: each[len(each)-1].Value, Each: func() []TrendValue { return each }})
		}
		var got []string
		drawn := trend.draw()
		for _, a := range drawn.Apart {
			got = append(got, a.Board)
			if strings.Count(a.Line, "L") != c.nights-1 {
				t.Errorf("%s: %s has the line %s", name, a.Board, a.Line)
			}
		}
		p := past(3, 0)
		p.Trends = []Trend{trend}
		if page := historyOf(t, p); strings.Join(got, " ") != c.want || !strings.Contains(page, c.says) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
