package html

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sort"

	"hilrig/record"
	"hilrig/record/wording"
)

// moment is a line of the two-sided timeline: the device's console on one
// side, the hub on the other, one clock between them.
type moment struct {
	At       float64
	Left     bool // console, power
	Source   record.Source
	Text     string
	Decisive bool // it decided
}

// stretch is the part of a timeline that the page shows: the lines around the
// decisive moment, and those before and after it that are folded away.
type stretch struct {
	Before, Around, After []moment
	Cut                   int // lines before Before that are in the file only
}

// Lines of a stretch: what is open, and what is folded on either side.
const (
	openBefore, openAfter     = 14, 8
	foldedBefore, foldedAfter = 60, 25
)

// page is how far apart the file is probed for a moment, and how much before
// it is read: console lines are written when they end, so the file is only
// nearly in order.
const page = 64 << 10

// timeline reads what happened around the moment that decided; without one,
// the end of the spec. A spec may judge what happened before it began.
func timeline(runDir, device string, s record.SpecResult) stretch {
	if runDir == "" || s.Evidence.TimelineTo <= s.Evidence.TimelineFrom {
		return stretch{}
	}
	f, err := os.Open(filepath.Join(runDir, "devices", device, "timeline.jsonl"))
	if err != nil {
		return stretch{} // the report stands without it; the record has the verdict
	}
	defer func() { _ = f.Close() }() // only read
	lines := find(f, s)
	return around(lines, decisive(&lines, s))
}

// find reads the spec's part of the file, or where the event that decided is
// not in it the part around that: it may be of any spec before, and be written
// a little late.
func find(f *os.File, s record.SpecResult) []moment {
	from, to := s.Evidence.TimelineFrom, s.Evidence.TimelineTo
	if s.At == 0 {
		return read(f, from, to, 0)
	}
	near := offsetOf(f, to, s.At)
	lines := read(f, max(from, near-page), to, s.At)
	if slices.ContainsFunc(lines, is(s.At)) {
		return lines
	}
	st, err := f.Stat()
	if err != nil {
		return lines
	}
	wide := read(f, max(0, near-2*page), min(st.Size(), max(near, to)+page), s.At)
	if near < from || slices.ContainsFunc(wide, is(s.At)) {
		return wide
	}
	return lines
}

// is finds the moment of an event.
func is(at float64) func(moment) bool {
	return func(m moment) bool { return m.At > at-closeTo && m.At < at+closeTo }
}

// closeTo is how far apart two stamps of one event may be: they are rounded to
// microseconds.
const closeTo = 5e-7

// read takes the events between two offsets, the first at a line's begin; of
// what is far behind the moment at nothing is needed.
func read(f io.ReaderAt, from, to int64, at float64) (lines []moment) {
	r := lineReader(f, from, to)
	behind := 0
	for r.Scan() && behind < 2*(openAfter+foldedAfter) {
		var e record.Event
		if json.Unmarshal(r.Bytes(), &e) != nil || e.Text == "" {
			continue
		}
		if at > 0 && e.At > at {
			behind++
		}
		lines = append(lines, moment{At: e.At, Left: e.Source == record.SourceSerial || e.Source == record.SourcePower, Source: e.Source, Text: text(e)})
	}
	sort.SliceStable(lines, func(i, j int) bool { return lines[i].At < lines[j].At })
	return lines
}

// lineReader reads whole lines from an offset on; one that is begun before it
// is skipped.
func lineReader(f io.ReaderAt, from, to int64) *bufio.Scanner {
	skip := from > 0
	if skip {
		from-- // the line end before a line that begins exactly there
	}
	r := bufio.NewScanner(io.NewSectionReader(f, from, to-from))
	r.Buffer(nil, 1<<20)
	if skip {
		r.Scan()
	}
	return r
}

// offsetOf is about where the moment is in the file: a line of a page before.
func offsetOf(f io.ReaderAt, end int64, at float64) int64 {
	pages := sort.Search(int(end/page)+1, func(i int) bool {
		r := lineReader(f, int64(i)*page, end)
		var e record.Event
		return !r.Scan() || json.Unmarshal(r.Bytes(), &e) != nil || e.At >= at
	})
	return min(end, int64(pages)*page)
}

// decisive marks the line of the moment that decided and returns its index.
// Where nothing happened at that moment, because something was waited for in
// vain, a line that says so is put in. Without a moment it is the last line.
func decisive(lines *[]moment, s record.SpecResult) int {
	if s.At == 0 {
		return len(*lines) - 1
	}
	i := slices.IndexFunc(*lines, func(m moment) bool { return m.At > s.At-closeTo })
	if i < 0 {
		i = len(*lines)
	}
	if i == len(*lines) || (*lines)[i].At > s.At+closeTo {
		*lines = slices.Insert(*lines, i, moment{At: s.At, Source: record.SourceSpec, Text: "seen until here: " + wording.Clip(s.Seen, 200)})
	}
	(*lines)[i].Decisive = true
	return i
}

// around folds away what is not near line i.
func around(lines []moment, i int) (s stretch) {
	if len(lines) == 0 {
		return s
	}
	open, last := max(0, i-openBefore), min(len(lines), i+1+openAfter)
	first := max(0, open-foldedBefore)
	s.Cut, s.Before, s.Around = first, lines[first:open], lines[open:last]
	s.After = lines[last:min(len(lines), last+foldedAfter)]
	return s
}

func text(e record.Event) string {
	t := e.Text
	if len(t) > 300 {
		t = t[:300] + "…"
	}
	switch e.Kind {
	case "sent":
		return "→ " + t
	case "received":
		return "← " + t
	case record.KindSpecStarted:
		return e.Spec + " begins"
	case record.KindSpecFinished:
		return e.Spec + " ends: " + t
	case record.KindSpecStep:
		return "step: " + t
	}
	return t
}
