package terminal

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Coloured reports whether w is a terminal that wants colour: one that moves, and
// NO_COLOR does not say no.
func Coloured(w io.Writer) bool { return Moves(w) && os.Getenv("NO_COLOR") == "" }

// Moves reports whether w is a terminal that wants moving progress: CI and a
// dumb terminal say no.
func Moves(w io.Writer) bool {
	return Is(w) && os.Getenv("CI") == "" && os.Getenv("TERM") != "dumb"
}

// Is reports whether w is a terminal.
func Is(w any) bool {
	f, ok := fileOf(w)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Width is how many characters fit on a line of w; 0: any number, w is no
// terminal.
func Width(w io.Writer) int {
	width, _ := Size(w)
	return width
}

// Size is [Width], and how many lines there are.
func Size(w io.Writer) (width, height int) {
	f, ok := fileOf(w)
	if !ok || !Is(f) {
		return 0, 0
	}
	width, height, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0, 0
	}
	return width, height
}

// fileOf is the file that is written to in the end, if it is one.
func fileOf(w any) (*os.File, bool) {
	if t, ok := w.(Text); ok {
		w = t.w
	}
	if o, ok := w.(*Outlet); ok {
		w = o.w
	}
	if r, ok := w.(*Redirect); ok {
		w = r.first
	}
	if s, ok := w.(*Stream); ok {
		w = s.w
	}
	f, ok := w.(*os.File)
	return f, ok
}
