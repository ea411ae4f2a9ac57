package interchange

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"hilrig/record"
	"hilrig/record/requirements"
	"hilrig/record/wording"
)

// mostRows and mostBytes are how long a table in Markdown gets: a job's summary
// takes 1 MiB, and the requirements have their half of it.
const mostRows, mostBytes = 500, 400 << 10

// Markdown writes r for a job's summary or a merge request, what is red first.
// T may be nil.
func Markdown(w io.Writer, r *record.Record, t *requirements.Table) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n\n", r.Run.Verdict, wording.Cell(wording.Sentence(r)))
	n := r.Count()
	var counts []string
	for _, v := range record.WorstFirst() {
		if n[v] > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n[v], v))
		}
	}
	fmt.Fprintf(&b, "%s\n", strings.Join(counts, ", "))
	var told []result
	for _, c := range results(r) {
		if c.red() || c.verdict == record.Warn || c.flaky() {
			told = append(told, c)
		}
	}
	groups := together(told)
	order := record.WorstFirst()
	slices.SortStableFunc(groups, func(a, b []result) int {
		return cmp.Compare(slices.Index(order, a[0].verdict), slices.Index(order, b[0].verdict))
	})
	if len(groups) > 0 {
		b.WriteString("\n| spec | verdict | on | |\n|---|---|---|---|\n")
	}
	for i, group := range groups {
		if i == mostRows || b.Len() > mostBytes {
			fmt.Fprintf(&b, "\nand %d more; report.html has them\n", len(groups)-i)
			break
		}
		c := group[0]
		text := c.message
		if c.flaky() {
			text = "passed after a failed attempt"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", wording.Cell(c.title()), c.verdict, wording.Cell(wording.Clip(wording.Some(on(group), 5), 300)), wording.Cell(wording.Clip(text, 300)))
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write Markdown: %w", err)
	}
	if t != nil {
		if err := t.Markdown(w); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "\nRun %s on rig %s, begun %s, hilrig %s.\n", wording.Cell(r.Run.ID), wording.Cell(r.Run.Rig), r.Run.Started.UTC().Format(time.RFC3339), wording.Cell(r.Run.Version))
	return err
}
