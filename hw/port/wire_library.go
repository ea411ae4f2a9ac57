package port

import (
	"os"
	"sync/atomic"
	"time"

	"go.bug.st/serial"
)

// libraryWire reads and writes through go.bug.st/serial, where the system
// gives no file with deadlines for a line. Of its defects (library's v1.8.0)
// it takes care here: reads that time out as (0, nil), writes without a bound
// and without a closed check.
type libraryWire struct {
	line   serial.Port
	closed atomic.Bool
	quit   chan struct{} // closed with the line
	jobs   chan []byte   // to the one goroutine that writes
	done   chan written  // from it
	stuck  bool          // it has not answered for the last job; WriteBy's own
}

type written struct {
	n   int
	err error
}

// readTick is how long a read may take to notice that the line was closed.
const readTick = 100 * time.Millisecond

func newLibraryWire(line serial.Port) (*libraryWire, error) {
	if err := line.SetReadTimeout(readTick); err != nil {
		_ = line.Close() // the first error counts
		return nil, err
	}
	w := &libraryWire{line: line, quit: make(chan struct{}), jobs: make(chan []byte), done: make(chan written, 1)}
	go w.writer()
	return w, nil
}

func (w *libraryWire) Read(b []byte) (int, error) {
	for {
		n, err := w.line.Read(b)
		switch {
		case n > 0:
			return n, nil
		case w.closed.Load():
			return 0, os.ErrClosed
		case err != nil:
			return 0, err
		} // (0, nil): the library's time-out
	}
}

// writer ends with the line, one that is stuck in the library too: closing the
// line ends its call.
func (w *libraryWire) writer() {
	for {
		select {
		case b := <-w.jobs:
			w.done <- w.writeAll(b)
		case <-w.quit:
			return
		}
	}
}

func (w *libraryWire) writeAll(b []byte) (r written) {
	for r.n < len(b) && r.err == nil {
		if w.closed.Load() {
			return written{r.n, os.ErrClosed}
		}
		var n int
		n, r.err = w.line.Write(b[r.n:])
		r.n += n
	}
	return r
}

// WriteBy is called by one goroutine at a time (Port.Write).
func (w *libraryWire) WriteBy(b []byte, deadline time.Time) (int, error) {
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	if w.stuck {
		if _, err := w.answer(timer.C); err != nil {
			return 0, err
		}
	}
	w.stuck = true
	select {
	case w.jobs <- append([]byte(nil), b...): // the caller may go on with b when this is given up
	case <-w.quit:
		return 0, os.ErrClosed
	}
	r, err := w.answer(timer.C)
	if err != nil {
		return 0, err
	}
	return r.n, r.err
}

// answer waits for the writer's word on its last job.
func (w *libraryWire) answer(late <-chan time.Time) (written, error) {
	select {
	case r := <-w.done:
		w.stuck = false
		return r, nil
	case <-w.quit:
		return written{}, os.ErrClosed
	case <-late:
		return written{}, os.ErrDeadlineExceeded
	}
}

func (w *libraryWire) Close() error {
	if w.closed.Swap(true) {
		return nil
	}
	close(w.quit)
	return w.line.Close()
}
