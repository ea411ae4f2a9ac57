package console

// coding is a form in which a device may show the bytes of a key.
type coding string

// The codings.
const (
	asText     coding = "as base64 text"
	asBytes    coding = "as raw bytes (DER)"
	asEscapes  coding = "as escaped bytes"
	asUTF8     coding = "as bytes in UTF-8"
	asHex      coding = "in hex"
	asWords    coding = "in hex words, lowest byte first"
	asDecimals coding = "as decimal bytes"
	asOctals   coding = "in octal"
	asNumber   coding = "as a decimal number"
)

// A reader takes the bytes of a line, each at its place in the stream, and
// gives the bytes that they stand for to its sink.
type reader interface {
	read(c byte, at int64)
	pending() int64 // the place of a byte that is read in part; nothing: there is none
}

// sink takes bytes in a coding: they may be a key's own, or those of its text.
type sink struct{ bytes, text *recogniser }

func (s sink) put(v byte, from, to int64) {
	if s.bytes != nil {
		s.bytes.symbol(v, from, to)
	}
	if s.text != nil {
		textSymbol(s.text, v, from, to)
	}
}

// textSymbol takes a character of base64, of the alphabet for addresses too
// (RFC 4648 sections 4 and 5). White space and whatever else stands between
// does not matter.
func textSymbol(r *recogniser, c byte, from, to int64) {
	x := code(c)
	switch c {
	case '-':
		x = 62
	case '_':
		x = 63
	}
	if x >= 0 {
		r.symbol(byte(x), from, to)
	}
}

// plain reads bytes as they are.
type plain struct{ sink }

func (p plain) read(c byte, at int64) { p.put(c, at, at+1) }
func (plain) pending() int64          { return nothing }

// digitsOf reads the decimal digits of a number.
type digitsOf struct{ r *recogniser }

func (d digitsOf) read(c byte, at int64) {
	if c >= '0' && c <= '9' {
		d.r.symbol(c, at, at+1)
	}
}
func (digitsOf) pending() int64 { return nothing }

