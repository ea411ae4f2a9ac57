package uart

import (
	"bytes"
	"context"
	"io"
	"sync"
	"testing"
	"time"
)

// wire is a hand-made line: what is put on it waits to be read, what is
// written to it is kept with the moment of the last write.
type wire struct {
	mu   sync.Mutex
	in   []byte
	more chan struct{}
	end  chan struct{}
	held func() // between taking bytes and handing them over: a host that runs something else
	out  bytes.Buffer
	last time.Time
}

func newWire() *wire {
	return &wire{more: make(chan struct{}, 1), end: make(chan struct{})}
}

func (w *wire) put(b []byte) {
	w.mu.Lock()
	w.in = append(w.in, b...)
	w.mu.Unlock()
	select {
	case w.more <- struct{}{}:
	default:
	}
}

func (w *wire) Waiting() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.in) > 0
}

func (w *wire) Interrupt() { close(w.end) }

func (w *wire) Read(p []byte, taking func(bool)) (int, error) {
	for !w.Waiting() {
		select {
		case <-w.more:
		case <-w.end:
			return 0, io.EOF
		}
	}
	taking(true)
	w.mu.Lock()
	n := copy(p, w.in)
	w.in = w.in[n:]
	w.mu.Unlock()
	if w.held != nil {
		w.held()
	}
	return n, nil
}

func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = time.Now()
	return w.out.Write(p)
}

func (w *wire) written() (int, time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out.Len(), w.last
}

func start(t *testing.T, w *wire, c Config) *UART {
	t.Helper()
	u := New(w, c)
	ended := make(chan error, 1)
	go func() { ended <- u.Run(t.Context()) }()
	return u
}

func within(t *testing.T, what string, got, want time.Duration, share float64) {
	t.Helper()
	if d := float64(got-want) / float64(want); d < -share || d > share {
		t.Errorf("%s: %s, want %s within %.0f %%", what, got, want, 100*share)
	}
}

func TestReceivesAtTheLinesRate(t *testing.T) {
	const size = 4000
	w := newWire()
	u := start(t, w, Config{Baud: 115200, RXRing: 512})
	began := time.Now()
	w.put(make([]byte, size))
	var last Byte
	for range size {
		last = <-u.Arrived()
		if !u.Take(last) {
			t.Fatal("a byte was lost to firmware that does nothing")
		}
	}
	line := size * 10 * time.Second / 115200
	within(t, "by the clock", time.Since(began), line, 0.03)
	within(t, "by the schedule", last.At.Sub(began), line, 0.03)
}

func TestSendsAtTheLinesRate(t *testing.T) {
	const size = 4000
	w := newWire()
	u := start(t, w, Config{Baud: 115200, TXRing: 256})
	began := time.Now()
	u.Wake()
	for range size / 100 {
		u.Send(make([]byte, 100))
	}
	var last time.Time
	for n := 0; n < size; n, last = w.written() {
		time.Sleep(time.Millisecond)
	}
	within(t, "all sent", last.Sub(began), size*10*time.Second/115200, 0.03)
}

// A host that does nothing for a while must not lower the rate: what waited
// meanwhile is caught up with.
func TestCatchesUpAfterAStall(t *testing.T) {
	const size = 3000
	w := newWire()
	u := New(w, Config{Baud: 115200, RXRing: 64})
	w.put(make([]byte, size))
	began := time.Now()
	go func() { _ = u.Run(t.Context()) }()
	for i := range size {
		if i == 1000 {
			time.Sleep(100 * time.Millisecond) // the test holds the firmware up, as a loaded host would
		}
		if !u.Take(<-u.Arrived()) {
			t.Fatalf("byte %d lost because the host stalled", i)
		}
	}
	within(t, "all received", time.Since(began), size*10*time.Second/115200, 0.03)
}

func TestAnIdleLineStartsAnew(t *testing.T) {
	w := newWire()
	u := start(t, w, Config{Baud: 9600})
	w.put([]byte{1})
	first := <-u.Arrived()
	time.Sleep(50 * time.Millisecond)
	now := time.Now()
	w.put([]byte{2})
	second := <-u.Arrived()
	if second.At.Before(now) || first.At.After(now) {
		t.Errorf("second byte arrived %s after it was sent", second.At.Sub(now))
	}
}

