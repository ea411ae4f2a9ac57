package html

import (
	"strings"

	"hilrig/record"
	"hilrig/record/wording"
)

// area is a part of the matrix spec × device.
type area struct {
	Name string
	Rows []row
}

type row struct {
	ID, Text string
	Cells    []cell
}

type cell struct {
	Verdict record.Verdict
	Mark    string
	Title   string
	Anchor  string
	Flaky   bool
}

// marks are the verdicts' signs, so that colour is never all there is.
var marks = map[record.Verdict]string{
	record.Pass: "✓", record.Warn: "!", record.Fail: "✗", record.Error: "⚡", record.NotRun: "–", record.NotApplicable: "·",
}

func anchor(device, spec string) string {
	return strings.NewReplacer("/", "-", " ", "-").Replace("f-" + device + "-" + spec)
}

// matrix has a row for each spec that any device has, in the record's order.
// Cells that are told of below lead there.
func matrix(r *record.Record, told map[string]bool) []area {
	var areas []area
	index := map[string][2]int{}
	for di := range r.Devices {
		for _, s := range r.Devices[di].Specs {
			at, known := index[s.ID]
			if !known {
				name, _, _ := strings.Cut(s.ID, "/")
				if len(areas) == 0 || areas[len(areas)-1].Name != name {
					areas = append(areas, area{Name: name})
				}
				a := &areas[len(areas)-1]
				a.Rows = append(a.Rows, row{ID: s.ID, Text: s.Text, Cells: make([]cell, len(r.Devices))})
				at = [2]int{len(areas) - 1, len(a.Rows) - 1}
				index[s.ID] = at
			}
			areas[at[0]].Rows[at[1]].Cells[di] = cellOf(r.Devices[di].Name, s, told)
		}
	}
	return areas
}

func cellOf(device string, s record.SpecResult, told map[string]bool) cell {
	c := cell{Verdict: s.Verdict, Mark: marks[s.Verdict], Flaky: s.Flaky, Title: string(s.Verdict)}
	for _, t := range []string{s.Message, s.Cause, strings.Join(s.Warnings, "; ")} {
		if t != "" {
			c.Title = wording.Clip(c.Title+": "+t, 120)
			break
		}
	}
	switch a := anchor(device, s.ID); {
	case told[a]:
		c.Anchor = a
	case s.Verdict == record.Fail || s.Verdict == record.Error || s.Verdict == record.Warn:
		c.Anchor, c.Title = "more", string(s.Verdict)
	case s.Verdict == record.NotRun:
		c.Anchor = "not-run"
	case s.Verdict == record.NotApplicable:
		c.Anchor = "not-applicable"
	}
	return c
}

// unasked are the specs of a device without a verdict for one and the same
// cause.
type unasked struct {
	Device, Cause string
	Look          string
	Specs         []string
}

// without gathers the specs that ended with v by device and cause.
func without(r *record.Record, v record.Verdict) (all []unasked) {
	for _, d := range r.Devices {
		index := map[string]int{}
		for _, s := range d.Specs {
			if s.Verdict != v {
				continue
			}
			cause := s.Cause
			if cause == "" {
				cause = "no result"
			}
			key := wording.CauseKey(cause)
			i, known := index[key]
			if !known {
				i = len(all)
				index[key] = i
				all = append(all, unasked{Device: d.Name, Cause: cause, Look: s.Look})
			}
			all[i].Specs = append(all[i].Specs, s.ID)
		}
	}
	return all
}
