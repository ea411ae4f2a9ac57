package console

import (
	"bytes"
	"time"
)

// masker finds private keys in the bytes of one direction as they come, however
// they are cut up. A key is known by its BEGIN line; and by what is in it,
// where it was made known, in whatever coding it comes. A byte is held back
// only while what comes next may show that it is a key's.
type masker struct {
	known *secrets
	found func(c coding, piece uint64) // a piece of a known key; before what stands there is shown
	emit  func(b byte, masked bool, at time.Time)

	held      []heldByte // bytes that are not decided yet
	base      int64      // place of the first of them in the stream
	lineStart int64

	// The way by what is in a key.
	recognisers []*recogniser
	raw         []reader // of all bytes
	shown       []reader // of those that do not steer a terminal
	steering    steering
	beside      bool // the rest of the line stands beside bytes of a key: their text, as dumps have it

	stranger stranger // a key that nobody made known, by its head

	// The way by the BEGIN line.
	where  place
	recent []byte // what came last, to see a BEGIN line in
	body   int    // bytes of the key so far
	dash   bool   // one dash of the body waits for a second
	last   time.Time
}

type heldByte struct {
	b      byte
	masked bool
	at     time.Time
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

// maxHeld bounds what is held back.
const maxHeld = 1 << 10

func newMasker(known *secrets, emit func(b byte, masked bool, at time.Time), found func(coding, uint64)) *masker {
	m := &masker{known: known, emit: emit, found: found}
	look := func(c coding, set *grams) *recogniser {
		r := newRecogniser(m, c, set)
		m.recognisers = append(m.recognisers, r)
		return r
	}
	both := func(c coding) sink { return sink{look(c, known.bytes), look(c, known.text)} }
	m.raw = []reader{plain{sink{bytes: look(asBytes, known.bytes)}}}
	m.shown = []reader{
		plain{sink{text: look(asText, known.text)}},
		digitsOf{look(asNumber, known.digits)},
		&hexPairs{sink: both(asHex)}, &hexPairs{sink: both(asHex), odd: true}, &hexNumbers{sink: both(asHex)}, &hexTable{sink: both(asHex)}, &hexWords{sink: both(asWords)},
		&numbersOf{decimal: both(asDecimals), octal: both(asOctals)},
		&escapedBytes{sink: sink{bytes: look(asEscapes, known.bytes)}}, &latin{sink: sink{bytes: look(asUTF8, known.bytes)}},
	}
	return m
}

func (m *masker) feed(b []byte, at time.Time) {
	if at.Sub(m.last) > maxSilence {
		m.leave()
	}
	m.last = at
	for _, c := range b {
		m.add(c, at)
	}
}

func (m *masker) add(c byte, at time.Time) {
	place := m.base + int64(len(m.held))
	ends := c == '\r' || c == '\n'
	m.beside = m.beside && !ends
	masked := m.inPEM(c) || m.ofStranger(c)
	m.held = append(m.held, heldByte{c, masked || m.beside, at})
	for _, r := range m.raw {
		r.read(c, place)
	}
	if !m.steering.skips(c) {
		for _, r := range m.shown {
			r.read(c, place)
		}
	}
	if ends {
		m.lineStart = place + 1
		for _, r := range m.recognisers {
			r.lineEnded()
		}
	}
	m.release(m.decided())
}

// decided is the place up to which the bytes that are held back can be shown.
func (m *masker) decided() int64 {
	end := m.base + int64(len(m.held))
	first := end
	for _, r := range m.recognisers {
		first = min(first, r.hold)
	}
	if m.known.any() {
		for _, r := range m.shown {
			first = min(first, r.pending())
		}
	}
	if m.dash {
		first = min(first, end-1)
	}
	return max(first, end-maxHeld)
}

// hide masks the bytes at from until to, as far as they are not shown. Behind
// the numbers of a dump its line may have the same bytes once more, as text.
func (m *masker) hide(from, to int64, c coding) {
	end := m.base + int64(len(m.held))
	switch c {
	case asHex, asWords, asDecimals, asOctals:
		if m.held[len(m.held)-1].b != '\n' && m.held[len(m.held)-1].b != '\r' {
			m.beside = true
			to = end
		}
	}
	for i := max(from, m.base); i < min(to, end); i++ {
		m.held[i-m.base].masked = true
	}
}

// release lets the bytes before a place go.
func (m *masker) release(until int64) {
	n := int(until - m.base)
	if n <= 0 {
		return
	}
	for _, h := range m.held[:n] {
		m.emit(h.b, h.masked, h.at)
	}
	m.held = append(m.held[:0], m.held[n:]...)
	m.base = until
}

// flush shows what is held back, because the line fell silent or somebody wants
// to see it now. It is too little to be a key, and what follows of the same key
// is still known for what it is.
func (m *masker) flush() {
	m.dash = false // one of the body
	m.release(m.base + int64(len(m.held)))
}

// inPEM reports whether a byte is in the body of a key's PEM text. Two dashes
// begin the END line: base64 has none, and one alone may be a bad byte.
func (m *masker) inPEM(c byte) bool {
	switch m.where {
	case inBegin:
		if c == '-' {
			return false
		}
		m.where, m.body, m.dash = inBody, 0, false
		return m.inPEM(c)
	case inBody:
		switch {
		case c == '-' && m.dash:
			m.dash, m.where = false, outside
			m.held[len(m.held)-1].masked = false
			m.recent = append(m.recent[:0], "--"...)
			return false
		case c == '*' || m.body > maxBody:
			m.leave()
		default:
			m.dash = c == '-'
			m.body++
			return true
		}
	}
	m.watch(c)
	return false
}

// ofStranger reports whether a byte belongs to a key that is known by its head.
func (m *masker) ofStranger(c byte) bool {
	if !m.stranger.active() {
		return false
	}
	if m.stranger.most--; m.stranger.most < 0 || c == '*' && m.stranger.isText() {
		m.stranger.leave()
		return false
	}
	return true
}

// stranded counts a symbol of such a key, or finds its head. A PEM text is
// masked to its END line anyway.
func (m *masker) stranded(r *recogniser, v byte) {
	if m.stranger.took(r) {
		m.hide(m.base+int64(len(m.held))-1, m.base+int64(len(m.held)), r.coding) // and what stands beside it
	}
	if left, found := r.heads.see(v); found && m.where != inBody {
		m.stranger.begin(r, left)
	}
}

// leave ends a key that has no END line.
func (m *masker) leave() {
	m.stranger.leave()
	m.where, m.dash = outside, false
	m.recent = m.recent[:0]
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
