package cli

import (
	"io"
	"os"

	"github.com/vbauerster/cupwriter"
	"github.com/vbauerster/mpb/v8"
	"golang.org/x/term"
)

// lively reports whether w is a terminal that wants colour: one that moves, and
// NO_COLOR does not say no.
func lively(w io.Writer) bool { return moves(w) && os.Getenv("NO_COLOR") == "" }

// moves reports whether w is a terminal that wants moving progress: CI and a
// dumb terminal say no.
func moves(w io.Writer) bool {
	return isTerminal(w) && os.Getenv("CI") == "" && os.Getenv("TERM") != "dumb"
}

func isTerminal(w any) bool {
	f, ok := fileOf(w)
	return ok && term.IsTerminal(int(f.Fd()))
}

// widthOf is how many characters fit on a line of w; 0: any number, w is no
// terminal.
func widthOf(w io.Writer) int {
	width, _ := extentOf(w)
	return width
}

// extentOf is [widthOf], and how many lines there are.
func extentOf(w io.Writer) (width, height int) {
	f, ok := fileOf(w)
	if !ok || !isTerminal(f) {
		return 0, 0
	}
	width, height, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0, 0
	}
	return width, height
}

// screen is where moving lines are drawn on a terminal: each redraw begins in
// the first column, wherever an echoed ^C has left the cursor.
func screen(w io.Writer) mpb.ContainerOption {
	f, ok := fileOf(w)
	if !ok {
		return mpb.WithOutput(w)
	}
	cw := cupwriter.New(fromStart{w}, false)
	cw.SetTermFd(int(f.Fd()))
	return mpb.WithConsoleWriter(cw)
}

// fromStart returns the cursor to the first column before each write.
type fromStart struct{ w io.Writer }

func (s fromStart) Write(b []byte) (int, error) {
	n, err := s.w.Write(append([]byte("\r"), b...))
	return max(0, n-1), err
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
