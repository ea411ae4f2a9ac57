package emulator

import (
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// TLS content and handshake types (RFC 5246 A.1, A.4) and alerts (A.3).
const (
	recordChangeCipher = 20
	recordAlert        = 21
	recordHandshake    = 22

	messageServerHello = 2

	alertBadCertificate = 42
	alertUnsupported    = 43
	alertExpired        = 45
	alertUnknownCA      = 48
)

const recordHead = 5

// records stands between TLS and TCP during a handshake. It sees the records:
// it gives alerts their exact number, because Go says bad_certificate to
// everything where other stacks name the cause; it gives up on a hub that says
// nothing; and it is where faults that Go's TLS does not have happen.
type records struct {
	net.Conn
	h       *handshake
	silence time.Duration

	mu   sync.Mutex
	done bool
	in   []byte // of a record that has not come whole
	out  []byte // for TLS to read
}

// handshake is one in the making.
type handshake struct {
	b      *behaviour
	number int // of the handshake since boot, from 0

	mu      sync.Mutex
	alert   byte // for what was refused; 0: none
	secret  bool // the hub's records are encrypted from here on
	message []byte
}

// recordEdit looks at a record from the hub; an error ends the handshake. First
// is the first byte of the handshake message that begins in it, 0 if none does.
type recordEdit func(h *handshake, r []byte, messages []message) error

// message is the head of a handshake message.
type message struct {
	kind  byte
	size  int // of the body
	whole bool
	body  []byte // as far as it is in this record
}

// refuse chooses the alert for what verification said.
func (h *handshake) refuse(err error) {
	var authority x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	alert := byte(0)
	switch {
	case err == nil:
	case errors.As(err, &authority):
		alert = alertUnknownCA
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		alert = alertExpired
	case errors.As(err, &invalid) && invalid.Reason == x509.IncompatibleUsage:
		alert = alertUnsupported
	case errors.As(err, &invalid) && invalid.Reason == x509.NotAuthorizedToSign:
		alert = alertUnknownCA
	default:
		alert = alertBadCertificate
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.alert = alert
}

// Write sends records, alerts with their exact number.
func (r *records) Write(b []byte) (int, error) {
	r.mu.Lock()
	done := r.done
	r.mu.Unlock()
	if done {
		return r.Conn.Write(b)
	}
	out := b
	if len(b) == recordHead+2 && b[0] == recordAlert {
		if r.h.b.mute {
			return len(b), nil
		}
		out = append([]byte(nil), b...)
		r.h.mu.Lock()
		if r.h.alert != 0 {
			out[recordHead+1] = r.h.alert
		}
		r.h.mu.Unlock()
	}
	if _, err := r.Conn.Write(out); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Read gives TLS the hub's records.
func (r *records) Read(b []byte) (int, error) {
	r.mu.Lock()
	done := r.done && len(r.in) == 0 && len(r.out) == 0
	r.mu.Unlock()
	if done {
		return r.Conn.Read(b)
	}
	for len(r.out) == 0 {
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(b, r.out)
	r.out = r.out[n:]
	return n, nil
}

// fill reads until there is a whole record.
func (r *records) fill() error {
	if r.silence > 0 && !r.done {
		if err := r.SetReadDeadline(time.Now().Add(r.silence)); err != nil {
			return err
		}
	}
	buf := make([]byte, 4096)
	n, err := r.Conn.Read(buf)
	r.in = append(r.in, buf[:n]...)
	for len(r.in) >= recordHead {
		end := recordHead + int(binary.BigEndian.Uint16(r.in[3:]))
		if len(r.in) < end {
			break
		}
		if err := r.h.alter(r.in[:end]); err != nil {
			return err
		}
		r.out, r.in = append(r.out, r.in[:end]...), r.in[end:]
	}
	if len(r.out) > 0 {
		return nil
	}
	return err
}

// alter shows a record to the faults.
func (h *handshake) alter(rec []byte) error {
	if h.secret || len(h.b.records) == 0 && h.b.flakyEvery == 0 {
		return nil
	}
	h.secret = rec[0] == recordChangeCipher
	if rec[0] != recordHandshake {
		return nil
	}
	ms := h.messages(rec[recordHead:])
	for _, e := range h.b.records {
		if err := e(h, rec, ms); err != nil {
			return err
		}
	}
	return nil
}

// messages are the handshake messages that begin in a record.
func (h *handshake) messages(b []byte) (ms []message) {
	h.message = append(h.message, b...)
	for begins := len(h.message) == len(b); len(h.message) >= 4; begins = true {
		size := int(h.message[1])<<16 | int(h.message[2])<<8 | int(h.message[3])
		end := min(4+size, len(h.message))
		m := message{kind: h.message[0], size: size, whole: end == 4+size, body: h.message[4:end]}
		if begins {
			ms = append(ms, m)
		}
		if !m.whole {
			return ms
		}
		h.message = h.message[end:]
	}
	return ms
}

// finished steps aside.
func (r *records) finished() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done = true
	return r.SetDeadline(time.Time{})
}

// stackError is what a TLS stack gives up with.
type stackError struct{ why string }

func (e stackError) Error() string { return fmt.Sprintf("TLS stack: %s", e.why) }
