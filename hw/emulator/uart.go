package emulator

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"
)

// uart is a serial port of a small controller: bytes arrive and leave at the
// line's rate, ten bits each. What the firmware does not fetch in time is lost
// (receiver).
type uart struct {
	rw      io.ReadWriter
	perByte time.Duration
	rx      chan arrived
	log     *slog.Logger

	mu     sync.Mutex
	tx     []byte
	txMore chan struct{}
	txIdle chan struct{} // closed while nothing waits to leave
}

// arrived is a byte and the moment at which the line delivered it: the line's
// own time, which a busy host's lateness does not touch.
type arrived struct {
	c  byte
	at time.Time
}

// txBuffer bounds what waits to be sent: a terminal that nobody reads must not
// stop the firmware.
const txBuffer = 64 << 10

// grain is how many bytes are moved at a time: 16 are 1.4 ms at 115200.
const grain = 16

func newUART(rw io.ReadWriter, baud int, log *slog.Logger) *uart {
	u := &uart{rw: rw, rx: make(chan arrived, txBuffer), log: log, txMore: make(chan struct{}, 1), txIdle: make(chan struct{})}
	close(u.txIdle)
	if baud > 0 {
		u.perByte = 10 * time.Second / time.Duration(baud)
	}
	return u
}

// run moves bytes until ctx ends or the terminal is gone.
func (u *uart) run(ctx context.Context) error {
	failed := make(chan error, 2)
	go func() { failed <- u.receive(ctx) }()
	go func() { failed <- u.transmit(ctx) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return nil
	}
}

// waiting is how quickly a read must return for its bytes to have been there
// already: then they follow the ones before without a gap, even if this
// process was late to fetch them.
const waiting = 300 * time.Microsecond

func (u *uart) receive(ctx context.Context) error {
	buf := make([]byte, grain)
	slot := time.Now() // when the line has delivered everything before
	for {
		asked := time.Now()
		n, err := u.rw.Read(buf)
		if err != nil {
			return err
		}
		if now := time.Now(); now.Sub(asked) > waiting && slot.Before(now) {
			slot = now // the line was idle
		}
		slot = slot.Add(time.Duration(n) * u.perByte)
		if !until(ctx, slot) {
			return nil
		}
		for i, c := range buf[:n] {
			select {
			case u.rx <- arrived{c, slot.Add(-time.Duration(n-1-i) * u.perByte)}:
			case <-ctx.Done():
				return nil
			}
		}
	}
}

// receiver is the receive buffer of the controller and the time that its
// firmware needs, both in the line's own time: a byte that comes while the
// buffer is full is lost.
type receiver struct {
	ring    int
	perByte time.Duration
	free    time.Time   // the firmware is ready for the next byte
	pending []time.Time // when each buffered byte is fetched
	lost    int
}

// take says whether the firmware gets the byte, and when.
func (r *receiver) take(in arrived) (fetched time.Time, ok bool) {
	for len(r.pending) > 0 && !r.pending[0].After(in.at) {
		r.pending = r.pending[1:]
	}
	if len(r.pending) >= r.ring {
		r.lost++
		return time.Time{}, false
	}
	if r.free.Before(in.at) {
		r.free = in.at
	}
	r.free = r.free.Add(r.perByte)
	r.pending = append(r.pending, r.free)
	return r.free, true
}

// busy keeps the firmware from its buffer for d and returns until when.
func (r *receiver) busy(d time.Duration) time.Time {
	r.free = r.free.Add(d)
	return r.free
}

func until(ctx context.Context, t time.Time) bool {
	d := time.Until(t)
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// send queues bytes for the line.
func (u *uart) send(b []byte) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.tx) == 0 && len(b) > 0 {
		u.txIdle = make(chan struct{})
	}
	u.tx = append(u.tx, b[:min(len(b), txBuffer-len(u.tx))]...)
	select {
	case u.txMore <- struct{}{}:
	default:
	}
}

// drained is closed when everything queued has left.
func (u *uart) drained() <-chan struct{} {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.txIdle
}

func (u *uart) transmit(ctx context.Context) error {
	slot, idle := time.Now(), true
	for {
		chunk := u.next()
		if chunk == nil {
			idle = true
			select {
			case <-u.txMore:
			case <-ctx.Done():
				return nil
			}
			continue
		}
		if now := time.Now(); idle && slot.Before(now) {
			slot = now
		}
		idle = false
		slot = slot.Add(time.Duration(len(chunk)) * u.perByte)
		if !until(ctx, slot) {
			return nil
		}
		if _, err := u.rw.Write(chunk); err != nil {
			return err
		}
		u.sent(len(chunk))
	}
}

// next is what to send now; nil where nothing waits.
func (u *uart) next() []byte {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.tx) == 0 {
		return nil
	}
	return append([]byte(nil), u.tx[:min(grain, len(u.tx))]...)
}

func (u *uart) sent(n int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.tx = append(u.tx[:0], u.tx[n:]...)
	if len(u.tx) == 0 {
		close(u.txIdle)
	}
}
