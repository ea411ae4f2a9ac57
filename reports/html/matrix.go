package html

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"hilrig/record"
	"hilrig/record/wording"
)

// beside is how many boards have room beside the text of a spec. With more the
// matrix is that of a shelf: narrow columns, names upright, the text in a
// tooltip.
const beside = 6

// area is a part of the matrix spec × device.
type area struct {
	Name string
	Rows []row
}

type row struct {
	ID, Text string
	Cells    []cell
	Sum      sum
	Tail     []record.Mark // of earlier runs
}

// column is a board.
type column struct {
	record.DeviceRecord
	Sum sum
}

type cell struct {
	Verdict record.Verdict
	Mark    string
	Title   string
	Anchor  string
	Flaky   bool
}

// sum is how many results of a row or a column are not green, and what they
// are. A spec that does not apply is not held against anybody.
type sum struct {
	N       int
	Verdict record.Verdict // the worst of them
	Parts   []count
}

func sumOf(n map[record.Verdict]int) (s sum) {
	for _, v := range reds {
		if n[v] > 0 {
			s.N += n[v]
			s.Verdict = cmp.Or(s.Verdict, v)
			s.Parts = append(s.Parts, count{Verdict: v, N: n[v]})
		}
	}
	return s
}

// Says is the sum in words.
func (s sum) Says() string {
	var parts []string
	for _, c := range s.Parts {
		parts = append(parts, fmt.Sprint(c.N, " ", c.Verdict))
	}
	return strings.Join(parts, ", ")
}

// reds are the verdicts that are not green, the worst first.
var reds = []record.Verdict{record.Fail, record.Error, record.NotRun, record.Warn}

// worstFirst are the devices, those that need a look before those that do not,
// else in the record's order.
func worstFirst(devices []record.DeviceRecord) []record.DeviceRecord {
	rank := func(d record.DeviceRecord) int {
		if i := slices.Index(reds, d.Verdict); i >= 0 {
			return i
		}
		return len(reds)
	}
	sorted := slices.Clone(devices)
	slices.SortStableFunc(sorted, func(a, b record.DeviceRecord) int { return rank(a) - rank(b) })
	return sorted
}

// marks are the verdicts' signs, so that colour is never all there is.
var marks = map[record.Verdict]string{
	record.Pass: "✓", record.Warn: "!", record.Fail: "✗", record.Error: "⚡", record.NotRun: "–", record.NotApplicable: "·",
}

func anchor(device, spec string) string {
	return strings.ReplaceAll(strings.ReplaceAll("f-"+device+"-"+spec, "/", "-"), " ", "-")
}

// matrix has a row for each spec that any device has, in the record's order, what
// is of one area together, and what is not green of each row and of each board.
// Cells that are told of below lead there.
func matrix(r *record.Record, told map[string]string) (areas []area, columns []column) {
	index := map[string][2]int{}
	for di, d := range r.Devices {
		n := map[record.Verdict]int{}
		for _, s := range d.Specs {
			n[s.Verdict]++
			at, known := index[s.ID]
			if !known {
				name, _, _ := strings.Cut(s.ID, "/")
				i := slices.IndexFunc(areas, func(a area) bool { return a.Name == name })
				if i < 0 {
					i = len(areas)
					areas = append(areas, area{Name: name})
				}
				a := &areas[i]
				a.Rows = append(a.Rows, row{ID: s.ID, Text: s.Text, Cells: make([]cell, len(r.Devices))})
				at = [2]int{i, len(a.Rows) - 1}
				index[s.ID] = at
			}
			areas[at[0]].Rows[at[1]].Cells[di] = cellOf(d.Name, s, told)
		}
		columns = append(columns, column{d, sumOf(n)})
	}
	for _, a := range areas {
		for i := range a.Rows {
			n := map[record.Verdict]int{}
			for _, c := range a.Rows[i].Cells {
				n[c.Verdict]++
			}
			a.Rows[i].Sum = sumOf(n)
		}
	}
	return areas, columns
}

func cellOf(device string, s record.SpecResult, told map[string]string) cell {
	c := cell{Verdict: s.Verdict, Mark: marks[s.Verdict], Flaky: s.Flaky, Title: string(s.Verdict)}
	for _, t := range []string{s.Message, s.Cause, strings.Join(s.Warnings, "; ")} {
		if t != "" {
			c.Title = wording.Clip(c.Title+": "+t, 120)
			break
		}
	}
	switch a := anchor(device, s.ID); {
	case told[a] != "":
		c.Anchor = told[a]
	case s.Verdict == record.Fail || s.Verdict == record.Error || s.Verdict == record.Warn:
		c.Anchor, c.Title = "more", string(s.Verdict)
	case s.Verdict == record.NotRun:
		c.Anchor = "not-run"
	case s.Verdict == record.NotApplicable:
		c.Anchor = "not-applicable"
	}
	return c
}
