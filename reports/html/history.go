package html

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"hilrig/record"
	"hilrig/record/wording"
)

//go:embed history.gohtml
var historyLayout string

//go:embed history.js
var historyScript string

// Past is what history.html shows: all runs of a host.
type Past struct {
	Host      string
	Made      time.Time
	Runs      []PastRun // the newest first
	Older     int       // runs that are not listed
	Firmwares []PastFirmware
	Specs     []PastSpec
	Trends    []Trend
	Boards    []PastBoard
	Rigs      []string // that are suspect, in words
	Flaky     []PastFlaky
}

// Ref leads to a run's report, and is empty where that is gone.
type Ref = template.URL

// PastRun is a run.
type PastRun struct {
	ID, Rig, Firmware string
	Started           time.Time
	Verdict           record.Verdict
	Found, Note       string
	Report            Ref
}

// PastFirmware is a firmware.
type PastFirmware struct {
	Name        string
	First, Last time.Time
	Report      Ref // of its last run
}

// PastSpec is a spec with each firmware, in their order.
type PastSpec struct {
	Type  string
	ID    string
	Cells []PastCell
}

// PastCell is a spec with a firmware; the zero value: it was not asked.
type PastCell struct {
	Verdict record.Verdict
	Failing int // boards
	Says    string
}

// PastFlaky is a spec whose verdict changed with one firmware on one board.
type PastFlaky struct {
	Spec, Says string
}

// PastBoard is a board.
type PastBoard struct {
	Serial, Type, Slot, Rig string
	Emulated                bool
	Runs                    int
	Last                    time.Time
	Report                  Ref
	Tail                    []record.Verdict // of its last runs, the oldest first
	Alone                   []string         // what it fails and its siblings pass, in words
}

// mostRed is how many specs that are red have a line that is not folded.
const mostRed = 20

// window is how many firmwares the matrix shows at once.
const window = 24

// WriteHistory writes the page of all runs.
func WriteHistory(w io.Writer, p *Past) error {
	t, err := template.New("history").Funcs(template.FuncMap{
		"day":    func(t time.Time) string { return t.UTC().Format(time.DateOnly) },
		"clock":  func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") },
		"number": number,
		"mark":   func(v record.Verdict) string { return marks[v] },
		"plural": wording.Plural,
	}).Parse(historyLayout)
	if err != nil {
		return fmt.Errorf("read history template: %w", err)
	}
	v, err := viewOfPast(p)
	if err != nil {
		return err
	}
	return t.Execute(w, v)
}

// pastPage is what the template shows.
type pastPage struct {
	*Past
	Style    template.CSS
	Script   template.JS
	Sentence string
	Verdict  record.Verdict
	Red      []redNow // what most boards fail first
	More     []redNow // those for which there is less room
	Several  bool     // types
	Columns  []pastColumn
	Rows     []pastRow
	Data     template.JS // all firmwares, where there are more than one sees at once
	Limited  []plotted
	Others   []plotted
}

type pastColumn struct {
	PastFirmware
	Red int // specs
}

type pastRow struct {
	Area   string // the type, where a new one begins and there are several
	ID     string
	Green  bool // where it was asked last
	Red    int  // firmwares with which it is red
	Cells  []PastCell
	Strips []strip
}

// redNow is a spec that is red with the firmware that it was asked of last.
type redNow struct {
	ID, Type, With, Since, Says string
	Verdict                     record.Verdict
	Report                      Ref
	failing                     int // boards
}

// strip is the part of an overview that has one verdict, as a path.
type strip struct {
	Verdict record.Verdict
	Path    string
}

func viewOfPast(p *Past) (*pastPage, error) {
	v := &pastPage{Past: p, Style: template.CSS(style), Script: template.JS(script + historyScript), Verdict: record.Pass} //nolint:gosec // our own files
	shown := min(window, len(p.Firmwares))
	red := make([]int, len(p.Firmwares))
	v.Several = len(p.Specs) > 0 && p.Specs[0].Type != p.Specs[len(p.Specs)-1].Type
	for i, s := range p.Specs {
		row := pastRow{ID: s.ID, Green: true, Cells: s.Cells[:shown], Strips: strips(s.Cells)}
		if v.Several && (i == 0 || p.Specs[i-1].Type != s.Type) {
			row.Area = s.Type
		}
		for j, c := range s.Cells {
			if c.Verdict == record.Fail || c.Verdict == record.Error {
				red[j]++
				row.Red++
			}
		}
		if now, ok := p.redNow(s); ok {
			row.Green = false
			v.Red = append(v.Red, now)
			if now.Verdict == record.Fail || v.Verdict == record.Pass {
				v.Verdict = now.Verdict
			}
		}
		v.Rows = append(v.Rows, row)
	}
	for i, f := range p.Firmwares[:shown] {
		v.Columns = append(v.Columns, pastColumn{f, red[i]})
	}
	v.Sentence = p.sentence(len(v.Red))
	slices.SortStableFunc(v.Red, func(a, b redNow) int { return cmp.Compare(b.failing, a.failing) })
	v.Red, v.More = v.Red[:min(len(v.Red), mostRed)], v.Red[min(len(v.Red), mostRed):]
	for _, t := range p.Trends {
		if d := t.draw(); t.Low != nil || t.High != nil {
			v.Limited = append(v.Limited, d)
		} else {
			v.Others = append(v.Others, d)
		}
	}
	if shown < len(p.Firmwares) {
		data, err := json.Marshal(p.compact(red))
		if err != nil {
			return nil, fmt.Errorf("encode the matrix: %w", err)
		}
		v.Data = template.JS(data) //nolint:gosec // of json.Marshal, which escapes what would end a script
	}
	return v, nil
}

