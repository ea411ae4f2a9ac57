package console

// A private key that nobody made known, and that has no BEGIN line, is known by
// the head of its DER text: RFC 8017 A.1.2 (PKCS#1), RFC 5958 (PKCS#8) and RFC
// 5915 (SEC1). Nothing secret is in a head. Certificates, requests and public
// keys begin otherwise; by chance at least five fixed bytes and a length that
// fits come together once in 10^12 bytes.

// head is how DER text begins; negative: any byte.
type head []int

var keyHeads = []head{
	{0x30, 0x82, -1, -1, 2, 1, 0, 2, 0x82},     // RSA, a modulus of 2048 bits and more
	{0x30, 0x82, -1, -1, 2, 1, 0, 2, 0x81},     // RSA, 1024
	{0x30, 0x82, -1, -1, 2, 1, 0, 0x30, -1, 6}, // PKCS#8: a version, and an algorithm's name
	{0x30, 0x81, -1, 2, 1, 0, 0x30, -1, 6},     // a shorter one
	{0x30, -1, 2, 1, 0, 0x30, -1, 6},           // Ed25519, X25519
	{0x30, 0x82, -1, -1, 2, 1, 1, 0x30, -1, 6}, // with the public half
	{0x30, 0x81, -1, 2, 1, 1, 0x30, -1, 6},
	{0x30, -1, 2, 1, 1, 0x30, -1, 6},
	{0x30, -1, 2, 1, 1, 4, 0x20},       // elliptic curves: P-256
	{0x30, 0x81, -1, 2, 1, 1, 4, 0x20}, // with its parameters
	{0x30, -1, 2, 1, 1, 4, 0x30},       // P-384
	{0x30, 0x81, -1, 2, 1, 1, 4, 0x30},
	{0x30, 0x81, -1, 2, 1, 1, 4, 0x42}, // P-521
	{0x30, 0x82, -1, -1, 2, 1, 1, 4, 0x42},
	{0x30, -1, 2, 1, 1, 4, 0x42},
}

// bits are the last 128 of a stream.
type bits struct{ hi, lo uint64 }

func (b bits) push(n int, v uint64) bits { return bits{b.hi<<n | b.lo>>(64-n), b.lo<<n | v} }

// outline is a head in a stream of symbols of so many bits.
type outline struct {
	mask, value bits
	size, pad   int // bits of the head, and of what stands behind it in the last symbol
}

func outlinesOf(width int) (all []outline) {
	for _, h := range keyHeads {
		s := outline{size: 8 * len(h)}
		for _, b := range h {
			if b < 0 {
				s.mask, s.value = s.mask.push(8, 0), s.value.push(8, 0)
				continue
			}
			s.mask, s.value = s.mask.push(8, 0xff), s.value.push(8, uint64(b))
		}
		if s.pad = (width - s.size%width) % width; s.pad > 0 {
			s.mask, s.value = s.mask.push(s.pad, 0), s.value.push(s.pad, 0)
		}
		all = append(all, s)
	}
	return all
}

// length is what the DER text has in bytes, by its head at the end of the
// stream; false where that cannot be.
func (s outline) length(b bits) (n int, ok bool) {
	at := func(i int) int { // byte i of the head
		shift := s.size + s.pad - 8*(i+1)
		if shift >= 64 {
			return int(b.hi >> (shift - 64) & 0xff)
		}
		v := b.lo >> shift
		if shift > 56 {
			v |= b.hi << (64 - shift)
		}
		return int(v & 0xff)
	}
	switch first := at(1); {
	case first == 0x82:
		n = 4 + at(2)<<8 + at(3)
		return n, n >= 4+256 && n <= maxBody
	case first == 0x81:
		n = 3 + at(2)
		return n, n >= 3+128
	default:
		n = 2 + first
		return n, first < 128 && n > s.size/8+16
	}
}

// heads looks for heads in the symbols of one coding.
type heads struct {
	width    int // bits of a symbol; 0: nothing is looked for
	outlines []outline
	last     bits
	line     int // symbols of the line so far
	before   int // the same, before the line's last head began
}

// see takes a symbol, and says how many more a key has whose head it ends.
func (h *heads) see(v byte) (left int, found bool) {
	if h.width == 0 {
		return 0, false
	}
	h.last = h.last.push(h.width, uint64(v))
	h.line++
	for i := range h.outlines {
		s := &h.outlines[i]
		if h.last.lo&s.mask.lo != s.value.lo || h.last.hi&s.mask.hi != s.value.hi {
			continue
		}
		if n, ok := s.length(h.last); ok {
			h.before = max(0, h.line-(s.size+s.pad)/h.width)
			return (8*n - s.size - s.pad + h.width - 1) / h.width, true
		}
	}
	return 0, false
}

// stranger is a key of which the head was seen, until it has ended for each
// coding that shows it.
type stranger struct {
	left map[*recogniser]int
	most int // bytes of the line that it may still have
}

// begin says that a coding shows the head of a key.
func (s *stranger) begin(r *recogniser, symbols int) {
	if s.left == nil {
		s.left = map[*recogniser]int{}
	}
	if symbols > s.left[r] {
		s.left[r] = symbols
		s.most = max(s.most, mostOf(symbols))
	}
}

// mostOf bounds the text of so many symbols: "0x30, " has six characters, and
// lines begin with something.
func mostOf(symbols int) int { return 8*symbols + 256 }

func (s *stranger) active() bool { return len(s.left) > 0 }

// took counts a symbol. What stands before the key in its first line is taken
// to stand before it in each.
func (s *stranger) took(r *recogniser) (ended bool) {
	n, its := s.left[r]
	if !its {
		return false
	}
	if n > 1 {
		s.left[r] = n - 1
		return false
	}
	delete(s.left, r)
	return len(s.left) == 0
}

func (s *stranger) lineEnded(r *recogniser) {
	if n, its := s.left[r]; its {
		s.left[r] = n + r.heads.before
	}
}

// isText reports whether the key is shown as base64 text and no other way.
func (s *stranger) isText() bool {
	for r := range s.left {
		if r.coding != asText {
			return false
		}
	}
	return true
}

// leave forgets the key: too much came, or nothing for too long.
func (s *stranger) leave() { clear(s.left); s.most = 0 }
