package cli

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"hilrig/record/wording"
)

// outlet writes behind whoever prints, from a bounded queue: a reader that is
// slow, stops or goes away holds nobody up. What has no room is dropped whole
// write by whole write, and what comes next says how much it was.
type outlet struct {
	w    io.Writer
	most int                            // bytes that may wait
	mark func(dropped int) []byte       // stands for what was dropped; nil: nothing does
	gone func(err error, unwritten int) // told once, when w takes nothing more; nil: nobody is

	mu      sync.Mutex
	changed *sync.Cond
	queue   [][]byte
	size    int
	dropped int
	lost    int // of all
	busy    bool
	broken  error
	moved   int64 // pieces written
}

// piece is how much is written at once, so that a reader's progress shows.
const piece = 16 << 10

func newOutlet(w io.Writer, most int, mark func(int) []byte) *outlet {
	o := &outlet{w: w, most: most, mark: mark}
	o.changed = sync.NewCond(&o.mu)
	go o.write()
	return o
}

// Write takes b, or drops it. It never waits and never fails: nothing that a
// verb does depends on who reads.
func (o *outlet) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.put(b)
	return len(b), nil
}

func (o *outlet) put(b []byte) {
	if o.broken != nil || o.size+len(b) > o.most {
		o.dropped++
		o.lost++
		return
	}
	if o.dropped > 0 && o.mark != nil {
		m := o.mark(o.dropped)
		o.queue, o.size = append(o.queue, m), o.size+len(m)
	}
	o.dropped = 0
	o.queue, o.size = append(o.queue, append([]byte(nil), b...)), o.size+len(b)
	o.changed.Broadcast()
}

func (o *outlet) write() {
	for {
		o.mu.Lock()
		for len(o.queue) == 0 {
			o.changed.Wait()
		}
		b := o.queue[0]
		o.queue, o.busy = o.queue[1:], true
		o.mu.Unlock()
		err := o.writeOut(b)
		o.mu.Lock()
		o.size, o.busy = o.size-len(b), false
		if err != nil {
			o.broken = err
			o.lost += 1 + len(o.queue)
			o.queue, o.size = nil, 0
		}
		lost, gone := o.lost, o.gone
		o.changed.Broadcast()
		o.mu.Unlock()
		if err != nil {
			if gone != nil {
				gone(err, lost)
			}
			return
		}
	}
}

func (o *outlet) writeOut(b []byte) error {
	for len(b) > 0 {
		n := min(piece, len(b))
		if _, err := o.w.Write(b[:n]); err != nil {
			return err
		}
		b = b[n:]
		o.mu.Lock()
		o.moved++
		o.mu.Unlock()
	}
	return nil
}

// drain waits until everything is written, as long as somebody reads: nothing
// written for that long is given up. It returns how many writes were lost in
// all; of them, those that waited were not dropped for want of room.
func (o *outlet) drain(patience time.Duration) (lost int) {
	o.mu.Lock()
	if o.dropped > 0 && o.mark != nil && o.broken == nil { // the last word too says what is missing
		o.queue = append(o.queue, o.mark(o.dropped))
		o.dropped = 0
		o.changed.Broadcast()
	}
	o.mu.Unlock()
	last := int64(-1)
	for since := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		o.mu.Lock()
		left, moved := len(o.queue), o.moved
		if o.busy {
			left++
		}
		lost = o.lost
		o.mu.Unlock()
		switch {
		case left == 0:
			return lost
		case moved != last:
			last, since = moved, time.Now()
		case time.Since(since) > patience:
			return lost + left
		}
	}
}

// fileOf is the file that is written to in the end, if it is one.
func fileOf(w any) (*os.File, bool) {
	if t, ok := w.(text); ok {
		w = t.w
	}
	if o, ok := w.(*outlet); ok {
		w = o.w
	}
	if r, ok := w.(*redirect); ok {
		w = r.first
	}
	f, ok := w.(*os.File)
	return f, ok
}

// Bounds in bytes of what waits for whoever reads, and how long nothing may be
// read, when all is done, before the rest is given up.
const (
	mostText     = 4 << 20
	mostEvents   = 16 << 20
	drainFor     = 2 * time.Second
	drainHurried = 100 * time.Millisecond // after a second interrupt
)

// behind puts queues between a verb that lasts and whoever reads what it
// prints. The log has one of its own before the screen that the live view may
// own. Main drains them.
func (a *app) behind(verb string, most int, mark func(int) []byte) {
	if a.outlets != nil {
		return
	}
	noBrokenPipes(a)
	err := newOutlet(a.logTo, mostText, lineMark)
	out := newOutlet(unfiltered(a.out), most, mark)
	out.gone = func(e error, _ int) {
		fmt.Fprintf(err, "hilrig %s: standard output takes nothing more (%v): going on without it\n", verb, e)
	}
	a.out, a.err, a.outlets = newText(out), newText(err), []*outlet{out, err}
	a.openLog(err)
}

func lineMark(n int) []byte {
	return []byte(wording.Plural(n, "line") + " not shown: nobody read them\n")
}

// drain lets readers have what is left, and says what they did not take.
func (a *app) drain() {
	if a.outlets == nil {
		return
	}
	patience := drainFor
	if a.twice.Load() {
		patience = drainHurried
	}
	out, err := a.outlets[0], a.outlets[1]
	if lost := out.drain(patience); lost > 0 && out.whole() {
		fmt.Fprintf(err, "%s of output given up: nobody read standard output\n", wording.Plural(lost, "line"))
	}
	err.drain(min(patience, time.Second))
}

// whole reports whether the writer never failed: whoever was told of that need
// not hear of it again.
func (o *outlet) whole() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.broken == nil
}
