package hub

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"hilrig/azure/tlswire"
	"hilrig/record"
)

// Proof says what makes a connection that of the device which a hub is for,
// weakest first. Anybody can reach the port: that a connection came to be is
// no proof of who made it.
type Proof int8

// The proofs.
const (
	ProofNone        Proof = iota // a stranger's: the device comes from elsewhere
	ProofPossible                 // nothing speaks against it: the device has not proven itself yet
	ProofAddress                  // from an address at which the device has proven itself
	ProofHello                    // a ClientHello that is the device's own in everything that does not change
	ProofClientID                 // its CONNECT names the device
	ProofCertificate              // it presented a certificate that was registered for the device
)

func (p Proof) String() string {
	return []string{"none", "nothing against it", "its address", "its ClientHello", "its client id", "its certificate"}[p]
}

// Noise is what strangers did at a hub beyond what is recorded one by one.
type Noise struct {
	Address     string `json:"address"`
	Connections int    `json:"connections"` // that are not in the record
	Wordless    int    `json:"wordless"`    // of them, those that never began TLS
	Evicted     int    `json:"evicted"`     // that were closed to make room
	AtDevice    bool   `json:"at_device"`   // the address is the device's own
}

// Crowded reports whether the device itself may have been kept out: somebody
// else at its own address takes its place. A device that hammers begins TLS,
// and holds few connections at a time.
func (n Noise) Crowded() bool { return n.AtDevice && (n.Wordless > 0 || n.Evicted > 0) }

func (n Noise) describe() string {
	whose := "a stranger"
	if n.AtDevice {
		whose = "the device's own address"
	}
	return fmt.Sprintf("%d more connections from %s, %s: %d of them without a word, %d closed to make room",
		n.Connections, n.Address, whose, n.Wordless, n.Evicted)
}

// party is what is known of who is behind a connection.
type party struct {
	from  netip.Addr
	proof Proof // by itself, whatever its address: none, hello, client id, certificate
	print string
	hello string
	last  int  // Seq of its newest event, or nearly
	ended bool // the connection has

	unclear bool // it came while a neighbour may have dialled
	others  bool // it is a neighbour's
	shown   bool // something was shown to it

	muted bool // its source is loud: it is in the record once it has proven itself
	held  []Event
}

// attribution tells whose connections are. It is the one place that does.
type attribution struct {
	device string // that the hub is for; empty: any registered one
	prints *prints
	beside *neighbours // nil: the device has its address for itself

	mu      sync.Mutex
	homes   map[netip.Addr]bool
	hellos  map[string]bool
	parties map[int64]*party
	sources map[netip.Addr]*source
	crowd   bucket    // of all strangers together
	told    time.Time // when noise last was
}

// prints are the thumbprints that were ever registered, in upper case.
type prints struct {
	mu  sync.Mutex
	all map[string]bool
}

func (p *prints) has(t record.Thumbprints) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.all[t.SHA256] || p.all[t.SHA1]
}

func newAttribution(device string) *attribution {
	return &attribution{
		device: device, prints: &prints{all: map[string]bool{}}, homes: map[netip.Addr]bool{}, hellos: map[string]bool{},
		parties: map[int64]*party{}, sources: map[netip.Addr]*source{},
		crowd: bucket{burst: 10 * strangerBurst, perSecond: 2 * strangerRate},
	}
}

// know takes the thumbprints of a registered device: whoever had one once is
// still that device.
func (a *attribution) know(d Device) {
	if a.device != "" && d.ID != a.device {
		return
	}
	a.prints.mu.Lock()
	defer a.prints.mu.Unlock()
	for _, t := range d.Thumbprints {
		a.prints.all[strings.ToUpper(t)] = true
	}
}

// of is what makes a connection the device's, by what is known now.
func (a *attribution) of(conn int64) Proof {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p := a.parties[conn]; p != nil {
		return a.proofOf(p)
	}
	return ProofPossible
}

func (a *attribution) proofOf(p *party) Proof {
	switch {
	case p.others:
		return ProofNone
	case p.proof > ProofNone:
		return p.proof
	case p.unclear:
		return ProofNone
	case a.homes[p.from]:
		return ProofAddress
	case a.device == "" || len(a.homes) == 0:
		return ProofPossible
	}
	return ProofNone
}

// stranger reports whether a connection that begins is another's than the
// device's. Of one that comes from several addresses nobody can say.
func (a *attribution) stranger(conn int64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := a.parties[conn]
	return p != nil && !p.unclear && len(a.homes) < 2 && a.proofOf(p) == ProofNone
}

