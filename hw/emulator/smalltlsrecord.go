package emulator

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
)

// gcmHalf is one direction of a TLS 1.2 connection in AES-GCM (RFC 5288).
type gcmHalf struct {
	aead cipher.AEAD
	salt []byte
	seq  uint64
}

func newGCMHalf(key, salt []byte) (*gcmHalf, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	return &gcmHalf{aead: aead, salt: salt}, err
}

const explicitNonce = 8

// head is the additional data of a record (RFC 5246 section 6.2.3.3).
func (h *gcmHalf) head(kind byte, size int) []byte {
	b := binary.BigEndian.AppendUint64(nil, h.seq)
	h.seq++
	b = append(b, kind, version12>>8, version12&0xff)
	return binary.BigEndian.AppendUint16(b, uint16(size)) //nolint:gosec // a record has 2^14 bytes at most
}

func (h *gcmHalf) seal(kind byte, data []byte) []byte {
	nonce := binary.BigEndian.AppendUint64(nil, h.seq)
	return h.aead.Seal(nonce, append(append([]byte(nil), h.salt...), nonce...), data, h.head(kind, len(data)))
}

func (h *gcmHalf) open(kind byte, data []byte) ([]byte, error) {
	if len(data) < explicitNonce+h.aead.Overhead() {
		return nil, errors.New("a record that is too short")
	}
	nonce := append(append([]byte(nil), h.salt...), data[:explicitNonce]...)
	sealed := data[explicitNonce:]
	return h.aead.Open(nil, nonce, sealed, h.head(kind, len(sealed)-h.aead.Overhead()))
}

// send writes data as records of a kind.
func (c *smallTLS) send(kind byte, data []byte) error {
	var out []byte
	for len(data) > 0 {
		part := data[:min(len(data), mostInRecord)]
		data = data[len(part):]
		if c.out != nil {
			part = c.out.seal(kind, part)
		}
		out = append(out, kind, version12>>8, version12&0xff)
		out = binary.BigEndian.AppendUint16(out, uint16(len(part))) //nolint:gosec // a record has 2^14 bytes and a little at most
		out = append(out, part...)
	}
	_, err := c.Conn.Write(out)
	return err
}

// record is the hub's next record, in the clear.
func (c *smallTLS) record() (kind byte, data []byte, err error) {
	var head [recordHead]byte
	if _, err := io.ReadFull(c.Conn, head[:]); err != nil {
		return 0, nil, err
	}
	data = make([]byte, binary.BigEndian.Uint16(head[3:]))
	if _, err := io.ReadFull(c.Conn, data); err != nil {
		return 0, nil, err
	}
	if c.in != nil {
		data, err = c.in.open(head[0], data)
	}
	return head[0], data, err
}

// Read is what the hub sends.
func (c *smallTLS) Read(b []byte) (int, error) {
	for len(c.ready) == 0 {
		kind, data, err := c.record()
		switch {
		case err != nil:
			return 0, err
		case kind == recordAlert:
			return 0, io.EOF
		case kind == recordData:
			c.ready = data
		}
	}
	n := copy(b, c.ready)
	c.ready = c.ready[n:]
	return n, nil
}

func (c *smallTLS) Write(b []byte) (int, error) {
	if err := c.send(recordData, b); err != nil {
		return 0, err
	}
	return len(b), nil
}

// prf is TLS 1.2's pseudorandom function with SHA-256 (RFC 5246 section 5).
func prf(secret []byte, label string, seed []byte, size int) []byte {
	seed = append([]byte(label), seed...)
	mac := func(b []byte) []byte {
		m := hmac.New(sha256.New, secret)
		m.Write(b)
		return m.Sum(nil)
	}
	var out []byte
	for a := mac(seed); len(out) < size; a = mac(a) {
		out = append(out, mac(append(append([]byte(nil), a...), seed...))...)
	}
	return out[:size]
}
