package terminal

import (
	"encoding/json"
	"io"
	"regexp"

	"hilrig/record"
)

// Text is where words for people go: a device, a certificate, a file's name or
// the environment may be in any of them, so that nothing steers the terminal
// but the styles that one with colour is given ([Palette]), and nothing gives an
// order to whatever runs a job but our annotations. What is not for people goes
// around it ([Unfiltered]).
type Text struct {
	w   io.Writer
	ink Palette
}

// NewText is before w, with the styles that w takes.
func NewText(w io.Writer) Text { return TextIn(w, PaletteOf(w)) }

// TextIn is before w, with the styles of a palette.
func TextIn(w io.Writer, ink Palette) Text { return Text{w: w, ink: ink} }

// styles are what a [Palette] paints with.
var styles = regexp.MustCompile("\x1b\\[(?:0|1|2|31|32|33|35|36)m")

func (t Text) Write(b []byte) (int, error) {
	if _, err := io.WriteString(t.w, t.plain(string(b))); err != nil {
		return 0, err
	}
	return len(b), nil
}

func (t Text) plain(s string) string {
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

// Unfiltered is the stream itself: for a view that moves the cursor, and for
// what a program reads.
func Unfiltered(w io.Writer) io.Writer {
	if t, ok := w.(Text); ok {
		return t.w
	}
	return w
}

// NewEncoder writes JSON that says the same to a program and steers no terminal.
func NewEncoder(w io.Writer) *json.Encoder { return json.NewEncoder(data{Unfiltered(w)}) }

type data struct{ w io.Writer }

func (d data) Write(b []byte) (int, error) {
	if _, err := d.w.Write(record.PlainJSON(b)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// OrDash is a text, or a dash where it is empty, for a table.
func OrDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
