package hub

import (
	"maps"
	"slices"
	"time"

	"hilrig/record"
)

// neighbours are other boards that come from the device's own address and dial
// the same port, as behind one NAT. Nothing but a certificate, or the name in a
// CONNECT, tells a connection of theirs from one of the device's: what ends
// before that while one of them may be dialling is nobody's.
type neighbours struct {
	live   map[string]int64 // by client id: the connection of its session; 0: it has none
	heard  map[string]bool  // by client id: it has dialled
	prints map[string]bool  // thumbprints that they came with
	loose  time.Time        // when somebody last failed to connect while the device had a session
	device int64            // the connection of the device's session; 0: it has none
}

// looseFor is how long somebody who could not connect here is taken to go on
// trying.
const looseFor = 5 * time.Minute

// Beside says which other boards, by client id, may dial from the device's own
// address. It is called before the hub's first connection.
func (v *Events) Beside(ids []string) {
	if len(ids) == 0 {
		return
	}
	n := &neighbours{live: map[string]int64{}, heard: map[string]bool{}, prints: map[string]bool{}}
	for _, id := range ids {
		n.live[id] = 0
	}
	v.whose.mu.Lock()
	defer v.whose.mu.Unlock()
	v.whose.beside = n
}

// dialling are those that may dial at this moment: they were heard here, and have
// no session. Somebody who could not connect is one without a name.
func (n *neighbours) dialling(now time.Time) (ids []string) {
	if n == nil {
		return nil
	}
	for _, id := range slices.Sorted(maps.Keys(n.heard)) {
		if n.live[id] == 0 {
			ids = append(ids, id)
		}
	}
	if !n.loose.IsZero() && now.Sub(n.loose) < looseFor {
		ids = append(ids, "")
	}
	return ids
}

// Dialling are the neighbours, by client id, that may dial at this moment; an
// empty id is one that ends its connections before it names itself.
func (v *Events) Dialling() []string {
	v.whose.mu.Lock()
	defer v.whose.mu.Unlock()
	return v.whose.beside.dialling(time.Now())
}

// Unheard are the neighbours, by client id, that have not been heard here.
func (v *Events) Unheard() (ids []string) {
	v.whose.mu.Lock()
	defer v.whose.mu.Unlock()
	if n := v.whose.beside; n != nil {
		for _, id := range slices.Sorted(maps.Keys(n.live)) {
			if !n.heard[id] {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// Unclear reports whether a connection may be the device's or a neighbour's, by
// what is known now.
func (v *Events) Unclear(conn int64) bool {
	v.whose.mu.Lock()
	defer v.whose.mu.Unlock()
	p := v.whose.parties[conn]
	return p != nil && p.unclear && !p.others && p.proof == ProofNone
}

// Others reports whether a connection is known to be a neighbour's.
func (v *Events) Others(conn int64) bool {
	v.whose.mu.Lock()
	defer v.whose.mu.Unlock()
	p := v.whose.parties[conn]
	return p != nil && p.others
}

// learnBeside notes what an event says of who else is there; true where the
// connection is a neighbour's.
func (a *attribution) learnBeside(p *party, e Event) bool {
	n := a.beside
	switch {
	case n == nil:
		return false
	case e.Kind == KindAccepted:
		p.unclear = len(n.dialling(e.At)) > 0
	case e.Kind == KindFaultShown:
		p.shown = true
	case e.Kind == KindHandshake && e.Handshake != nil:
		a.handshakeBeside(p, e)
	case e.Kind == KindConnect && e.Connect != nil:
		a.connectBeside(p, e)
	case e.Kind == KindDisconnected:
		if n.device == e.Conn {
			n.device = 0
		}
		for id, conn := range n.live {
			if conn == e.Conn {
				n.live[id] = 0
			}
		}
	}
	return p.others
}

// handshakeBeside tells by its certificate whose a handshake was. One that failed
// though nothing wrong was shown to it, while the device had a session, was not
// the device's.
func (a *attribution) handshakeBeside(p *party, e Event) {
	n, h := a.beside, e.Handshake
	switch {
	case a.prints.has(h.Thumbprints):
		p.unclear = false // no neighbour has this certificate, whether its key was proven or not
	case h.Thumbprints != (record.Thumbprints{}):
		p.others = n.prints[h.Thumbprints.SHA256]
	case !h.OK && !p.shown && h.Fault == "" && n.device != 0:
		p.others, n.loose = true, e.At
	}
}

// connectBeside tells by its CONNECT whose a connection is.
func (a *attribution) connectBeside(p *party, e Event) {
	n, id := a.beside, e.Connect.ClientID
	_, beside := n.live[id]
	switch {
	case beside && p.proof < ProofCertificate:
		p.others, n.heard[id] = true, true
		if p.print != "" {
			n.prints[p.print] = true
		}
		if e.Accepted() {
			n.live[id] = e.Conn
		}
	case e.Accepted():
		n.device = e.Conn
	}
}