// attribute learns from an event, which will be recorded as number seq, whose its
// connection is. It is kept out of the record where its source is too loud;
// what was so held back before comes first once the connection has proven
// itself.
func (a *attribution) attribute(e Event, seq int) (before []Event, keep bool) {
	if e.Conn == 0 {
		return nil, true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	p := a.parties[e.Conn]
	if p == nil {
		if e.Kind != KindAccepted {
			return nil, true
		}
		p = &party{from: AddressOf(e.Remote)}
		a.parties[e.Conn] = p
		p.muted = a.loud(p, e)
	}
	p.last, p.ended = seq, e.Kind == KindDisconnected
	a.learn(p, e)
	if !p.muted {
		return nil, true
	}
	s := a.sourceOf(p.from)
	if p.proof >= ProofClientID {
		before = p.held
		s.pending.Connections--
		p.muted, p.held = false, nil
		return before, true
	}
	switch e.Kind {
	case KindAccepted:
		s.pending.Connections++
		p.held = append(p.held, e)
	case KindHandshake:
		p.held = append(p.held, e)
		if e.Handshake != nil && e.Handshake.Wordless() {
			s.pending.Wordless++
		}
	case KindDisconnected:
		delete(a.parties, e.Conn)
	}
	return nil, false
}

// learn notes what an event proves.
func (a *attribution) learn(p *party, e Event) {
	if a.learnBeside(p, e) {
		return
	}
	switch {
	case e.Kind == KindHandshake && e.Handshake != nil:
		p.print, p.hello = e.Handshake.Thumbprints.SHA256, fingerprint(e.Handshake.Hello)
		switch {
		case e.Handshake.OK && a.prints.has(e.Handshake.Thumbprints):
			a.prove(p, ProofCertificate)
		case a.hellos[p.hello] && a.beside == nil: // neighbours run the same firmware
			p.proof = max(p.proof, ProofHello)
		}
	case e.Kind == KindConnect && e.Connect != nil:
		if e.Accepted() || a.device != "" && e.Connect.ClientID == a.device {
			a.prove(p, ProofClientID)
		}
	}
}

// prove takes a connection for the device's, and where and how it came for
// where and how the device comes.
func (a *attribution) prove(p *party, by Proof) {
	p.proof = max(p.proof, by)
	a.homes[p.from] = true
	if p.hello != "" {
		a.hellos[p.hello] = true
	}
}

// forget lets connections go that ended before the record begins.
func (a *attribution) forget(before int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for conn, p := range a.parties {
		if p.ended && p.last < before {
			delete(a.parties, conn)
		}
	}
}

// printOf is the thumbprint of the certificate that a connection presented.
func (a *attribution) printOf(conn int64) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p := a.parties[conn]; p != nil {
		return p.print
	}
	return ""
}

// AddressOf is the address of a remote end without its port.
func AddressOf(remote string) netip.Addr {
	if at, err := netip.ParseAddrPort(remote); err == nil {
		return at.Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}

// fingerprint is what of a hello does not change from one connection to the
// next; empty without one.
func fingerprint(h *tlswire.ClientHello) string {
	if h == nil {
		return ""
	}
	var b strings.Builder
	fmt.Fprint(&b, h.RecordVersion, h.Version, h.ServerName, h.Compression, h.PointFormats, h.ALPN)
	for _, list := range [][]uint16{h.Suites, h.Versions, h.Groups, h.SignatureAlgorithms} {
		b.WriteByte('/')
		for _, v := range list {
			if !tlswire.IsGREASE(v) {
				fmt.Fprint(&b, v, ",")
			}
		}
	}
	return b.String()
}

// Proof is what makes a connection the device's, by what is known now: a
// connection that has only begun may prove itself later.
func (v *Events) Proof(conn int64) Proof { return v.whose.of(conn) }

// Thumbprint is the SHA-256 thumbprint of the certificate that a connection
// presented; empty without one.
func (v *Events) Thumbprint(conn int64) string { return v.whose.printOf(conn) }

// Know takes the thumbprints of a registered device: whoever had one once is
// still that device.
func (v *Events) Know(d Device) { v.whose.know(d) }

// Stranger reports whether a connection that begins is another's than the
// device's. Of one that comes from several addresses nobody can say.
func (v *Events) Stranger(conn int64) bool { return v.whose.stranger(conn) }

// Evicted notes that connections from an address were closed to make room.
func (v *Events) Evicted(at netip.Addr, n int) { v.whose.evicted(at, n) }
