package history

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hilrig/cli/past"
	"hilrig/cli/terminal"
	"hilrig/cli/verb"
	"hilrig/record"
	"hilrig/reports/history"
	"hilrig/reports/html"
)

func (a verbs) page() *cobra.Command {
	out := filepath.Join("reports", "history.html")
	cmd := &cobra.Command{
		Use:   "page",
		Short: "Write history.html: what all runs have found, in one file",
		Long: `Write history.html: every spec with every firmware, since when a spec is red,
measurements over time, boards that fail what their siblings pass, and the runs.
It is one file that needs no network. Its links lead to the reports of runs
relative to where it lies; a run whose folder is gone has none.`,
		Example: "  hilrig history page\n  hilrig history page --out /srv/www/history.html",
		Args:    verb.Exactly(),
	}
	cmd.Flags().StringVar(&out, "out", out, "file to write")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		past, err := askState(cmd.Context(), func(ctx context.Context, h *history.History) (*html.Past, error) {
			return pastOf(ctx, h, filepath.Dir(out))
		})
		if err != nil {
			return err
		}
		var page strings.Builder
		if err := html.WriteHistory(&page, past); err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
			return record.NewFailure(record.RigHost, "make folder of", out, err)
		}
		if err := record.WriteFile(out, []byte(page.String()), 0o644); err != nil {
			return err
		}
		fmt.Fprintln(a.Out, terminal.Path(out))
		return nil
	}
	return cmd
}

// pageRuns is how many runs the page lists.
const pageRuns = 1000

// tailRuns is how many of its last runs a board shows.
const tailRuns = 30

// pastOf is what the history says, for a page in a folder.
func pastOf(ctx context.Context, h *history.History, folder string) (*html.Past, error) {
	p := &html.Past{Made: time.Now()}
	p.Host, _ = os.Hostname() // it is an annotation of the page
	refs := past.Reports(folder)
	since, err := pastRuns(ctx, h, p, refs)
	if err != nil {
		return nil, err
	}
	if err := pastMatrix(ctx, h, p, refs); err != nil {
		return nil, err
	}
	if err := pastTrends(ctx, h, p, refs, since); err != nil {
		return nil, err
	}
	if err := pastBoards(ctx, h, p, refs); err != nil {
		return nil, err
	}
	flaky, err := h.Flaky(ctx)
	for _, f := range flaky {
		p.Flaky = append(p.Flaky, html.PastFlaky{Spec: f.Spec, Says: strings.TrimPrefix(flakes(f.Changes, f.Rate), ", ")})
	}
	return p, err
}

func pastRuns(ctx context.Context, h *history.History, p *html.Past, refs func(string) html.Ref) (since time.Time, err error) {
	all, err := h.Runs(ctx, 0)
	if err != nil {
		return since, err
	}
	all = slices.DeleteFunc(all, func(r history.Run) bool { return r.Selftest })
	p.Older = max(0, len(all)-pageRuns)
	for _, r := range all[:len(all)-p.Older] {
		p.Runs = append(p.Runs, html.PastRun{
			ID: r.ID, Rig: r.Rig, Firmware: ranFirmware(r), Started: r.Started, Verdict: r.Verdict, Found: told(r.Counts), Note: strings.Join(runNotes(r), ", "), Report: refs(r.Dir),
		})
		since = r.Started
	}
	return since, nil
}

func pastMatrix(ctx context.Context, h *history.History, p *html.Past, refs func(string) html.Ref) error {
	tests, err := h.Tests(ctx)
	if err != nil {
		return err
	}
	column := map[int64]int{}
	for i, t := range tests {
		column[t.Number] = i
		p.Firmwares = append(p.Firmwares, html.PastFirmware{Name: firmwareName(t.Version, t.SHA256), First: t.First, Last: t.Last, Report: refs(t.Dir)})
	}
	cells, err := h.Cells(ctx)
	for _, c := range cells {
		if n := len(p.Specs); n == 0 || p.Specs[n-1].ID != c.Spec || p.Specs[n-1].Type != c.Type {
			p.Specs = append(p.Specs, html.PastSpec{Type: c.Type, ID: c.Spec, Cells: make([]html.PastCell, len(tests))})
		}
		if i, known := column[c.Firmware]; known {
			p.Specs[len(p.Specs)-1].Cells[i] = pastCell(c)
		}
	}
	return err
}

