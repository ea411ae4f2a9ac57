package cli

import (
	"io"
	"sync"
)

// redirect is a writer whose target can be changed while others write. What the
// target does not take goes to the first one.
type redirect struct {
	first io.Writer

	mu sync.Mutex
	w  io.Writer
}

func newRedirect(w io.Writer) *redirect { return &redirect{first: w, w: w} }

func (r *redirect) Write(b []byte) (int, error) {
	r.mu.Lock()
	w := r.w
	r.mu.Unlock()
	n, err := w.Write(b)
	if err != nil && w != r.first { // a view that has just been closed
		return r.first.Write(b)
	}
	return n, err
}

// to changes the target and returns the one before.
func (r *redirect) to(w io.Writer) io.Writer {
	r.mu.Lock()
	defer r.mu.Unlock()
	old := r.w
	r.w = w
	return old
}
