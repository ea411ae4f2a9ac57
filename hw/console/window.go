package console

import (
	"sort"
	"time"
)

// Cursor is a place in what was received, in bytes since the console was
// opened. It stays valid whatever happens to the line.
type Cursor int64

// What stays in memory of what was received: at least windowKeep bytes, and
// windowSlack more before the oldest are let go. A cursor older than that
// stands for the oldest byte there is.
const (
	windowKeep  = 8 << 20
	windowSlack = 2 << 20
	maxStamps   = 1 << 16
)

// window is what was received last. The bytes that a view gives do not change
// any more, so they can be searched without holding a lock.
type window struct {
	base   Cursor // of data[0]
	data   []byte
	stamps []stamp // ascending
}

// stamp says when the bytes before a place had come.
type stamp struct {
	end Cursor
	at  time.Duration // since the console was opened
}

func (w *window) end() Cursor { return w.base + Cursor(len(w.data)) }

func (w *window) add(b []byte, at time.Duration) {
	if len(w.data)+len(b) > windowKeep+windowSlack {
		w.trim()
	}
	w.data = append(w.data, b...)
	if len(w.stamps) >= maxStamps {
		w.thin()
	}
	w.stamps = append(w.stamps, stamp{w.end(), at})
}

// trim moves what is kept into memory of its own: a view may still be in use.
func (w *window) trim() {
	cut := len(w.data) - windowKeep
	if cut <= 0 {
		return
	}
	kept := make([]byte, windowKeep, windowKeep+windowSlack)
	copy(kept, w.data[cut:])
	w.data = kept
	w.base += Cursor(cut)
	i := sort.Search(len(w.stamps), func(i int) bool { return w.stamps[i].end > w.base })
	w.stamps = append(w.stamps[:0], w.stamps[i:]...)
}

// thin merges stamps of the older half, so that half as many are left, evenly in
// time: how exactly old bytes came is asked the least.
func (w *window) thin() {
	older := w.stamps[:maxStamps/2]
	grain := (older[len(older)-1].at-older[0].at)/(maxStamps/4) + 1
	kept := w.stamps[:0]
	last := older[0].at - 1
	for i, s := range older {
		if i == len(older)-1 || older[i+1].at-last > grain {
			kept, last = append(kept, s), s.at
		}
	}
	w.stamps = append(kept, w.stamps[maxStamps/2:]...)
}

// view is what there is from a place on, and the place it begins at.
func (w *window) view(from Cursor) ([]byte, Cursor) {
	from = min(max(from, w.base), w.end())
	return w.data[from-w.base : len(w.data) : len(w.data)], from
}

// arrival is when the byte before a place came.
func (w *window) arrival(end Cursor) time.Duration {
	i := sort.Search(len(w.stamps), func(i int) bool { return w.stamps[i].end >= end })
	if i == len(w.stamps) {
		if i == 0 {
			return 0
		}
		i--
	}
	return w.stamps[i].at
}