func (p *Past) sentence(red int) string {
	if len(p.Runs) == 0 {
		return "There are no runs yet."
	}
	text := fmt.Sprintf("%s of %s with %s since %s: ", wording.Plural(len(p.Runs)+p.Older, "run"), wording.Plural(len(p.Boards), "board"), wording.Plural(len(p.Firmwares), "firmware"), p.Runs[len(p.Runs)-1].Started.Format(time.DateOnly))
	if p.Older > 0 {
		text = strings.Replace(text, " since ", ", the last since ", 1)
	}
	if red == 0 {
		return text + "no spec is red where it was asked last."
	}
	if red == 1 {
		return text + "1 spec is red where it was asked last."
	}
	return text + fmt.Sprintf("%d specs are red where they were asked last.", red)
}

// redNow says since which firmware a spec is red, if it is.
func (p *Past) redNow(s PastSpec) (now redNow, ok bool) {
	since, before := -1, -1
	for i, c := range s.Cells {
		if c.Verdict == record.Fail || c.Verdict == record.Error {
			if since < 0 {
				now = redNow{ID: s.ID, Type: s.Type, With: p.Firmwares[i].Name, Says: c.Says, Verdict: c.Verdict, Report: p.Firmwares[i].Report, failing: c.Failing}
			}
			since = i
		} else if c.Verdict.Green() {
			before = i
			break
		}
	}
	if since < 0 {
		return now, false
	}
	first := p.Firmwares[since]
	now.Since = fmt.Sprintf("since %s (%s)", first.Name, first.First.Format(time.DateOnly))
	if before >= 0 {
		now.Since += ", green with " + p.Firmwares[before].Name
	} else {
		now.Since += ", as long as it was asked"
	}
	return now, true
}

// strips is a row of all firmwares, the oldest left, a step of the path for
// those beside one another that ended the same.
func strips(cells []PastCell) (all []strip) {
	paths := map[record.Verdict]*strings.Builder{}
	n := len(cells)
	for i := 0; i < n; {
		v, from := cells[n-1-i].Verdict, i
		for i < n && cells[n-1-i].Verdict == v {
			i++
		}
		if v == "" {
			continue
		}
		if paths[v] == nil {
			paths[v] = &strings.Builder{}
		}
		fmt.Fprintf(paths[v], "M%d 5h%d", from, i-from)
	}
	for _, v := range []record.Verdict{record.Pass, record.Warn, record.NotRun, record.Error, record.Fail} {
		if paths[v] != nil {
			all = append(all, strip{v, paths[v].String()})
		}
	}
	return all
}

// letters are the verdicts in the page's data.
var letters = map[record.Verdict]byte{
	record.Pass: 'p', record.Warn: 'w', record.Fail: 'f', record.Error: 'e', record.NotRun: 'n', record.NotApplicable: 'a', "": ' ',
}

// compact is the whole matrix in few bytes: firmwares, a line of letters for each
// spec, and the words of what is not green.
func (p *Past) compact(red []int) any {
	type column struct {
		Name   string `json:"n"`
		Title  string `json:"t"`
		Report string `json:"r,omitempty"`
		Red    int    `json:"k,omitempty"`
	}
	var data struct {
		Columns []column            `json:"columns"`
		Rows    []string            `json:"rows"`
		Says    []map[string]string `json:"says"`
	}
	for i, f := range p.Firmwares {
		data.Columns = append(data.Columns, column{f.Name, f.Tip(), string(f.Report), red[i]})
	}
	for _, s := range p.Specs {
		line, says := make([]byte, len(s.Cells)), map[string]string{}
		for i, c := range s.Cells {
			line[i] = letters[c.Verdict]
			if c.Verdict != "" && c.Verdict != record.Pass {
				says[fmt.Sprint(i)] = c.Says
			}
		}
		data.Rows, data.Says = append(data.Rows, string(line)), append(data.Says, says)
	}
	return data
}

// Tip says when a firmware was tested.
func (f PastFirmware) Tip() string {
	first, last := f.First.Format(time.DateOnly), f.Last.Format(time.DateOnly)
	if first == last {
		return f.Name + ", " + first
	}
	return f.Name + ", " + first + " to " + last
}

// Reds is a part of the list of what is red.
func (v *pastPage) Reds(more bool) any {
	all := v.Red
	if more {
		all = v.More
	}
	return struct {
		Several bool
		All     []redNow
	}{v.Several, all}
}

// Span is all columns of the matrix.
func (v *pastPage) Span() int { return len(v.Columns) + 3 }
