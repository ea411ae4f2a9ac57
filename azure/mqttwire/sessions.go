package mqttwire

import (
	"hash/maphash"
	"sync"
	"time"
)

// maxSessions bounds how many client ids a Sessions remembers.
const maxSessions = 1024

// Sessions remembers across connections what a client left unacknowledged, by
// client id. The Checkers of one hub share one. It remembers at most 1,024
// client ids, and of each at most one message a packet identifier, as a hash.
// Safe for concurrent use.
type Sessions struct {
	mu   sync.Mutex
	byID map[string]*session
	seed maphash.Seed // of the hashes of contents
}

// NewSessions makes an empty memory.
func NewSessions() *Sessions { return &Sessions{byID: map[string]*session{}, seed: maphash.MakeSeed()} }

// Excuse forgets what clientID owes from earlier connections: its power was
// cut, or it was given another identity.
func (s *Sessions) Excuse(clientID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := s.byID[clientID]; v != nil {
		clear(v.pending)
		clear(v.contents)
	}
}

// session is what is known of one client id.
type session struct {
	connections uint64              // accepted so far; the last one owns the session
	pending     map[uint16]*message // of the client, not yet acknowledged
	seen        map[uint16]uint64   // content last sent under each packet identifier
	contents    map[uint64]uint16   // the packet identifier each content was last sent under
	received    map[uint16]bool     // packet identifiers the server has sent messages under
	repeats     bool                // the client sends the same content as messages of their own
	firsts      int                 // messages sent for the first time, DUP 0
	strangers   []time.Time         // messages that came with DUP and had never been seen; at most strangersProve
}

// message is a PUBLISH at QoS 1 or 2 on its way.
type message struct {
	content    uint64
	topic      string
	connection uint64 // on which it was first seen
	resent     bool   // on the connection that now owns the session
	blamed     bool
	released   bool // QoS 2: PUBREL was sent
}

// of finds or makes the session of a client id. Over the bound, another is
// forgotten, which can only make a Checker milder.
func (s *Sessions) of(clientID string) *session {
	if v := s.byID[clientID]; v != nil {
		return v
	}
	if len(s.byID) >= maxSessions {
		for id := range s.byID {
			delete(s.byID, id)
			break
		}
	}
	v := &session{pending: map[uint16]*message{}, seen: map[uint16]uint64{}, contents: map[uint64]uint16{}, received: map[uint16]bool{}}
	s.byID[clientID] = v
	return v
}

// contentOf is the hash by which a message is known again.
func (s *Sessions) contentOf(p Packet) uint64 {
	var h maphash.Hash
	h.SetSeed(s.seed)
	_, _ = h.Write([]byte{p.QoS, byte(len(p.Topic) >> 8), byte(len(p.Topic))})
	_, _ = h.WriteString(p.Topic)
	_, _ = h.Write(p.Payload)
	return h.Sum64()
}

// note remembers that a message with this content was sent under id.
func (v *session) note(id uint16, content uint64, dup bool) {
	const bound = 4096
	if len(v.contents) >= bound {
		clear(v.contents)
	}
	if other, known := v.contents[content]; known && other != id && !dup {
		v.repeats = true
	}
	v.contents[content] = id
	v.seen[id] = content
}
