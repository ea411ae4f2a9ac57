package port

import (
	"errors"
	"io"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.bug.st/serial"
)

// libraryLine behaves as a port of go.bug.st/serial does.
type libraryLine struct {
	serial.Port // what is not asked for here
	mu          sync.Mutex
	reads       [][]byte // an empty one is the library's time-out
	atMost      int      // bytes of a write that are taken at once
	blocked     chan struct{}
	got         []byte
	closed      bool
}

func (l *libraryLine) SetReadTimeout(time.Duration) error { return nil }

func (l *libraryLine) Read(b []byte) (int, error) {
	time.Sleep(time.Millisecond)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return 0, &serial.PortError{}
	}
	if len(l.reads) == 0 {
		return 0, nil
	}
	n := copy(b, l.reads[0])
	l.reads = l.reads[1:]
	return n, nil
}

func (l *libraryLine) Write(b []byte) (int, error) {
	if l.blocked != nil {
		<-l.blocked
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(len(b), l.atMost)
	l.got = append(l.got, b[:n]...)
	return n, nil
}

func (l *libraryLine) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	return nil
}

func libraryPort(t *testing.T, l *libraryLine) *Port {
	t.Helper()
	w, err := newLibraryWire(l)
	if err != nil {
		t.Fatal(err)
	}
	lease, err := Lock(t.TempDir(), "fake", "test")
	if err != nil {
		t.Fatal(err)
	}
	return newPort(Config{Path: "fake", Baud: DefaultBaud}.withDefaults(), lease, w)
}

func TestLibraryTimeoutsAreNoReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := libraryPort(t, &libraryLine{reads: [][]byte{nil, nil, []byte("ab"), nil, []byte("c")}})
		got := make([]byte, 3)
		if _, err := io.ReadFull(p, got); err != nil || string(got) != "abc" {
			t.Errorf("%q, %v", got, err)
		}
		go func() { time.Sleep(time.Second); _ = p.Close() }()
		if _, err := p.Read(got); !errors.Is(err, ErrClosed) {
			t.Errorf("got %v", err)
		}
	})
}

func TestLibraryShortWritesAreFinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &libraryLine{atMost: 3}
		p := libraryPort(t, l)
		defer p.Close()
		if n, err := p.Write([]byte("COMMAND")); n != 7 || err != nil || string(l.got) != "COMMAND" {
			t.Errorf("%d %v %q", n, err, l.got)
		}
	})
}

func TestLibraryWriteIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &libraryLine{atMost: 10, blocked: make(chan struct{})}
		p := libraryPort(t, l)
		start := time.Now()
		for range 2 {
			if _, err := p.Write([]byte("x")); !errors.Is(err, ErrStuck) {
				t.Errorf("got %v", err)
			}
		}
		if d := time.Since(start).Round(time.Second); d != 4*time.Second {
			t.Errorf("took %s", d)
		}
		close(l.blocked)
		if _, err := p.Write([]byte("y")); err != nil || string(l.got) != "xy" {
			t.Errorf("%q, %v: a write that was given up is not mixed with the next", l.got, err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if _, err := p.wire.WriteBy([]byte("z"), time.Now().Add(time.Second)); !errors.Is(err, os.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}
