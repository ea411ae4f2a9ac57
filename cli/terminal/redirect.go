package terminal

import (
	"io"
	"sync"
)

// Redirect is a writer whose target can be changed while others write. What the
// target does not take goes to the first one.
type Redirect struct {
	first io.Writer

	mu sync.Mutex
	w  io.Writer
}

// NewRedirect writes to w until it is told otherwise.
func NewRedirect(w io.Writer) *Redirect { return &Redirect{first: w, w: w} }

func (r *Redirect) Write(b []byte) (int, error) {
	r.mu.Lock()
	w := r.w
	r.mu.Unlock()
	n, err := w.Write(b)
	if err != nil && w != r.first { // a view that has just been closed
		return r.first.Write(b)
	}
	return n, err
}

// To changes the target and returns the one before.
func (r *Redirect) To(w io.Writer) io.Writer {
	r.mu.Lock()
	defer r.mu.Unlock()
	old := r.w
	r.w = w
	return old
}
