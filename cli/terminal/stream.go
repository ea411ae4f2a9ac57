package terminal

import (
	"errors"
	"io"
	"io/fs"
	"sync"
	"syscall"
)

// Stream is an output that remembers what it did not take: many who print have
// nobody to return an error to.
type Stream struct {
	w      io.Writer
	screen bool // a terminal: nothing fills it, it can only be hung up

	mu   sync.Mutex
	lost error
}

// NewStream is before w.
func NewStream(w io.Writer) *Stream { return &Stream{w: w, screen: Is(w)} }

func (s *Stream) Write(b []byte) (int, error) {
	n, err := s.w.Write(b)
	if err != nil && !s.screen && !errors.Is(err, syscall.EPIPE) {
		s.mu.Lock()
		if s.lost == nil {
			s.lost = err
		}
		s.mu.Unlock()
	}
	return n, err
}

// Lost is why something could not be written, the first time; nil where
// everything was, and where it was the reader that went away.
func (s *Stream) Lost() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost
}

// WithoutPath is what the system says of a file that a message has named already.
func WithoutPath(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
