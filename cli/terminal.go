package cli

import (
	"io"
	"os"

	"golang.org/x/term"
)

// lively reports whether w is a terminal that wants colour and moving
// progress: NO_COLOR, CI and a dumb terminal say no.
func lively(w io.Writer) bool {
	return isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("CI") == "" && os.Getenv("TERM") != "dumb"
}

func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// widthOf is how many characters fit on a line of w; 0: any number, w is no
// terminal.
func widthOf(w io.Writer) int {
	if !isTerminal(w) {
		return 0
	}
	width, _, err := term.GetSize(int(w.(*os.File).Fd()))
	if err != nil {
		return 0
	}
	return width
}

// style is a set of SGR attributes (ECMA-48, 8.3.117).
type style string

const (
	plain  style = ""
	bold   style = "1"
	dim    style = "2"
	red    style = "31"
	green  style = "32"
	yellow style = "33"
	purple style = "35"
	cyan   style = "36"
)

// palette paints text, or leaves it alone where there is no colour.
type palette bool

func (p palette) paint(s style, text string) string {
	if !p || s == plain {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}
