package cli

import (
	"encoding/json"
	"io"
	"regexp"

	"hilrig/record"
)

// text is where words for people go: a device, a certificate, a file's name or
// the environment may be in any of them, so that nothing steers the terminal
// but the styles that a lively one is given ([palette]), and nothing gives an
// order to whatever runs a job but our annotations. It stands before each
// stream of [app]; what is not for people goes around it ([unfiltered]).
type text struct {
	w   io.Writer
	ink palette
}

func newText(w io.Writer) text { return text{w: w, ink: palette(lively(w))} }

// styles are what a palette paints with.
var styles = regexp.MustCompile("\x1b\\[(?:0|1|2|31|32|33|35|36)m")

func (t text) Write(b []byte) (int, error) {
	if _, err := io.WriteString(t.w, t.plain(string(b))); err != nil {
		return 0, err
	}
	return len(b), nil
}

func (t text) plain(s string) string {
	if !t.ink {
		return record.Plain(s)
	}
	var out string
	from := 0
	for _, at := range styles.FindAllStringIndex(s, -1) {
		out += record.Plain(s[from:at[0]]) + s[at[0]:at[1]]
		from = at[1]
	}
	return out + record.Plain(s[from:])
}

// unfiltered is the stream itself: for a view that moves the cursor, and for
// what a program reads.
func unfiltered(w io.Writer) io.Writer {
	if t, ok := w.(text); ok {
		return t.w
	}
	return w
}

// encoder writes JSON that says the same to a program and steers no terminal.
func (a *app) encoder() *json.Encoder { return json.NewEncoder(data{unfiltered(a.out)}) }

type data struct{ w io.Writer }

func (d data) Write(b []byte) (int, error) {
	if _, err := d.w.Write(record.PlainJSON(b)); err != nil {
		return 0, err
	}
	return len(b), nil
}