// pastCell is how a spec ended with a firmware: red where a board failed it last,
// a warning where one did and passed it since. An error of the rig hides no
// verdict on the device.
func pastCell(c history.Cell) html.PastCell {
	cell := html.PastCell{Failing: c.Failing}
	switch {
	case c.Failing > 0:
		cell.Verdict = record.Fail
	case c.Warned > 0, c.Failed > 0:
		cell.Verdict = record.Warn
	case c.Passed > 0:
		cell.Verdict = record.Pass
	case c.Errors > 0:
		cell.Verdict = record.Error
	default:
		cell.Verdict = record.NotRun
	}
	if cell.Verdict == record.Pass && c.Errors == 0 {
		return cell
	}
	cell.Says = told(c.Counts)
	if c.Failing > 0 {
		cell.Says += fmt.Sprintf(" (%d of %d boards failed it last)", c.Failing, c.Boards)
	} else if c.Failed > 0 {
		cell.Says += " (passed since)"
	}
	return cell
}

func pastTrends(ctx context.Context, h *history.History, p *html.Past, refs func(string) html.Ref, since time.Time) error {
	all, err := h.Measures(ctx, since)
	for _, m := range all {
		t := html.Trend{Spec: m.Spec, Name: m.Name, Unit: m.Unit, Type: m.Type}
		for _, r := range m.Runs {
			t.Low, t.High = r.Least, r.Most
			t.Points = append(t.Points, html.TrendPoint{At: r.Started, Low: r.Low, Middle: r.Middle, High: r.High, Outside: r.Outside, Report: refs(r.Dir), Each: eachOf(r)})
		}
		p.Trends = append(p.Trends, t)
	}
	return err
}

// eachOf reads the values of a run's boards where somebody wants them.
func eachOf(m history.Measure) func() []html.TrendValue {
	return func() (all []html.TrendValue) {
		for _, v := range m.Each() {
			all = append(all, html.TrendValue(v))
		}
		return all
	}
}

func pastBoards(ctx context.Context, h *history.History, p *html.Past, refs func(string) html.Ref) error {
	alone, err := h.Suspects(ctx, "")
	if err != nil {
		return err
	}
	of := map[string][]string{}
	for _, s := range alone {
		of[s.Serial] = append(of[s.Serial], aloneWords(s))
	}
	places, err := h.Places(ctx, tailRuns)
	if err != nil {
		return err
	}
	for _, b := range places {
		n := len(p.Boards)
		if n == 0 || p.Boards[n-1].Serial != b.Serial || p.Boards[n-1].Type != b.Type {
			p.Boards = append(p.Boards, html.PastBoard{
				Serial: b.Serial, Type: b.Type, Slot: b.Slot, Rig: b.Rig, Emulated: b.Emulated, Runs: b.Runs, Last: b.Started, Report: refs(b.Dir), Alone: of[b.Serial],
			})
			n++
		}
		p.Boards[n-1].Tail = append([]record.Verdict{b.Verdict}, p.Boards[n-1].Tail...)
	}
	slices.SortStableFunc(p.Boards, func(a, b html.PastBoard) int { return cmp.Compare(len(b.Alone), len(a.Alone)) })
	rigs, err := h.SuspectRigs(ctx)
	for _, r := range rigs {
		p.Rigs = append(p.Rigs, rigWords(r))
	}
	return err
}

// runNotes are what is to be known of a run beside what it found.
func runNotes(r history.Run) (notes []string) {
	for _, n := range []struct {
		so   bool
		note string
	}{{r.Ended.IsZero(), "no end"}, {!record.There(filepath.Join(r.Dir, record.RecordFile)), "folder gone"}, {r.ClockBack, "clock set back"}} {
		if n.so {
			notes = append(notes, n.note)
		}
	}
	return notes
}
