package terminal

import (
	"io"
	"sync"
	"time"
)

// Outlet writes behind whoever prints, from a bounded queue: a reader that is
// slow, stops or goes away holds nobody up. What has no room is dropped whole
// write by whole write, and what comes next says how much it was.
type Outlet struct {
	w    io.Writer
	most int // bytes that may wait
	mark func(dropped int) []byte
	gone func(err error, lost int)

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

// NewOutlet keeps as many bytes as most for w. Mark makes what stands for writes
// that were dropped, and gone is told once, with how many were lost in all, when
// w takes nothing more; either may be nil.
func NewOutlet(w io.Writer, most int, mark func(dropped int) []byte, gone func(err error, lost int)) *Outlet {
	o := &Outlet{w: w, most: most, mark: mark, gone: gone}
	o.changed = sync.NewCond(&o.mu)
	go o.write()
	return o
}

// Write takes b, or drops it. It never waits and never fails: nothing that a
// verb does depends on who reads.
func (o *Outlet) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.put(b)
	return len(b), nil
}

func (o *Outlet) put(b []byte) {
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

func (o *Outlet) write() {
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

func (o *Outlet) writeOut(b []byte) error {
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

// Drain waits until everything is written, as long as somebody reads: nothing
// written for that long is given up. It returns how many writes were lost in
// all; of them, those that waited were not dropped for want of room.
func (o *Outlet) Drain(patience time.Duration) (lost int) {
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

// Whole reports whether the writer never failed: whoever was told of that need
// not hear of it again.
func (o *Outlet) Whole() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.broken == nil
}
