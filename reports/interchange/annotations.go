package interchange

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"hilrig/record"
	"hilrig/record/wording"
)

// Annotation is a remark that a GitHub job shows beside its log and at its pull
// request.
type Annotation struct {
	Error       bool // else a warning
	Title, Text string
}

// most is how many annotations of a kind GitHub shows of a step; it drops the
// others without a word.
const most = 10

// Annotate are the remarks on a run: what is red as errors, what one cause has
// made red on many devices once, failures first: a rig in trouble does not hide
// them behind what GitHub shows. Warnings come after them.
func Annotate(r *record.Record) []Annotation {
	var all []Annotation
	groups := together(results(r))
	slices.SortStableFunc(groups, func(a, b []result) int { return place(a) - place(b) })
	for _, group := range groups {
		c := group[0]
		if !c.red() && c.verdict != record.Warn {
			continue
		}
		text := c.message
		if c.spec.Look != "" {
			text += "\nlook first at: " + wording.OneLine(c.spec.Look)
		}
		if c.class != "" && c.class != record.ClassDevice {
			text = string(c.class) + ": " + text
		}
		all = append(all, Annotation{c.red(), fmt.Sprintf("%s on %s: %s", c.title(), wording.Some(on(group), 3), c.verdict), text})
	}
	return all
}

func place(group []result) int {
	if group[0].verdict == record.Fail {
		return 0
	}
	return 1
}

// WriteAnnotations writes workflow commands, no more than GitHub shows: where
// there are more, the last that is shown says how many. File is what they point
// at.
func WriteAnnotations(w io.Writer, file string, all []Annotation) error {
	var b strings.Builder
	for _, kind := range []string{"error", "warning"} {
		var these []Annotation
		for _, a := range all {
			if a.Error == (kind == "error") {
				these = append(these, a)
			}
		}
		if n := len(these) - most + 1; n > 1 {
			these = append(these[:most-1:most-1], Annotation{Title: fmt.Sprintf("%d more", n), Text: "the report has them all: " + file})
		}
		for _, a := range these {
			fmt.Fprintf(&b, "::%s file=%s,title=%s::%s\n", kind, ofProperty(file), ofProperty(a.Title), ofData(a.Text))
		}
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write annotations: %w", err)
	}
	return nil
}

// ofData escapes the text of a workflow command, and ofProperty a value before
// it, as the runner reads them.
func ofData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(record.Plain(s))
}

func ofProperty(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(ofData(s))
}
