package events

import (
	"sync"
	"time"

	"hilrig/azure/hub"
)

// mostWaiting bounds what waits for a process that takes nothing, in bytes of its
// messages: no slow one holds up the others.
const mostWaiting = 64 << 20

// way leads to the process of one device.
type way struct {
	device string

	mu      sync.Mutex
	waiting []letter
	size    int
	ended   bool
	more    chan struct{} // holds one once there is more, or the end
}

func newWay(device string) *way { return &way{device: device, more: make(chan struct{}, 1)} }

// give adds a letter. The way ends with the one that is too much, and says so.
func (w *way) give(l letter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return
	}
	if w.size += l.size(); w.size > mostWaiting {
		gap := hub.Gap{From: l.At, Why: "more messages waited than are kept for the device's process"}
		l = letterOf(hub.Event{Kind: hub.KindGap, At: time.Now(), Text: gap.String(), Gap: &gap})
		w.ended = true
	}
	w.waiting = append(w.waiting, l)
	w.wake()
}

// end lets what waits be taken, and nothing more.
func (w *way) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	w.wake()
}

// wake tells who takes. With mu held.
func (w *way) wake() {
	select {
	case w.more <- struct{}{}:
	default:
	}
}

// next waits for the next letter; false once the way has ended.
func (w *way) next() (letter, bool) {
	for {
		w.mu.Lock()
		if len(w.waiting) > 0 {
			l := w.waiting[0]
			w.waiting[0] = letter{}
			w.waiting = w.waiting[1:]
			w.size -= l.size()
			w.mu.Unlock()
			return l, true
		}
		ended := w.ended
		w.mu.Unlock()
		if ended {
			return letter{}, false
		}
		<-w.more
	}
}
