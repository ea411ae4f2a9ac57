package tlswire

import (
	"bytes"
	"time"
)

// cursor reads big-endian numbers and length-prefixed runs off b. After a
// short read, short is set and everything reads as zero.
type cursor struct {
	b     []byte
	short bool
}

func (c *cursor) take(n int) []byte {
	if c.short || n > len(c.b) {
		c.short = true
		return nil
	}
	v := c.b[:n:n]
	c.b = c.b[n:]
	return v
}

func (c *cursor) number(bytes int) int {
	n := 0
	for _, b := range c.take(bytes) {
		n = n<<8 | int(b)
	}
	return n
}

// run reads a length of so many bytes and then as many bytes.
func (c *cursor) run(bytes int) []byte { return c.take(c.number(bytes)) }

// numbers reads b as two-byte numbers; an odd last byte is left out.
func numbers(b []byte) []uint16 {
	var out []uint16
	for ; len(b) >= 2; b = b[2:] {
		out = append(out, uint16(b[0])<<8|uint16(b[1]))
	}
	return out
}

// parseClientHello reads a handshake message with its header (RFC 5246
// 7.4.1.2), of which raw may be the beginning only.
func parseClientHello(raw []byte, length int, recordVersion uint16, at time.Time) *ClientHello {
	h := &ClientHello{At: at, RecordVersion: recordVersion, Raw: raw, Truncated: len(raw) < handshakeHeader+length}
	c := &cursor{b: raw[handshakeHeader:]}
	h.Version = uint16(c.number(2))
	h.Random = c.take(32)
	h.SessionID = c.run(1)
	list := c.run(2)
	h.Suites = numbers(list)
	h.Compression = c.run(1)
	switch {
	case c.short && h.Truncated:
	case c.short:
		h.Malformed = "ends before its compression methods do"
	case len(list)%2 != 0:
		h.Malformed = "its list of cipher suites has an odd length"
	case len(c.b) > 0:
		h.HasExtensions = true
		h.readExtensions(c)
	}
	for _, s := range h.Suites {
		switch s {
		case 0x00ff:
			h.SecureRenegotiation = true
		case 0x5600:
			h.Fallback = true
		}
	}
	return h
}

func (h *ClientHello) readExtensions(c *cursor) {
	block, left := c.number(2), len(c.b)
	if block != left && !h.Truncated {
		h.Malformed = "its extensions do not end where it does"
	}
	var ok bool
	h.Extensions, ok = extensions(c.take(min(block, left)))
	if !ok && !h.Truncated {
		h.Malformed = "its last extension is cut off"
	}
	for _, e := range h.Extensions {
		if !h.readExtension(e) {
			h.Malformed = "its extension " + e.Name + " cannot be read"
		}
	}
}

func extensions(b []byte) (list []Extension, ok bool) {
	c := &cursor{b: b}
	for len(c.b) > 0 && !c.short {
		t := uint16(c.number(2))
		body := c.run(2)
		if !c.short {
			list = append(list, Extension{Type: t, Name: ExtensionName(t), Body: body})
		}
	}
	return list, !c.short
}

// readExtension takes what is known from an extension; false means that its
// body is not what its type says. The first of a type counts.
func (h *ClientHello) readExtension(e Extension) bool {
	c := &cursor{b: e.Body}
	switch e.Type {
	case extServerName:
		return h.readServerName(c)
	case extGroups:
		h.Groups = orFirst(h.Groups, numbers(c.run(2)))
	case extPointFormats:
		h.PointFormats = orFirst(h.PointFormats, c.run(1))
	case extSignatureAlgorithms:
		h.SignatureAlgorithms = orFirst(h.SignatureAlgorithms, numbers(c.run(2)))
	case extVersions:
		h.Versions = orFirst(h.Versions, numbers(c.run(1)))
	case extALPN:
		for list := (&cursor{b: c.run(2)}); len(list.b) > 0 && !list.short; {
			h.ALPN = append(h.ALPN, string(list.run(1)))
		}
	case extRenegotiation:
		h.SecureRenegotiation = true
		c.run(1)
	default:
		return true
	}
	return !c.short && len(c.b) == 0
}

func orFirst[T any](first, second []T) []T {
	if first != nil {
		return first
	}
	return second
}

// readServerName reads the first name of type host_name (RFC 6066 3).
func (h *ClientHello) readServerName(c *cursor) bool {
	list := &cursor{b: c.run(2)}
	for len(list.b) > 0 && !list.short {
		kind, name := list.number(1), list.run(2)
		if kind == 0 && h.ServerName == "" {
			h.ServerName = string(name)
		}
	}
	return !c.short && !list.short
}

// parseSSLv2Hello reads an SSLv2-style hello (RFC 5246 E.2) from its type
// byte on.
func parseSSLv2Hello(raw []byte, size int, at time.Time) *ClientHello {
	h := &ClientHello{At: at, SSLv2: true, Raw: raw, Truncated: len(raw) < size}
	c := &cursor{b: raw}
	c.number(1)
	h.Version = uint16(c.number(2))
	suites, session, challenge := c.number(2), c.number(2), c.number(2)
	list := &cursor{b: c.take(suites)}
	h.SessionID = c.take(session)
	h.Random = c.take(challenge)
	if c.short {
		h.Malformed = "ends before its challenge does"
	}
	for len(list.b) >= 3 {
		s := uint32(list.number(3))
		switch {
		case s > 0xffff:
			h.SSLv2Suites = append(h.SSLv2Suites, s)
		default:
			h.Suites = append(h.Suites, uint16(s))
			h.SecureRenegotiation = h.SecureRenegotiation || s == 0x00ff
		}
	}
	return h
}

// retryRandom marks a ServerHello as a HelloRetryRequest (RFC 8446 4.1.3).
var retryRandom = []byte{
	0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
	0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
}

func parseServerHello(body []byte, hello *ClientHello, at time.Time) *ServerHello {
	c := &cursor{b: body}
	s := &ServerHello{At: at, Version: uint16(c.number(2))}
	random := c.take(32)
	session := c.run(1)
	s.Suite = uint16(c.number(2))
	c.number(1)
	if len(c.b) > 0 {
		s.Extensions, _ = extensions(c.run(2))
	}
	for _, e := range s.Extensions {
		if e.Type == extVersions && len(e.Body) == 2 {
			s.Version = uint16(e.Body[0])<<8 | uint16(e.Body[1])
		}
	}
	s.Retry = bytes.Equal(random, retryRandom)
	s.Resumed = s.Version < 0x0304 && len(session) > 0 && hello != nil && bytes.Equal(session, hello.SessionID)
	return s
}
