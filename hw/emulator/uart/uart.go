package uart

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Line is what carries the bytes.
type Line interface {
	// Read blocks for at least one byte. It calls taking before it takes any,
	// while Waiting is still true, and with false if it took none after all.
	Read(p []byte, taking func(bool)) (int, error)
	Write(p []byte) (int, error) // does not block for long; what does not fit is lost
	Waiting() bool               // whether a Read would not block
	Interrupt()                  // ends Read for good; called once
}

// Config is a controller's serial port.
type Config struct {
	Baud   int // bits a second; 0: bytes take no time
	RXRing int // bytes that may wait for the firmware; 0: no bound
	TXRing int // bytes that may wait to leave before the firmware has to; 0: no bound
}

// Byte is a byte and the moment at which its last bit had arrived.
type Byte struct {
	Value byte
	At    time.Time
}

// UART is one serial port. Its methods but Run are the firmware's and belong to
// one goroutine.
type UART struct {
	wire    Line
	byteFor time.Duration // on the line
	burst   int           // bytes moved at a time
	c       Config

	arrived chan Byte
	moving  atomic.Bool // bytes were read and have not all arrived
	now     time.Time   // of the firmware
	taken   []time.Time // when the firmware took, or will take, the last bytes
	overran int

	tx sender
}

// bitsPerByte of 8N1: a start bit, eight bits, a stop bit.
const bitsPerByte = 10

// grain is how long bytes are gathered before they are moved together: less
// than anybody at a terminal can see, more than a timer is late. Each move
// wakes two processes, which is most of what they cost where thirty devices
// share a host.
const grain = 5 * time.Millisecond

// New makes a serial port on wire; Run moves its bytes.
func New(wire Line, c Config) *UART {
	u := &UART{wire: wire, c: c, burst: 64, arrived: make(chan Byte, 4096), now: time.Now()}
	if c.Baud > 0 {
		u.byteFor = bitsPerByte * time.Second / time.Duration(c.Baud)
		u.burst = int(max(1, grain/u.byteFor))
	}
	u.tx = sender{byteFor: u.byteFor, burst: u.burst, more: make(chan struct{}, 1)}
	return u
}

// Run moves bytes until ctx ends (nil) or the wire fails. Nothing touches the
// wire after it.
func (u *UART) Run(ctx context.Context) (err error) {
	ctx, stop := context.WithCancel(ctx)
	failed := make(chan error, 2)
	var both sync.WaitGroup
	both.Go(func() { failed <- u.receive(ctx) })
	both.Go(func() { failed <- u.tx.run(ctx, u.wire) })
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	stop()
	u.wire.Interrupt()
	both.Wait()
	return err
}

// receive gives the firmware what comes, each byte with its moment.
func (u *UART) receive(ctx context.Context) error {
	buf := make([]byte, u.burst)
	free := time.Now() // when the line has brought everything read so far
	for {
		waiting := u.wire.Waiting()
		n, err := u.wire.Read(buf, u.moving.Store)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		if now := time.Now(); !waiting && free.Before(now) {
			free = now // the line was idle
		}
		first := free
		free = free.Add(time.Duration(n) * u.byteFor)
		if !sleepUntil(ctx, free) {
			return nil
		}
		for i, v := range buf[:n] {
			select {
			case u.arrived <- Byte{v, first.Add(time.Duration(i+1) * u.byteFor)}:
			case <-ctx.Done():
				return nil
			}
		}
		u.moving.Store(false)
	}
}

// Arrived is where bytes arrive; each must be given to Take.
func (u *UART) Arrived() <-chan Byte { return u.arrived }

// Take is the firmware fetching a byte. It is false for a byte that found the
// receive buffer full, because the firmware was busy: that one is lost.
func (u *UART) Take(b Byte) bool {
	done := 0
	for done < len(u.taken) && !u.taken[done].After(b.At) {
		done++
	}
	u.taken = u.taken[done:]
	if u.c.RXRing > 0 && len(u.taken) >= u.c.RXRing {
		u.overran++
		return false
	}
	if u.now.Before(b.At) {
		u.now = b.At
	}
	u.taken = append(u.taken, u.now)
	return true
}

// Waiting is how many bytes waited for the firmware when the last one arrived.
func (u *UART) Waiting() int { return len(u.taken) }

// Overran is how many bytes were lost.
func (u *UART) Overran() int { return u.overran }

// ByteTime is how long a byte takes on the line.
func (u *UART) ByteTime() time.Duration { return u.byteFor }

// Wake tells the firmware the time, where it acts on something else than a
// byte. With bytes on their way the firmware's time is theirs: they arrived
// before now, and a host that was late to bring them is not a firmware that was
// busy.
func (u *UART) Wake() {
	now := time.Now() // first: what arrives from here on arrives later
	if !u.Pending() && u.now.Before(now) {
		u.now = now
	}
}

// Pending reports whether bytes have arrived that the firmware has not seen.
func (u *UART) Pending() bool {
	// In the order in which bytes go: none can slip by from a place that is looked
	// at later into one that was looked at before.
	return u.wire.Waiting() || u.moving.Load() || len(u.arrived) > 0
}

// Busy is the firmware working for d; what arrives meanwhile waits in the
// receive buffer. It is false when ctx ended first.
func (u *UART) Busy(ctx context.Context, d time.Duration) bool {
	u.now = u.now.Add(d)
	return sleepUntil(ctx, u.now)
}

// Cost is like Busy for what is too short to be waited for.
func (u *UART) Cost(d time.Duration) { u.now = u.now.Add(d) }

// Send is the firmware sending bytes. With a full transmit buffer it has to
// wait, like any firmware whose putchar blocks.
func (u *UART) Send(b []byte) {
	done := u.tx.put(b, u.now)
	if u.c.TXRing > 0 {
		if room := done.Add(-time.Duration(u.c.TXRing) * u.byteFor); u.now.Before(room) {
			u.now = room
		}
	}
}

// Sent is the moment at which everything sent so far has left.
func (u *UART) Sent() time.Time { return u.tx.end() }

func sleepUntil(ctx context.Context, t time.Time) bool {
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
