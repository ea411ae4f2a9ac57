package delivery

import (
	"context"
	"fmt"
	"time"

	"hilrig/azure/hub"
	"hilrig/azure/mqttwire"
	"hilrig/fixtures"
)

// How sure it is that a device knew of an acknowledgement before its session
// ended.
const (
	spareLeast = 250 * time.Millisecond // between the two, at the least...
	spareTrips = 3                      // ...and so many times the device's quickest answer
	spareSure  = time.Second            // so much, and once is enough
)

// noDuplicates allows what QoS 1 allows: a message again, marked DUP, and one
// whose acknowledgement the device cannot have known. It looks at the whole
// run: what a device keeps of its last message shows at reconnects only.
func noDuplicates(ctx context.Context, b *fixtures.Trial) {
	resends(b) // not applicable where a session's end is not seen
	counted(ctx, b)
	cutInPeace(ctx, b)
	r := repeatsOf(b)
	b.Measure("changes of session judged", float64(r.changes), "", nil, nil)
	b.That(!r.inOneSession(), r.findTwice())
	b.That(!r.kept(), r.findKept())
}

// changesToJudge are those that a device makes at the least in which it would
// show what it keeps of an acknowledged message.
const changesToJudge = 2

// cutInPeace drops the device's session some time after an acknowledgement, as
// often as the run has not.
func cutInPeace(ctx context.Context, b *fixtures.Trial) {
	if b.Hub.Sessions == nil || !b.Shows(hub.AllPackets) || b.Type.Behaviour.Periodic() {
		return
	}
	for range changesToJudge {
		r := repeatsOf(b)
		if r.changes >= changesToJudge {
			return
		}
		b.Step("the session is dropped, some time after an acknowledgement")
		_, err := b.AwaitMessage(ctx, b.Mark(), b.Type.Timing.PublishWithin+b.Type.Timing.Interval)
		b.Premise(err)
		b.Must(b.Rest(ctx, r.spare+r.spare/4))
		e, err := b.Reconnect(ctx)
		b.Premise(err)
		_, err = b.AwaitUseful(ctx, e.Seq)
		b.Premise(err)
	}
}

func repeatsOf(b *fixtures.Trial) *repeats {
	heard := b.Since(0, func(hub.Event) bool { return true })
	r := newRepeats(heard, !b.Shows(hub.AllPackets))
	for _, life := range b.Lives(telemetry(heard)) {
		r.look(life, b.Counter)
	}
	return r
}

func telemetry(events []hub.Event) (all []hub.Event) {
	for _, e := range events {
		if e.WholeTelemetry() {
			all = append(all, e)
		}
	}
	return all
}

// ofPacket is a packet id within a connection.
type ofPacket struct {
	conn int64
	id   uint16
}

// sessions are what a run's events say of acknowledgements and of ends.
type sessions struct {
	acked    map[ofPacket][]hub.Event // PUBACKs that were sent
	ended    map[int64]time.Time
	quickest time.Duration // from a CONNACK to the packet after it; 0: not seen
}

func sessionsOf(events []hub.Event) sessions {
	s := sessions{acked: map[ofPacket][]hub.Event{}, ended: map[int64]time.Time{}}
	begun := map[int64]time.Time{}
	for _, e := range events {
		switch {
		case e.Kind == hub.KindDisconnected:
			s.ended[e.Conn] = e.At
		case e.Kind != hub.KindPacket || e.Packet.Withheld:
		case e.Packet.In:
			if at, ok := begun[e.Conn]; ok && (s.quickest == 0 || e.At.Sub(at) < s.quickest) {
				s.quickest = e.At.Sub(at)
			}
			delete(begun, e.Conn)
		case e.Packet.Type == mqttwire.CONNACK:
			begun[e.Conn] = e.At
		case e.Packet.Type == mqttwire.PUBACK:
			of := ofPacket{e.Conn, e.Packet.ID}
			s.acked[of] = append(s.acked[of], e)
		}
	}
	return s
}

