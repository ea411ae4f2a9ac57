package emulator

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

// line is the far end of a UART in memory.
type line struct {
	in  chan []byte
	out chan []byte
}

func (l *line) Read(b []byte) (int, error) {
	p, ok := <-l.in
	if !ok {
		return 0, io.EOF
	}
	return copy(b, p), nil
}

func (l *line) Write(b []byte) (int, error) {
	l.out <- append([]byte(nil), b...)
	return len(b), nil
}

// Ten bits a byte, both ways, whatever the host does.
func TestUARTKeepsTheLinesTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 4096
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		l := &line{in: make(chan []byte, n), out: make(chan []byte, n)}
		u := newUART(l, 115200, slog.New(slog.DiscardHandler))
		go func() { _ = u.run(ctx) }()
		start := time.Now()
		for range n / grain {
			l.in <- make([]byte, grain)
		}
		for range n {
			<-u.rx
		}
		check(t, "received", n, time.Since(start))
		start = time.Now()
		u.send(make([]byte, n))
		for sent := 0; sent < n; {
			sent += len(<-l.out)
		}
		check(t, "sent", n, time.Since(start))
		cancel()
		close(l.in)
	})
}

func check(t *testing.T, what string, n int, took time.Duration) {
	t.Helper()
	want := time.Duration(n) * 10 * time.Second / 115200
	if took < want*99/100 || took > want*103/100 {
		t.Errorf("%s %d bytes in %s, the line needs %s", what, n, took, want)
	}
}

// A receive buffer overruns when the firmware is slower than the line, and
// only then: that this process fetches late loses nothing.
func TestReceiverOverruns(t *testing.T) {
	const perByte = 87 * time.Microsecond
	for _, c := range []struct {
		ring     int
		firmware time.Duration
		pause    time.Duration // after byte 100
		lost     bool
	}{
		{512, 0, 0, false},
		{64, 80 * time.Microsecond, 0, false},
		{64, 110 * time.Microsecond, 0, true},
		{4096, 110 * time.Microsecond, 0, false},
		{64, 0, 5 * time.Millisecond, false},
		{64, 0, 50 * time.Millisecond, true},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			r := receiver{ring: c.ring, perByte: c.firmware}
			at := time.Now()
			for i := range 2000 {
				at = at.Add(perByte)
				r.take(arrived{'x', at})
				if i == 100 && c.pause > 0 {
					r.busy(c.pause)
				}
			}
			if (r.lost > 0) != c.lost {
				t.Errorf("lost %d", r.lost)
			}
		})
	}
}
