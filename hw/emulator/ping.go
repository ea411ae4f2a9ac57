package emulator

import (
	"errors"
	"time"
)

// pinger is when the device pings, in shares of the keep-alive.
//
// It pings after half of it without having sent or got anything, which leaves
// the other half to the network: something is on the way within every
// keep-alive [MQTT-3.1.2-23], also while the device only receives, and a hub
// that is gone is noticed although the device goes on sending. It gives up before
// one and a half keep-alives have gone by without an answer, and not before a
// whole one has: a slow answer is no lost one.
type pinger struct {
	idle, answer float64
	off          bool // never pings
	byInbound    bool // what comes in counts as sent
	deaf         bool // does not miss an answer
}

var errNoPingresp = errors.New("no PINGRESP")

// ping keeps the connection alive until it is closed.
func (w *packetConn) ping(keepAlive time.Duration) {
	p := w.m.b.pings
	if keepAlive <= 0 || p.off {
		return
	}
	look := time.NewTicker(min(time.Second, max(10*time.Millisecond, keepAlive/40)))
	defer look.Stop()
	idle, answer := share(keepAlive, p.idle), share(keepAlive, p.answer)
	for {
		select {
		case <-look.C:
		case <-w.done:
			return
		}
		if err := w.pingIfDue(p, idle, answer); err != nil {
			w.fail(err)
			return
		}
	}
}

func share(d time.Duration, part float64) time.Duration { return time.Duration(float64(d) * part) }

func (w *packetConn) pingIfDue(p pinger, idle, answer time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := &w.state
	if !s.pinged.IsZero() {
		if p.deaf && time.Since(s.pinged) > answer {
			s.pinged = time.Time{}
		}
		if !p.deaf && time.Since(s.pinged) > answer {
			return errNoPingresp
		}
		return nil
	}
	quiet := max(time.Since(s.sent), time.Since(s.got))
	if p.byInbound {
		quiet = min(time.Since(s.sent), time.Since(s.got))
	}
	if quiet < idle {
		return nil
	}
	s.pinged = time.Now()
	ping := &packet{head: kindPingreq << 4}
	if !w.pass(ping, w.m.b.out) {
		return nil
	}
	return w.send(ping)
}
