package soak

import (
	"fmt"
	"runtime"
	"sync"
	"time"

	"hilrig/azure/hub"
	"hilrig/fixtures"
)

// tally follows the hub's events while they happen: a soak has more of them
// than the hub keeps. It judges nothing while it runs.
type tally struct {
	stop func()
	heap uint64

	mu                          sync.Mutex
	read                        func(hub.Event) (int64, bool)
	messages                    int
	missing                     []string
	lost                        int64 // between sessions
	last                        int64 // number of the last message
	lastConn                    int64
	known                       bool
	keepAlive                   map[int64]time.Duration
	heard                       map[int64]time.Time
	silences                    []string
	longest                     time.Duration
	sessions                    int
	ends                        map[string]int
	violations                  []string
	gapAt, silentAt, violatedAt time.Time       // the first of each
	arrivals                    []time.Duration // between messages of one session
	arrived                     time.Time
}

// mostNamed bounds what is told one by one.
const mostNamed = 10

func follow(b *fixtures.Trial) *tally {
	l := &tally{read: b.Counter, keepAlive: map[int64]time.Duration{}, heard: map[int64]time.Time{}, ends: map[string]int{}, heap: heapInUse()}
	if conn, _, live := b.Session(); live && b.Shows(hub.AllPackets) { // the session that goes on
		for _, e := range b.Since(0, func(e hub.Event) bool { return e.Conn == conn && e.Kind == hub.KindConnect }) {
			l.keepAlive[conn], l.heard[conn] = e.Connect.KeepAlive, time.Now()
		}
	}
	l.stop = b.Hub.Events().Watch(l.note)
	return l
}

func heapInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}

func (l *tally) note(e hub.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch e.Kind {
	case hub.KindConnect:
		if e.Accepted() {
			l.sessions++
			l.keepAlive[e.Conn], l.heard[e.Conn] = e.Connect.KeepAlive, e.At
		}
	case hub.KindPacket:
		if e.Packet.In {
			l.checkSilence(e)
		}
	case hub.KindMessage:
		if e.Telemetry() {
			l.message(e)
		}
	case hub.KindViolation:
		if len(l.violations) < mostNamed {
			l.violations, l.violatedAt = append(l.violations, e.Text), firstOf(l.violatedAt, e.At)
		}
	case hub.KindDisconnected:
		delete(l.keepAlive, e.Conn)
		delete(l.heard, e.Conn)
		l.ends[e.Text]++
	}
}

// checkSilence holds the device to its keep-alive, with a tenth or half a second more
// for the wire.
func (l *tally) checkSilence(e hub.Event) {
	k, last := l.keepAlive[e.Conn], l.heard[e.Conn]
	if last.IsZero() {
		return
	}
	gap := e.At.Sub(last)
	l.heard[e.Conn] = e.At
	l.longest = max(l.longest, gap)
	if k > 0 && gap > k+max(k/10, 500*time.Millisecond) && len(l.silences) < mostNamed {
		l.silences, l.silentAt = append(l.silences, fmt.Sprintf("%.1f s before %s", gap.Seconds(), e.Packet.Name)), firstOf(l.silentAt, e.At)
	}
}

// firstOf keeps a moment that is there already.
func firstOf(at, now time.Time) time.Time {
	if at.IsZero() {
		return now
	}
	return at
}

// message looks for numbers that are missing within a session. Between two
// sessions they are counted: what a device does not send while it has no
// session is no loss that MQTT knows.
func (l *tally) message(e hub.Event) {
	l.messages++
	same := l.lastConn == e.Conn
	if same && !e.Message.Dup {
		l.arrivals = append(l.arrivals, e.At.Sub(l.arrived))
	}
	l.arrived = e.At
	n, ok := l.read(e)
	switch {
	case !ok:
	case l.known && n > l.last+1 && same:
		for i := l.last + 1; i < n && len(l.missing) < mostNamed; i++ {
			l.missing, l.gapAt = append(l.missing, fmt.Sprint(i)), firstOf(l.gapAt, e.At)
		}
	case l.known && n > l.last+1:
		l.lost += n - l.last - 1
	}
	if ok && (n > l.last || !e.Message.Dup) { // a resend does not turn the count back, a reboot does
		l.last, l.known = n, true
	}
	l.lastConn = e.Conn
}
