package html

import (
	"slices"

	"hilrig/record"
)

// grid is the matrix fault × spec of a selftest: a column for each spec that
// is named for a fault shown, or that one turned.
type grid struct {
	Specs []string
	Rows  []gridRow
}

type gridRow struct {
	Fault string
	Cells []gridCell
}

// gridCell is how a spec ended on faulty firmware; empty: it was not asked, or
// there was nothing to tell.
type gridCell struct {
	Verdict record.Verdict
	Named   bool // the spec is to catch the fault
	Mark    string
	Title   string
}

func gridOf(t *record.Selftest) (g grid) {
	turned := map[string]bool{}
	for _, f := range t.Faults {
		for _, c := range slices.Concat(f.Named, f.Collateral) {
			turned[c.Spec] = true
		}
	}
	column := map[string]int{}
	for spec := range turned {
		g.Specs = append(g.Specs, spec)
	}
	slices.Sort(g.Specs)
	for i, spec := range g.Specs {
		column[spec] = i
	}
	for _, f := range t.Faults {
		row := gridRow{Fault: f.Fault, Cells: make([]gridCell, len(g.Specs))}
		for _, c := range f.Collateral {
			row.Cells[column[c.Spec]] = gridCell{c.Verdict, false, marks[c.Verdict], f.Fault + ", " + c.Spec + ": " + string(c.Verdict) + ", not named for it"}
		}
		for _, c := range f.Named {
			row.Cells[column[c.Spec]] = gridCell{c.Verdict, true, marks[c.Verdict], f.Fault + ", " + c.Spec + ": " + string(c.Verdict)}
		}
		g.Rows = append(g.Rows, row)
	}
	return g
}
