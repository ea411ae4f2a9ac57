package hub

import "time"

// arrivals make a session known by its messages, at a hub that does not show
// the CONNECT. A message proves that the device has a session; when it began,
// with which identity and how it ends such a hub does not show. So the session
// begins with the first message behind the moment at which the one before was
// last known to be over, by the message's own time, and goes on until the hub or
// the bench says that it is over.
type arrivals struct {
	connections bool                 // the hub shows TLS connections: a session is one of them
	next        int64                // number of the next session, where it shows none
	last        int64                // that of the one before
	over        map[string]time.Time // when the device's last session was known to be over
	open        []int64              // connections with a complete handshake
}

// ByArrivals makes messages the sign of sessions: for a hub that does not show
// CONNECT. Where it shows connections, a session is on the newest one.
func (v *Events) ByArrivals(connections bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.arrivals == nil {
		v.arrivals = &arrivals{connections: connections, over: map[string]time.Time{}}
	}
}

// Over notes that the session which the device had is not to be counted on any
// more: it was made to connect anew, or given something else to connect with.
// At lies ahead where messages of that session may be on their way still. A hub
// that shows sessions, or connections, says itself when they end.
func (v *Events) Over(id string, at time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.arrivals != nil && !v.arrivals.connections {
		if at.After(v.arrivals.over[id]) {
			v.arrivals.over[id] = at
		}
		delete(v.sessions, id)
	}
}

// byArrivals reports whether nothing but messages is seen.
func (v *Events) byArrivals() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.arrivals != nil && !v.arrivals.connections
}

// inferred gives e the session that it is of. Where e shows that one has begun,
// that goes before it.
func (v *Events) inferred(e *Event) (begun Event, is bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	a := v.arrivals
	if a == nil {
		return Event{}, false
	}
	s, live := v.sessions[e.DeviceID]
	switch {
	case e.Kind == KindHandshake && e.Handshake != nil && e.Handshake.OK && v.whose.of(e.Conn) > ProofNone:
		a.open = append(a.open, e.Conn)
	case e.Kind == KindDisconnected:
		a.ends(e, s, live)
	case e.Accepted() && e.Conn == 0:
		e.Conn = a.begins()
	case !e.Telemetry() || e.Conn != 0:
	case live:
		e.Conn = s.Conn
	case !a.fresh(*e):
		e.Conn = a.last
	default:
		e.Conn = a.begins()
		return Event{At: e.At, Kind: KindConnect, Conn: e.Conn, Remote: e.Remote, DeviceID: e.DeviceID, Text: "a session, known by its first message",
			Connect: &Connect{ClientID: e.DeviceID, Inferred: true}}, true
	}
	return Event{}, false
}

// begins is the number of the connection that a session has which begins.
func (a *arrivals) begins() int64 {
	if n := len(a.open); n > 0 {
		a.last = a.open[n-1]
	} else if !a.connections {
		a.next++
		a.last = a.next
	}
	return a.last
}

// fresh reports whether a message shows that a session has begun: it is none of
// the session before that is only heard of now.
func (a *arrivals) fresh(e Event) bool {
	at := e.At
	if !e.Message.Enqueued.IsZero() {
		at = e.Message.Enqueued
	}
	return at.After(a.over[e.DeviceID]) && (!a.connections || len(a.open) > 0)
}

// ends takes the end of a connection, or of the device's session where the hub
// knows no connection.
func (a *arrivals) ends(e *Event, s Session, live bool) {
	if e.Conn == 0 && live {
		e.Conn = s.Conn
	}
	if live && e.Conn == s.Conn {
		a.over[e.DeviceID] = e.At
	}
	for i, conn := range a.open {
		if conn == e.Conn {
			a.open = append(a.open[:i:i], a.open[i+1:]...)
			return
		}
	}
}