func TestOverrun(t *testing.T) {
	for _, tc := range []struct {
		name       string
		baud, ring int
		busy       time.Duration // after the first byte
		cost       time.Duration // of every byte
		send, lost int
	}{
		{name: "fast firmware", baud: 115200, ring: 16, send: 200},
		{name: "busy for less than the ring", baud: 10000, ring: 32, busy: 30 * time.Millisecond, send: 200},
		{name: "busy for longer", baud: 10000, ring: 32, busy: 50 * time.Millisecond, send: 200, lost: 18},
		{name: "half as fast as the line", baud: 10000, ring: 10, cost: 2 * time.Millisecond, send: 100, lost: 40},
		{name: "no ring", baud: 10000, busy: 100 * time.Millisecond, send: 200},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWire()
			u := start(t, w, Config{Baud: tc.baud, RXRing: tc.ring})
			w.put(make([]byte, tc.send))
			for i := range tc.send {
				if !u.Take(<-u.Arrived()) {
					continue
				}
				if i == 0 {
					u.Busy(t.Context(), tc.busy)
				}
				u.Cost(tc.cost)
			}
			if got := u.Overran(); got < tc.lost-2 || got > tc.lost+2 {
				t.Errorf("%d bytes lost, want %d", got, tc.lost)
			}
		})
	}
}

// Firmware that sends more than its buffer holds has to wait, and loses what
// arrives meanwhile.
// A host that is late to run the firmware is not a firmware that was busy: what
// had arrived by then is not lost when the firmware looks at the time first.
func TestALateHostLosesNothing(t *testing.T) {
	w := newWire()
	u := start(t, w, Config{Baud: 115200, RXRing: 64})
	sent := bytes.Repeat([]byte("x"), 1000) // 87 ms of the line
	w.put(sent)
	time.Sleep(200 * time.Millisecond) // the host runs something else
	for i := range sent {
		u.Wake() // a log line is due
		select {
		case b := <-u.Arrived():
			if !u.Take(b) {
				t.Fatalf("byte %d was lost", i)
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("byte %d never came", i)
		}
	}
	before := u.now
	u.Wake()
	if !u.now.After(before) {
		t.Error("with nothing on its way the firmware does not see the time")
	}
}

// Nor when the host is late between taking bytes off the line and handing them
// to the firmware, with the line empty behind them.
func TestALateHostThatHoldsBytesLosesNothing(t *testing.T) {
	w := newWire()
	taken, resume := make(chan struct{}), make(chan struct{})
	w.held = func() { taken <- struct{}{}; <-resume }
	u := start(t, w, Config{Baud: 115200, RXRing: 64})
	w.put([]byte("x"))
	<-taken
	before := u.now
	time.Sleep(20 * time.Millisecond)
	u.Wake() // a log line is due
	if !u.now.Equal(before) {
		t.Error("the firmware's time has gone past a byte that it was not given yet")
	}
	close(resume)
	go func() { <-taken }()
	if !u.Take(<-u.Arrived()) {
		t.Error("lost")
	}
}

// Nor where the firmware looks at the time just while bytes change hands.
func TestLookingAtTheTimeWhileBytesChangeHandsLosesNothing(t *testing.T) {
	w := newWire()
	u := start(t, w, Config{Baud: 2_000_000, RXRing: 32})
	const rounds, size = 300, 400
	for round := range rounds {
		w.put(make([]byte, size))
		if round%3 == 0 {
			time.Sleep(3 * time.Millisecond) // they have all arrived, and the firmware is late
		}
		for n := 0; n < size; {
			u.Wake()
			select {
			case b := <-u.Arrived():
				if !u.Take(b) {
					t.Fatalf("round %d: byte %d was lost", round, n)
				}
				n++
			default:
			}
		}
	}
}

func TestFullTransmitBufferHoldsTheFirmwareUp(t *testing.T) {
	w := newWire()
	u := New(w, Config{Baud: 10000, TXRing: 10})
	u.Wake()
	before := u.now
	u.Send(make([]byte, 110))
	within(t, "held up", u.now.Sub(before), 100*time.Millisecond, 0.001)
}

func TestWithoutABaudRateBytesTakeNoTime(t *testing.T) {
	w := newWire()
	u := start(t, w, Config{RXRing: 512})
	w.put(make([]byte, 100000))
	for range 100000 {
		if !u.Take(<-u.Arrived()) {
			t.Fatal("overrun")
		}
	}
	u.Send(make([]byte, 100000))
	for n := 0; n < 100000; n, _ = w.written() {
		time.Sleep(time.Millisecond)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	w := newWire()
	u := New(w, Config{Baud: 9600})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- u.Run(ctx) }()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
