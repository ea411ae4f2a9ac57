package emulator

import (
	"encoding/binary"
	"net"
)

// hello is a ClientHello of a stack that Go's cannot be, which has neither
// compression nor MD5: [smallTLS] speaks it.
type hello struct {
	suites      []uint16
	serverName  string   // empty: no extension
	compression []byte   // methods; default: none but null
	signatures  []uint16 // default: RSA with SHA-256
	random      [32]byte
}

// ownHello is the hello of firmware whose stack is not Go's.
func (b *behaviour) ownHello() hello {
	if b.hello == nil {
		return hello{}
	}
	return *b.hello
}

// body is the hello's message (RFC 5246 7.4.1.2).
func (h hello) body() []byte {
	body := append([]byte{3, 3}, h.random[:]...)
	body = append(body, 0) // no session
	body = append(body, vector(2, uint16s(h.suites))...)
	compression := h.compression
	if compression == nil {
		compression = []byte{0}
	}
	body = append(body, vector(1, compression)...)
	signatures := h.signatures
	if signatures == nil {
		signatures = []uint16{schemeRSAPSS, schemeRSA}
	}
	var extensions []byte
	for _, e := range []struct {
		kind uint16
		data []byte
	}{
		{0, serverNames(h.serverName)},
		{10, vector(2, uint16s([]uint16{groupP256}))}, // supported_groups
		{11, vector(1, []byte{0})},                    // ec_point_formats: uncompressed
		{13, vector(2, uint16s(signatures))},          // signature_algorithms
		{0xff01, vector(1, nil)},                      // renegotiation_info
	} {
		if e.data == nil {
			continue
		}
		extensions = append(extensions, uint16s([]uint16{e.kind})...)
		extensions = append(extensions, vector(2, e.data)...)
	}
	return append(body, vector(2, extensions)...)
}

// serverNames is the extension's data (RFC 6066 section 3); nil where there is
// no name, or an address.
func serverNames(host string) []byte {
	if host == "" || net.ParseIP(host) != nil {
		return nil
	}
	return vector(2, append([]byte{0}, vector(2, []byte(host))...))
}

// vector is data behind its length in so many bytes.
func vector(size int, data []byte) []byte {
	var length [4]byte
	binary.BigEndian.PutUint32(length[:], uint32(len(data)))
	return append(append([]byte(nil), length[4-size:]...), data...)
}

func uint16s(vs []uint16) []byte {
	var b []byte
	for _, v := range vs {
		b = binary.BigEndian.AppendUint16(b, v)
	}
	return b
}
