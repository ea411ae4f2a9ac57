package emulator

import (
	"crypto/rand"
	"encoding/binary"
	"net"
	"time"
)

// hello is a ClientHello of a stack that Go's cannot be: it has neither
// compression nor MD5. What it offers is signed by the Finished messages, so
// that it cannot be put into Go's hello on its way. Firmware with such a stack
// is played by a connection of its own before each real one: this hello, the
// hub's answer, and good-bye.
type hello struct {
	compression []byte   // methods; default: none but null
	signatures  []uint16 // default: RSA with SHA-256
}

// prefaceOf speaks a hello on a connection and waits for what the hub says.
func prefaceOf(h hello) func(net.Conn) {
	return func(c net.Conn) {
		if c.SetDeadline(time.Now().Add(2*time.Second)) != nil {
			return
		}
		if _, err := c.Write(h.record()); err != nil {
			return
		}
		_, _ = c.Read(make([]byte, 4096))
		_, _ = c.Write([]byte{recordAlert, 3, 3, 0, 2, 1, 0}) // close_notify
	}
}

// record is the hello in a record (RFC 5246 7.4.1.2).
func (h hello) record() []byte {
	body := []byte{3, 3}
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails
	body = append(body, random...)
	body = append(body, 0) // no session
	body = append(body, vector(2, uint16s(hubSuites()))...)
	compression := h.compression
	if compression == nil {
		compression = []byte{0}
	}
	body = append(body, vector(1, compression)...)
	signatures := h.signatures
	if signatures == nil {
		signatures = []uint16{0x0401}
	}
	var extensions []byte
	for _, e := range []struct {
		kind uint16
		data []byte
	}{
		{10, vector(2, uint16s([]uint16{23}))}, // supported_groups: secp256r1
		{11, vector(1, []byte{0})},             // ec_point_formats: uncompressed
		{13, vector(2, uint16s(signatures))},   // signature_algorithms
		{0xff01, vector(1, nil)},               // renegotiation_info
	} {
		extensions = append(extensions, uint16s([]uint16{e.kind})...)
		extensions = append(extensions, vector(2, e.data)...)
	}
	body = append(body, vector(2, extensions)...)
	message := append([]byte{1}, vector(3, body)...)
	return append([]byte{recordHandshake, 3, 1}, vector(2, message)...)
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
