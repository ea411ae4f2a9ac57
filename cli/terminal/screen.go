package terminal

import (
	"io"
	"time"

	"github.com/vbauerster/cupwriter"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// Screen is where moving lines are drawn on a terminal: each redraw begins in
// the first column, wherever an echoed ^C has left the cursor.
func Screen(w io.Writer) mpb.ContainerOption {
	w = Unfiltered(w)
	f, ok := fileOf(w)
	if !ok {
		return mpb.WithOutput(w)
	}
	cw := cupwriter.New(fromStart{w}, false)
	cw.SetTermFd(int(f.Fd()))
	return mpb.WithConsoleWriter(&rows{Writer: cw, size: cw.GetTermSize})
}

// rows counts what is drawn, so that all of it is wiped before it is drawn anew.
// Where more bars are than fit, mpb takes those that it leaves out for rows that
// it drew less: what was not wiped would go up the terminal ten times a second.
type rows struct {
	*cupwriter.Writer
	size  func() (width, height int, err error)
	drawn int // since the last flush
}

// ReadFrom takes a row.
func (r *rows) ReadFrom(row io.Reader) (int64, error) {
	n, err := r.Writer.ReadFrom(row)
	if n > 0 {
		r.drawn++
	}
	return n, err
}

// Flush draws; the next time it begins so many rows above.
func (r *rows) Flush(int) error {
	n := r.drawn
	r.drawn = 0
	return r.Writer.Flush(n)
}

// GetTermSize leaves the last line to the cursor and the first to what is above:
// what is wiped from the very first on, tmux keeps among what has gone up.
func (r *rows) GetTermSize() (width, height int, err error) {
	width, height, err = r.size()
	return width, max(1, height-2), err
}

// fromStart returns the cursor to the first column before each write.
type fromStart struct{ w io.Writer }

func (s fromStart) Write(b []byte) (int, error) {
	n, err := s.w.Write(append([]byte("\r"), b...))
	return max(0, n-1), err
}

// Bar is a moving line on a terminal, which goes when it is done. A total of 0
// is still to be told.
func Bar(w io.Writer, total int64, before, after decor.Decorator) (bar *mpb.Bar, done func()) {
	bars := mpb.New(Screen(w), mpb.WithWidth(24), mpb.WithRefreshRate(100*time.Millisecond))
	bar = bars.New(total, mpb.BarStyle().Lbound("").Rbound("").Filler("━").Tip("").Padding("─"),
		mpb.BarRemoveOnComplete(), mpb.PrependDecorators(before), mpb.AppendDecorators(after))
	return bar, func() {
		bar.Abort(true)
		bars.Wait()
	}
}