func hexValue(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// hexPairs reads pairs of hex digits, whatever stands between and around them:
// with odd, those that begin at every second digit of a row.
type hexPairs struct {
	sink
	odd   bool
	digit int // in the row
	high  int
	from  int64
}

func (h *hexPairs) read(c byte, at int64) {
	v := hexValue(c)
	switch {
	case v < 0:
		h.digit = 0
		return
	case (h.digit%2 == 0) != h.odd:
		h.high, h.from = v, at
	case h.digit > 0:
		h.put(byte(h.high<<4|v), h.from, at+1)
	}
	h.digit++
}

func (h *hexPairs) pending() int64 {
	if h.digit > 0 && (h.digit%2 == 0) == h.odd {
		return h.from
	}
	return nothing
}

// hexNumbers reads bytes that are written as hex numbers, one by one, without
// their leading zeros.
type hexNumbers struct {
	sink
	value, digits int
	from          int64
}

func (h *hexNumbers) read(c byte, at int64) {
	if v := hexValue(c); v >= 0 {
		if h.digits == 0 {
			h.value, h.from = 0, at
		}
		h.digits++
		h.value = (h.value<<4 | v) & 0xff
		return
	}
	if (h.digits == 1 || h.digits == 2) && c != 'x' && c != 'X' { // not the 0 of 0x
		h.put(byte(h.value), h.from, at)
	}
	h.digits = 0
}

func (h *hexNumbers) pending() int64 {
	if h.digits == 1 || h.digits == 2 {
		return h.from
	}
	return nothing
}

// hexTable reads the bytes of a dump's lines, without the address before and
// the text behind them.
type hexTable struct {
	sink
	token  []byte // hex digits of one, with their places in a row
	from   int64
	tokens int  // of the line
	over   bool // the text behind has begun
	blanks int
}

func (h *hexTable) read(c byte, at int64) {
	switch {
	case c == '\r' || c == '\n':
		h.end()
		h.tokens, h.over, h.blanks = 0, false, 0
	case h.over:
	case hexValue(c) >= 0:
		if h.tokens > 1 && h.blanks > 1 && len(h.token) == 0 {
			h.over = true
			return
		}
		if len(h.token) == 0 {
			h.from = at
		}
		h.token, h.blanks = append(h.token, c), 0
		if len(h.token) > 16 {
			h.token, h.over = h.token[:0], true // no table: hexPairs reads it
		}
	case c == ' ' || c == '\t' || c == ':' || c == ',':
		h.end()
		h.blanks++
	default:
		h.token, h.over = h.token[:0], true
	}
}

func (h *hexTable) end() {
	if len(h.token) == 0 {
		return
	}
	if h.tokens++; h.tokens > 1 && len(h.token)%2 == 0 {
		for i := 0; i < len(h.token); i += 2 {
			h.put(byte(hexValue(h.token[i])<<4|hexValue(h.token[i+1])), h.from+int64(i), h.from+int64(i)+2)
		}
	}
	h.token = h.token[:0]
}

func (h *hexTable) pending() int64 {
	if len(h.token) > 0 {
		return h.from
	}
	return nothing
}

// hexWords reads words of two, four or eight bytes whose lowest byte stands
// last, as they are printed of a memory whose lowest byte is first.
type hexWords struct {
	sink
	token []byte
	from  int64
	long  bool
}

func (h *hexWords) read(c byte, at int64) {
	v := hexValue(c)
	switch {
	case v < 0:
		h.end(at)
	case h.long:
	case len(h.token) == 16:
		h.long, h.token = true, h.token[:0]
	default:
		if len(h.token) == 0 {
			h.from = at
		}
		h.token = append(h.token, byte(v))
	}
}

func (h *hexWords) end(at int64) {
	if n := len(h.token); n == 4 || n == 8 || n == 16 {
		for i := n - 2; i >= 0; i -= 2 {
			h.put(h.token[i]<<4|h.token[i+1], h.from, at)
		}
	}
	h.token, h.long = h.token[:0], false
}

func (h *hexWords) pending() int64 {
	if len(h.token) > 0 {
		return h.from
	}
	return nothing
}

// numbersOf reads bytes that are written as numbers, one by one: 48, 130 and
// -126 are decimal; 060 and 202, of three digits, are octal too.
type numbersOf struct {
	decimal, octal sink
	value, eight   int
	digits         int
	minus          bool
	from           int64
}

func (n *numbersOf) read(c byte, at int64) {
	if c >= '0' && c <= '9' {
		if n.digits == 0 {
			n.value, n.eight, n.from = 0, 0, at
		}
		n.digits++
		if n.digits <= 3 {
			n.value = n.value*10 + int(c-'0')
			n.eight = n.eight*8 + int(c-'0')
			if c > '7' {
				n.eight = 1 << 20
			}
		}
		return
	}
	if n.digits > 0 && n.digits <= 3 {
		switch {
		case n.minus && n.value <= 128:
			n.decimal.put(byte(-n.value), n.from, at)
		case n.value <= 255:
			n.decimal.put(byte(n.value), n.from, at)
		}
		if n.digits == 3 && n.eight <= 255 {
			n.octal.put(byte(n.eight), n.from, at)
		}
	}
	n.digits, n.minus = 0, c == '-'
}

func (n *numbersOf) pending() int64 {
	if n.digits > 0 && n.digits <= 3 {
		return n.from
	}
	return nothing
}

// escapedBytes reads a string as a program would print one: what is printable as it
// is, the rest as \x82, \202, \n or %82.
type escapedBytes struct {
	sink
	state byte // 0, '\\', 'x' or 'o'
	value int
	left  int // digits that may still come
	from  int64
}

var shortEscapes = map[byte]byte{'n': '\n', 'r': '\r', 't': '\t', 'a': 7, 'b': 8, 'v': 11, 'f': 12, 'e': 27}

func (e *escapedBytes) read(c byte, at int64) {
	switch e.state {
	case 'x', 'o':
		base, v := 16, hexValue(c)
		if e.state == 'o' {
			base = 8
		}
		if v >= 0 && v < base {
			e.value = e.value*base + v
			if e.left--; e.left == 0 {
				e.done(byte(e.value), at+1)
			}
			return
		}
		if e.state == 'o' {
			e.done(byte(e.value), at)
		}
		e.state = 0
	case '\\':
		b, short := shortEscapes[c]
		switch {
		case c == 'x':
			e.state, e.value, e.left = 'x', 0, 2
		case c >= '0' && c <= '7':
			e.state, e.value, e.left = 'o', int(c-'0'), 2
		case short:
			e.done(b, at+1)
		default:
			e.done(c, at+1)
		}
		return
	}
	switch e.from = at; c {
	case '\\':
		e.state = '\\'
	case '%':
		e.state, e.value, e.left = 'x', 0, 2
	default:
		e.done(c, at+1)
	}
}

func (e *escapedBytes) done(v byte, to int64) {
	e.state = 0
	e.put(v, e.from, to)
}

func (e *escapedBytes) pending() int64 {
	if e.state != 0 {
		return e.from
	}
	return nothing
}

// latin reads bytes that were printed as the characters of Latin-1, in UTF-8.
type latin struct {
	sink
	lead byte
	from int64
}

func (l *latin) read(c byte, at int64) {
	lead := l.lead
	l.lead = 0
	switch {
	case lead != 0 && c&0xc0 == 0x80:
		l.put(lead<<6|c&0x3f, l.from, at+1)
	case c == 0xc2 || c == 0xc3:
		l.lead, l.from = c, at
	default:
		l.put(c, at, at+1)
	}
}

func (l *latin) pending() int64 {
	if l.lead != 0 {
		return l.from
	}
	return nothing
}

// steering leaves out what steers a terminal: ESC [ … letter, ESC ] … BEL, and
// ESC with one character (ECMA-48).
type steering struct {
	state byte // 0, ESC, '[' or ']'
	n     int
}

// maxSteering is when a sequence is none after all.
const maxSteering = 64

func (s *steering) skips(c byte) bool {
	s.n++
	switch {
	case c == 0x1b:
		s.state, s.n = c, 0
		return true
	case s.state == 0:
		return false
	case s.n > maxSteering || c == '\r' || c == '\n':
		s.state = 0
		return false
	case s.state == 0x1b && (c == '[' || c == ']'):
		s.state = c
	case s.state == 0x1b, s.state == '[' && c >= 0x40, s.state == ']' && c == 7:
		s.state = 0
	}
	return true
}
