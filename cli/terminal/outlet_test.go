package terminal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"
)

// stalled is a reader that takes nothing until it is let go.
type stalled struct {
	mu   sync.Mutex
	got  bytes.Buffer
	goOn chan struct{}
}

func (s *stalled) Write(b []byte) (int, error) {
	<-s.goOn
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got.Write(b)
}

func (s *stalled) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got.String()
}

func TestWhatNobodyReadsIsDroppedAndCounted(t *testing.T) {
	r := &stalled{goOn: make(chan struct{})}
	o := NewOutlet(r, 1000, func(n int) []byte { return []byte(fmt.Sprintf("<%d>\n", n)) }, nil)
	line := strings.Repeat("x", 99) + "\n"
	for range 50 { // none of them waits
		_, _ = io.WriteString(o, line)
	}
	if lost := o.Drain(50 * time.Millisecond); lost != 40+10+1 {
		t.Errorf("given up: %d, want the 40 without room, the 10 that wait and what stands for them", lost)
	}
	close(r.goOn)
	o.Drain(10 * time.Second)
	_, _ = io.WriteString(o, "last\n")
	o.Drain(10 * time.Second)
	if want := strings.Repeat(line, 10) + "<40>\nlast\n"; r.text() != want {
		t.Errorf("got %d bytes: %s", len(r.text()), r.text()[max(0, len(r.text())-30):])
	}
}

func TestAReaderThatGoesAwayIsSaidOnce(t *testing.T) {
	r, w := io.Pipe()
	said := make(chan error, 10)
	o := NewOutlet(w, 1000, nil, func(err error, _ int) { said <- err })
	broken := errors.New("broken pipe")
	_ = r.CloseWithError(broken)
	for range 5 {
		if _, err := io.WriteString(o, "x\n"); err != nil {
			t.Error(err)
		}
	}
	o.Drain(10 * time.Second)
	if err := <-said; !errors.Is(err, broken) || len(said) > 0 {
		t.Errorf("got %v, and %d more", err, len(said))
	}
}

// A view that has been closed takes no log lines: they go where they went
// before it.
func TestALogLineIsNotLostWithTheView(t *testing.T) {
	var first bytes.Buffer
	r := NewRedirect(&first)
	closed, w := io.Pipe()
	_ = closed.Close()
	if old := r.To(w); old != &first {
		t.Error("it went elsewhere before")
	}
	if _, err := io.WriteString(r, "a line\n"); err != nil || first.String() != "a line\n" {
		t.Errorf("%v, %q", err, first.String())
	}
}
