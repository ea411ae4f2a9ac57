package console

import (
	"bytes"
	"time"
)

// masker finds private keys in the bytes of one direction as they come, however
// they are cut up. A key is known by its BEGIN line; and, where that is damaged
// or missing, by any piece of a key that was made known, whatever white space
// is in between. It holds a byte back only while what comes next may make it
// part of a known piece.
type masker struct {
	known *secrets
	emit  func(b byte, masked bool, at time.Time)

	// The way by known pieces.
	chain  [gram]byte // the last base64 characters in a row
	have   int        // how many of them
	length int        // how many of the last may be a key's
	held   []heldByte // bytes that are not decided yet
	smear  bool       // the byte before was a key's, so the rest of its run is too

	// The way by the BEGIN line.
	where  place
	recent []byte // what was shown last, to see a BEGIN line in
	body   int    // bytes of the key so far
	dash   bool   // one dash of the body waits for a second
	last   time.Time
}

type heldByte struct {
	b  byte
	at time.Time
}

// place is where in a key's PEM text a direction is.
type place int

const (
	outside place = iota
	inBegin       // in the dashes that end the BEGIN line
	inBody
)

// A key that is without an END line ends with the `*` of the transfer, after so
// many bytes (RSA 4096 has 3,272), or after such a silence: else a transfer
// that was cut short would hide all that follows.
const (
	maxBody    = 8 << 10
	maxSilence = 2 * time.Second
)

// maxHeld bounds what is held back; more than some white space between the
// characters of a piece is none.
const maxHeld = 64

func (m *masker) feed(b []byte, at time.Time) {
	if m.where != outside && at.Sub(m.last) > maxSilence {
		m.leave()
	}
	m.last = at
	for _, c := range b {
		switch m.where {
		case inBody:
			m.inside(c, at)
		case inBegin:
			if c == '-' {
				m.emit(c, false, at)
				continue
			}
			m.where, m.body, m.dash = inBody, 0, false
			m.inside(c, at)
		default:
			m.outside(c, at)
		}
	}
}

// inside takes a byte of a key's body. Two dashes begin the END line: base64
// has none, and one alone may be a bad byte.
func (m *masker) inside(c byte, at time.Time) {
	switch {
	case c == '-' && m.dash:
		m.dash = false
		m.where = outside
		m.recent = append(m.recent[:0], "--"...)
		m.emit(c, false, at)
		m.emit(c, false, at)
		return
	case c == '-':
		m.dash = true
		return
	case c == '*' || m.body > maxBody:
		m.leave()
		m.outside(c, at)
		return
	}
	m.hideDash()
	m.body++
	m.emit(c, true, at)
}

// hideDash: the dash that waited was one of the body.
func (m *masker) hideDash() {
	if m.dash {
		m.dash = false
		m.body++
		m.emit('-', true, m.last)
	}
}

// leave ends a key that has no END line.
func (m *masker) leave() {
	if m.where == inBody {
		m.hideDash()
	}
	m.where = outside
	m.recent = m.recent[:0]
}

func (m *masker) outside(c byte, at time.Time) {
	x := code(c)
	switch {
	case x >= 0:
		m.character(c, x, at)
	case c <= ' ' || c == 0x7f: // white space, also a stray control byte, does not end a piece
		m.smear = false
		if m.length == 0 {
			m.emit(c, false, at)
			break
		}
		m.held = append(m.held, heldByte{c, at})
		if len(m.held) > maxHeld {
			m.release(len(m.held), false)
		}
	default:
		m.smear = false
		m.release(len(m.held), false)
		m.have, m.length = 0, 0
		m.emit(c, false, at)
	}
	m.watch(c)
}

// character takes a base64 character outside of a PEM key.
func (m *masker) character(c byte, x int, at time.Time) {
	var last [2]int
	if m.have >= 1 {
		last[1] = code(m.chain[gram-1])
	}
	if m.have >= 2 {
		last[0] = code(m.chain[gram-2])
	}
	m.length = m.known.longest(m.length, last, x)
	copy(m.chain[:], m.chain[1:])
	m.chain[gram-1] = c
	m.have = min(m.have+1, gram)
	switch {
	case m.length >= gram && m.known.has(piece(m.chain)):
		m.release(len(m.held), true)
		m.emit(c, true, at)
		m.smear = true
	case m.smear: // a byte was lost or has changed in the middle of a key
		m.emit(c, true, at)
	default:
		m.held = append(m.held, heldByte{c, at})
		m.release(len(m.held)-m.undecided(), false)
	}
}

// undecided is how many bytes at the end of those held back may still become
// part of a known piece: at most gram-1 characters and what is between them.
func (m *masker) undecided() int {
	characters := min(m.length, gram-1)
	if characters == 0 {
		return 0
	}
	for i := len(m.held) - 1; i >= 0; i-- {
		if code(m.held[i].b) >= 0 {
			if characters--; characters == 0 {
				return len(m.held) - i
			}
		}
	}
	return len(m.held)
}

// release lets the first n bytes held back go.
func (m *masker) release(n int, masked bool) {
	for _, h := range m.held[:n] {
		m.emit(h.b, masked, h.at)
	}
	m.held = append(m.held[:0], m.held[n:]...)
}

// flush shows what is held back, because the line fell silent or somebody wants
// to see it now. It is less than a piece, and what follows of the same piece is
// still known for what it is.
func (m *masker) flush() {
	m.hideDash()
	m.release(len(m.held), false)
}

var keyLabel = []byte("PRIVATE KEY") // of RFC 7468 section 10 and its older forms

// watch sees a BEGIN line end. One of which the beginning was lost counts too;
// an END line does not.
func (m *masker) watch(c byte) {
	if c == '-' && bytes.HasSuffix(m.recent, keyLabel) {
		label := m.recent[:len(m.recent)-len(keyLabel)]
		label = label[bytes.LastIndexByte(label, '-')+1:]
		if !bytes.Contains(label, []byte("END ")) {
			m.where = inBegin
		}
	}
	if len(m.recent) >= 128 {
		m.recent = append(m.recent[:0], m.recent[len(m.recent)-64:]...)
	}
	m.recent = append(m.recent, c)
}
