package requirements

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"hilrig/record"
	"hilrig/record/wording"
)

// Table says of a record which requirements of a list it has shown.
type Table struct {
	List    *List
	Lines   []Line
	Without []string // specs that the run asked and that belong to no requirement
}

// Line is a requirement and what became of it.
type Line struct {
	Requirement
	Verdict record.Verdict // empty: no spec shows it
	Unasked []string       // its specs that the run has asked nowhere
	Why     []string       // what is red or lacks
}

// Word is the verdict as a person reads it.
func (l Line) Word() string {
	switch {
	case l.Verdict == "":
		return "not covered"
	case l.Verdict == record.NotRun && len(l.Unasked) == len(l.Specs):
		return "not asked"
	}
	return string(l.Verdict)
}

// mostWhy is how many reasons a requirement gives.
const mostWhy = 5

// Reasons are the first reasons of a requirement, and how many more there are.
func (l Line) Reasons() []string {
	if len(l.Why) <= mostWhy {
		return l.Why
	}
	return append(l.Why[:mostWhy:mostWhy], fmt.Sprintf("and %d more", len(l.Why)-mostWhy))
}

// told are the reasons of a requirement, behind what its specs leave open.
func (l Line) told() []string {
	if l.Verdict == "" || l.Because == "" {
		return l.Reasons()
	}
	return append([]string{l.Because}, l.Reasons()...)
}

// Judge says what r has shown of a list; nil without one, and of a selftest,
// whose devices are faulty on purpose.
func (l *List) Judge(r *record.Record) *Table {
	if l == nil || r.Selftest != nil {
		return nil
	}
	t := &Table{List: l}
	found := make([]map[string]*record.SpecResult, len(r.Devices))
	for i := range r.Devices {
		found[i] = map[string]*record.SpecResult{}
		for n := range r.Devices[i].Specs {
			s := &r.Devices[i].Specs[n]
			found[i][s.ID] = s
			if len(l.of[s.ID]) == 0 && !slices.Contains(t.Without, s.ID) {
				t.Without = append(t.Without, s.ID)
			}
		}
	}
	for _, req := range l.All {
		t.Lines = append(t.Lines, line(req, r, found))
	}
	return t
}

// line is what became of a requirement on all devices.
func line(req Requirement, r *record.Record, found []map[string]*record.SpecResult) Line {
	l := Line{Requirement: req}
	if len(req.Specs) == 0 {
		l.Why = []string{cmp.Or(req.Because, "no spec shows it")}
		return l
	}
	var all []record.Verdict
	for _, id := range req.Specs {
		var without []string
		for i := range r.Devices {
			d, s := &r.Devices[i], found[i][id]
			if s == nil {
				without = append(without, d.Name)
				continue
			}
			all = append(all, s.Verdict)
			if s.Verdict != record.Pass {
				text := wording.Clip(wording.OneLine(cmp.Or(s.Message, s.Cause, strings.Join(s.Warnings, "; "), "no reason given")), 300)
				l.Why = append(l.Why, record.Plain(fmt.Sprintf("%s on %s: %s, %s", id, d.Name, s.Verdict, text)))
			}
		}
		switch n := len(without); {
		case n == len(r.Devices):
			l.Unasked = append(l.Unasked, id)
		case n > 0:
			all = append(all, record.NotRun)
			l.Why = append(l.Why, record.Plain(fmt.Sprintf("%s was not asked on %s", id, wording.OneLine(strings.Join(without, ", ")))))
		}
	}
	if len(l.Unasked) > 0 {
		all = append(all, record.NotRun)
		l.Why = append(l.Why, "the run has not asked "+strings.Join(l.Unasked, ", "))
	}
	if l.Verdict = record.Worst(all...); l.Verdict.Green() {
		if cut := wording.Cut(r.Run); cut != "" {
			l.Verdict = record.NotRun
			l.Why = append(l.Why, "the run "+record.Plain(cut))
		}
	}
	return l
}

// Sentence sums a table up.
func (t *Table) Sentence() string {
	n := map[string]int{}
	for _, l := range t.Lines {
		n[l.Word()]++
	}
	var parts []string
	for _, w := range []struct{ word, said string }{
		{"pass", "passed"}, {"warn", "passed with a warning"}, {"fail", "failed"}, {"error", "without a verdict by the rig's or the harness's failure"},
		{"not-run", "not shown whole"}, {"not asked", "not asked"}, {"not-applicable", "not applicable"}, {"not covered", "not covered by any spec"},
	} {
		if n[w.word] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[w.word], w.said))
		}
	}
	return fmt.Sprintf("Of %s of %s: %s.", wording.Plural(len(t.Lines), "requirement"), t.List.Name, strings.Join(parts, ", "))
}

// Beside says how many specs show no requirement.
func (t *Table) Beside() string {
	belong := " of the run belong to no requirement"
	if len(t.Without) == 1 {
		belong = " of the run belongs to no requirement"
	}
	return wording.Plural(len(t.Without), "spec") + belong
}

// order is what a merge request shows first.
var order = []string{"fail", "error", "not-run", "not asked", "not covered", "warn", "not-applicable", "pass"}

// mostBytes is how long the table in Markdown gets: a job's summary takes 1 MiB,
// and the results of the run are in it too.
const mostBytes = 400 << 10

// Markdown writes the table, what is red or lacks first.
func (t *Table) Markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\n## Requirements\n\n%s\n\n| requirement | verdict | specs | |\n|---|---|---|---|\n", wording.Cell(t.Sentence()))
	lines := slices.Clone(t.Lines)
	slices.SortStableFunc(lines, func(a, b Line) int { return slices.Index(order, a.Word()) - slices.Index(order, b.Word()) })
	for i, l := range lines {
		if b.Len() > mostBytes {
			fmt.Fprintf(&b, "\nand %d more requirements; report.html has them\n", len(lines)-i)
			break
		}
		fmt.Fprintf(&b, "| %s %s | %s | %s | %s |\n", wording.Cell(wording.Clip(l.ID, 200)), wording.Cell(wording.Clip(l.Text, 200)), l.Word(),
			wording.Cell(wording.Clip(strings.Join(l.Specs, ", "), 300)), wording.Cell(wording.Clip(strings.Join(l.told(), "; "), 600)))
	}
	if len(t.Without) > 0 {
		fmt.Fprintf(&b, "\n%s: %s.\n", t.Beside(), wording.Cell(wording.Clip(strings.Join(t.Without, ", "), 2000)))
	}
	_, err := io.WriteString(w, b.String())
	if err != nil {
		return fmt.Errorf("write requirements: %w", err)
	}
	return nil
}