// spare is how long before the end of its session a message was acknowledged,
// or came where it needs no acknowledgement; false where it was not.
func (s sessions) spare(m hub.Event) (time.Duration, bool) {
	end, over := s.ended[m.Conn]
	if !over {
		return 0, false
	}
	if m.Message.QoS == 0 {
		return end.Sub(m.At), true
	}
	for _, ack := range s.acked[ofPacket{m.Conn, m.Message.PacketID}] {
		if ack.Seq > m.Seq {
			return end.Sub(ack.At), true
		}
	}
	return 0, false
}

// repeat is a message that came again.
type repeat struct {
	n      int64
	again  hub.Event
	spare  time.Duration // of the one before
	resent bool          // the one before had come from a session before its own, marked DUP
}

// repeats are those of a run.
type repeats struct {
	sessions
	spare   time.Duration
	blind   bool    // the hub shows no acknowledgements
	changes int     // of session behind a message whose acknowledgement was known
	twice   *repeat // without DUP, where nothing excuses it
	plain   []repeat
	marked  []repeat // with DUP
}

func newRepeats(heard []hub.Event, blind bool) *repeats {
	s := sessionsOf(heard)
	return &repeats{sessions: s, spare: max(spareLeast, spareTrips*s.quickest), blind: blind}
}

// look judges the messages of one life of the device.
func (r *repeats) look(life []hub.Event, counter func(hub.Event) (int64, bool)) {
	before := map[int64]hub.Event{}
	for i, e := range life {
		if i > 0 && e.Conn != life[i-1].Conn {
			if spare, known := r.sessions.spare(life[i-1]); known && spare >= r.spare {
				r.changes++
			}
		}
		n, ok := counter(e)
		if !ok {
			continue // delivery/payload says it
		}
		first, seen := before[n]
		before[n] = e
		if seen {
			r.see(n, first, e)
		}
	}
}

func (r *repeats) see(n int64, first, again hub.Event) {
	spare, known := r.sessions.spare(first)
	x := repeat{n, again, spare, first.Message.Dup}
	switch {
	case first.Conn == again.Conn || r.blind:
		if !again.Message.Dup && (r.twice == nil || r.twice.resent && !x.resent) {
			r.twice = &x
		}
	case !known || spare < r.spare:
	case again.Message.Dup:
		r.marked = append(r.marked, x)
	default:
		r.plain = append(r.plain, x)
	}
}

// kept reports whether the device keeps messages beyond their acknowledgement.
// A cut may destroy one that is on its way, or that a busy device has not read,
// whatever time it had: one such message is chance, and of those marked DUP
// there must be many.
func (r *repeats) kept() bool {
	for _, x := range r.plain {
		if x.spare >= spareSure {
			return true
		}
	}
	return len(r.plain) >= 2 || len(r.marked) >= 3 && 2*len(r.marked) >= r.changes
}

// inOneSession reports whether a session has a message twice, by a cause of its
// own: a device that keeps its last message says it once more behind the one
// that it rightly sent again, too.
func (r *repeats) inOneSession() bool { return r.twice != nil && !(r.twice.resent && r.kept()) }

func (r *repeats) findTwice() (f fixtures.Finding) {
	if r.twice != nil {
		f = fixtures.Finding{
			Expected: "every message once", Seen: fmt.Sprintf("number %d twice, not marked DUP", r.twice.n),
			Look: "the firmware's send queue: is a message kept after its PUBACK?", At: r.twice.again.At,
		}
	}
	return f
}

func (r *repeats) findKept() (f fixtures.Finding) {
	all, marked := r.plain, "not marked DUP"
	if len(all) == 0 {
		all, marked = r.marked, "marked DUP"
	}
	if len(all) == 0 {
		return f
	}
	return fixtures.Finding{
		Expected: "every message once, also over a reconnect, where it was acknowledged",
		Seen: fmt.Sprintf("number %d again in a later session, %s, though its session ended only %.2f s after it was acknowledged; %s so in %s behind which it would show",
			all[0].n, marked, all[0].spare.Seconds(), times(len(all), "one message", "messages"), times(r.changes, "one change of session", "changes of session")),
		Look: "what the firmware keeps of its last message: it goes at its PUBACK, not when the next one is sent, and a reconnect sends again what had no PUBACK, and that alone",
		At:   all[0].again.At,
	}
}
