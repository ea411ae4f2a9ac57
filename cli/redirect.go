package cli

import (
	"io"
	"sync"
)

// redirect is a writer whose target can be changed while others write.
type redirect struct {
	mu sync.Mutex
	w  io.Writer
}

func (r *redirect) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.w.Write(b)
}

// to changes the target and returns the one before.
func (r *redirect) to(w io.Writer) io.Writer {
	r.mu.Lock()
	defer r.mu.Unlock()
	old := r.w
	r.w = w
	return old
}
