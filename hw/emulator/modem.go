package emulator

import (
	"context"
	"crypto"
	"errors"
	"log/slog"
	"maps"
	"math"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// modem is the device's way to its hub: one session after the other, with the
// files in use.
type modem struct {
	b                   *behaviour
	log                 *slog.Logger
	hub, hubName, id    string
	from                net.IP // that it dials from; nil: any of this host
	interval, keepAlive time.Duration
	twin                bool
	methods             []string
	life                context.Context // of this boot
	crash               func()          // ends it
	wait                time.Duration   // from boot to the first connection
	boot                time.Time

	outbox     *outbox // outlives a session: what was not acknowledged is sent again
	next       int64   // number of the next message
	handshakes int
	firstKey   crypto.Signer // of this boot
	sent       int           // messages of this boot that were acknowledged
	subscribed bool
	older      bool          // the next try is in MQTT 3.1
	present    bool          // the hub has kept the session, says the last CONNACK
	granted    atomic.Int64  // filters that were acknowledged
	requests   atomic.Int64  // of the twin
	living     func()        // closes the session before, where a fault keeps it
	paused     atomic.Bool   // telemetry, by command
	returns    chan struct{} // to tell the terminal of a connection that is not its first

	mu      sync.Mutex
	set     files
	asked   int           // orders given
	obeyed  int           // the last one carried out
	changed chan struct{} // closed by the next order
}

func newModem(life context.Context, c Config, b *behaviour) *modem {
	return &modem{
		b: b, log: c.Log, hub: c.Hub, hubName: c.HubName, from: net.ParseIP(c.From), id: c.DeviceID, interval: c.Interval * time.Duration(b.stretch), keepAlive: c.KeepAlive,
		twin: c.Twin, methods: c.Methods,
		life: life, returns: make(chan struct{}, 1), wait: b.connectWait, boot: time.Now(), outbox: newOutbox(), next: 1, living: func() {}, changed: make(chan struct{}),
	}
}

// use makes the modem connect anew with these files, once the terminal's answer
// has left the device. A try that is due before has them too.
func (m *modem) use(set files, answered time.Time) {
	set = maps.Clone(set)
	m.mu.Lock()
	m.asked++
	order := m.asked
	if !answered.IsZero() {
		m.set = set
	}
	m.mu.Unlock()
	obey := func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if order < m.obeyed {
			return
		}
		m.obeyed, m.set = order, set
		close(m.changed)
		m.changed = make(chan struct{})
	}
	if answered.IsZero() {
		obey()
		return
	}
	go func() {
		if sleepUntil(m.life, answered.Add(m.b.settle)) {
			obey()
		}
	}()
}

func (m *modem) current() (files, <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.set, m.changed
}

// ended is how a session, or the try for one, ended.
type ended struct {
	err     error
	down    bool          // the hub's port was closed
	cut     bool          // in the handshake
	refused bool          // by a CONNACK
	version bool          // because of the protocol's level
	stood   time.Duration // since the CONNACK
	session bool          // there was a CONNACK 0
	useful  bool          // and a message was acknowledged
	ordered bool          // by an order
	again   bool          // goes on at once, over the living session
	asleep  bool          // by the device itself, until its next message is due
}

// run keeps the device connected until its life ends.
func (m *modem) run(ctx context.Context) {
	if m.hub == "" || !sleepUntil(ctx, m.boot.Add(m.wait)) {
		return
	}
	defer func() { m.living() }()
	var failures, connects, refusals int
	var before time.Duration // the pause before this one
	for ctx.Err() == nil {
		set, changed := m.current()
		if !set.complete() {
			m.rest(ctx, changed, -1)
			continue
		}
		if !m.rest(ctx, changed, time.Duration(connects)*m.b.retry.leak) {
			continue
		}
		if m.b.sockets > 0 && connects >= m.b.sockets {
			break // it has none left
		}
		if m.showsReturn(connects) {
			m.tellReturn()
		}
		e := m.session(ctx, set, changed)
		connects++
		if m.b.crashesCut && e.session && !e.ordered {
			m.crash()
			break
		}
		if e.refused {
			refusals++
		}
		if m.b.retry.startsOver(e) {
			failures = 0
		}
		m.older = m.b.olderOnce && e.version && !m.older
		if m.older {
			continue
		}
		before = m.b.retry.gap(e, failures, before)
		gap := m.pause(e, before)
		m.log.Info("not connected", "error", e.err, "session", e.session, "refusals", refusals, "wait", gap)
		if !e.ordered && !e.again {
			failures++
			if m.calledBack(ctx, changed, gap) {
				failures = 0
			}
		}
	}
	<-ctx.Done() // it connects no more in this life
}

// calledBack stays away, and reports whether an order ended that and the backoff.
func (m *modem) calledBack(ctx context.Context, changed <-chan struct{}, pause time.Duration) bool {
	return !m.rest(ctx, changed, pause) && !m.b.retry.neverOver
}

// pause is how long it stays away: what its backoff says, or until its next
// message is due.
func (m *modem) pause(e ended, backoff time.Duration) time.Duration {
	if e.asleep {
		return m.interval
	}
	return backoff
}

func (m *modem) showsReturn(connects int) bool { return m.b.showsLater && connects > 0 }

// tellReturn tells the console that the device connects once more; one that has
// not heard of the time before hears of it once.
func (m *modem) tellReturn() {
	select {
	case m.returns <- struct{}{}:
	default:
	}
}

// startsOver reports whether a session was good for something, so that the next
// failure is a first one again; an order starts anew too.
func (r retry) startsOver(e ended) bool {
	return !r.neverOver && (e.useful && e.stood >= r.stable || e.ordered)
}

// rest waits, for ever where d is below zero; false when an order ends it.
func (m *modem) rest(ctx context.Context, changed <-chan struct{}, d time.Duration) bool {
	if d == 0 {
		return ctx.Err() == nil
	}
	var timer <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-timer:
		return true
	case <-changed:
		return false
	case <-ctx.Done():
		return false
	}
}

// gap is the pause after a session, or a try for one, that ended so, with so
// many failures in a row before it. Below zero: never again.
func (r retry) gap(e ended, failures int, before time.Duration) time.Duration {
	switch {
	case r.never && e.session, r.notRefused && e.refused, r.notDown && e.down, r.notCut && e.cut:
		return -1
	case r.afterSession > 0 && e.session:
		return r.afterSession
	case r.draw != nil:
		return r.draw(failures, before)
	}
	d := min(float64(r.first)*math.Pow(r.growth, float64(min(failures, 32))), float64(r.most))
	return time.Duration(d * (1 + r.jitter*rand.Float64()))
}

// errOrdered ends a session because the terminal said so.
var errOrdered = errors.New("ordered at the terminal")

func (m *modem) fill(s string) string {
	return strings.NewReplacer("{hub}", m.hubName, "{id}", m.id).Replace(s)
}
