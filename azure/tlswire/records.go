package tlswire

import (
	"bytes"
	"fmt"
	"time"
)

// The content types of records (RFC 5246 6.2.1).
const (
	recordChangeCipherSpec = 20
	recordAlert            = 21
	recordHandshake        = 22
	recordApplicationData  = 23
	recordHeartbeat        = 24
)

const (
	recordHeader    = 5
	maxRecord       = 1<<14 + 2048 // RFC 5246 6.2.3
	handshakeHeader = 4
	sealedAlert     = 2 + 1 + 16 // bytes of an alert of TLS 1.3 with its type and tag (RFC 8446 5.2)
	maxKept         = 32 * 1024  // bytes kept of a hello
	maxMessages     = 256
	maxAlerts       = 64
)

// direction is what one side has sent so far.
type direction struct {
	fromClient bool
	bytes      int64
	changed    time.Time // first ChangeCipherSpec
	encrypted  bool      // it was one of TLS 1.2 or before: it hides what follows
	finished   bool      // a handshake message behind it was whole
	sealed     bool      // TLS 1.3: encrypted records that are no alert
	data       int64     // records of application data behind the handshake
	broken     bool      // no TLS any more

	header  []byte // of the record being read
	left    int    // bytes to come of its body
	kind    byte
	version uint16
	size    int
	sslv2   bool // it is an SSLv2-style hello
	fresh   bool // no byte of the body was read yet

	alert []byte // a first byte without its second

	message []byte // header and what is kept of the handshake message being read
	length  int    // its declared length; valid with its header complete
	got     int    // bytes of it so far, header included
	records int    // records it was found in
}

// feed takes bytes of one direction.
func (o *Observer) feed(d *direction, b []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	d.bytes += int64(len(b))
	for len(b) > 0 && !d.broken {
		if d.left == 0 {
			b = o.head(d, b)
			continue
		}
		n := min(d.left, len(b))
		o.body(d, b[:n])
		d.left -= n
		b = b[n:]
		if d.left == 0 {
			o.finishRecord(d)
		}
	}
}

// head collects a record's header and opens the record.
func (o *Observer) head(d *direction, b []byte) []byte {
	n := min(recordHeader-len(d.header), len(b))
	d.header = append(d.header, b[:n]...)
	if len(d.header) < recordHeader {
		if !plausible(d.header, d) {
			o.giveUp(d)
		}
		return b[n:]
	}
	h := d.header
	if d.startsSSLv2(h) {
		o.openSSLv2(d)
		return b[n:]
	}
	if !plausible(h, d) {
		o.giveUp(d)
		return nil
	}
	d.kind, d.version = h[0], uint16(h[1])<<8|uint16(h[2])
	d.size = int(h[3])<<8 | int(h[4])
	d.left, d.fresh = d.size, true
	d.header = d.header[:0]
	if d.size == 0 {
		o.finishRecord(d)
	}
	return b[n:]
}

// plausible reports whether h may begin a record, as far as it goes.
func plausible(h []byte, d *direction) bool {
	if d.startsSSLv2(h) {
		return true
	}
	for i, c := range h {
		switch {
		case i == 0 && (c < recordChangeCipherSpec || c > recordHeartbeat),
			i == 1 && c != 3:
			return false
		}
	}
	return len(h) < recordHeader || int(h[3])<<8|int(h[4]) <= maxRecord
}

// startsSSLv2 recognises the SSLv2-style hello, which only a client's first
// bytes can be: a two-byte length with its highest bit set, then the type 1
// (RFC 5246 E.2).
func (d *direction) startsSSLv2(h []byte) bool {
	if !d.fromClient || d.bytesRead() != len(h) {
		return false
	}
	return h[0]&0x80 != 0 && (len(h) < 3 || h[2] == 1)
}

// bytesRead is how many header bytes were read if no record was, else -1.
func (d *direction) bytesRead() int {
	if d.version != 0 || d.sslv2 {
		return -1
	}
	return len(d.header)
}

// openSSLv2 begins the one record of an SSLv2-style hello. Three of the five
// header bytes belong to its body.
func (o *Observer) openSSLv2(d *direction) {
	h := d.header
	d.sslv2, d.size = true, int(h[0]&0x7f)<<8|int(h[1])
	d.message = append(d.message, h[2:min(recordHeader, 2+d.size)]...)
	d.left = max(0, d.size-3)
	d.header = d.header[:0]
	if d.left == 0 {
		o.finishRecord(d)
	}
}

// body takes bytes of the open record.
func (o *Observer) body(d *direction, b []byte) {
	switch {
	case d.sslv2 && d.version == 0:
		d.keep(b)
	case d.encrypted:
	case d.kind == recordAlert:
		o.alertBytes(d, b)
	case d.kind == recordHandshake:
		o.handshakeBytes(d, b)
	}
	d.fresh = false
}

// finishRecord closes the record that was open.
func (o *Observer) finishRecord(d *direction) {
	switch {
	case d.sslv2 && d.version == 0:
		o.sslv2Hello(d)
		d.version, d.message = 0x0002, nil
	case d.kind == recordChangeCipherSpec:
		if d.changed.IsZero() {
			d.changed = o.now()
		}
		// In TLS 1.3 it is for show (RFC 8446 D.4), and an alert record is
		// still one in clear.
		d.encrypted = !o.tls13()
	case d.kind == recordHandshake && d.encrypted:
		d.finished = true
	case d.kind == recordApplicationData && (!o.tls13() || o.over):
		d.data++
	case d.kind == recordApplicationData && d.size > sealedAlert:
		d.sealed = true
		o.over = o.over || !d.fromClient && o.client.sealed
	case d.kind == recordAlert && d.encrypted:
		o.addAlert(Alert{FromClient: d.fromClient, Name: "encrypted", At: o.now(), Encrypted: true})
	}
}

func (o *Observer) tls13() bool { return o.answer != nil && o.answer.Version >= 0x0304 }

// alertBytes reads alerts in clear, two bytes each, however they are split.
func (o *Observer) alertBytes(d *direction, b []byte) {
	for _, c := range b {
		if len(d.alert) == 0 {
			d.alert = append(d.alert, c)
			continue
		}
		o.addAlert(Alert{FromClient: d.fromClient, Level: d.alert[0], Number: c, Name: AlertName(c), At: o.now()})
		d.alert = d.alert[:0]
	}
}

func (o *Observer) addAlert(a Alert) {
	if len(o.alerts) < maxAlerts {
		o.alerts = append(o.alerts, a)
	}
}

// handshakeBytes reads handshake messages in clear: many in a record, or one
// over many.
func (o *Observer) handshakeBytes(d *direction, b []byte) {
	if d.fresh && d.got > 0 {
		d.records++
	}
	for len(b) > 0 {
		if d.got == 0 {
			d.records, d.message, d.length = 1, nil, 0
		}
		want := handshakeHeader
		if d.got >= handshakeHeader {
			want += d.length
		}
		n := min(want-d.got, len(b))
		d.keep(b[:n])
		d.got += n
		b = b[n:]
		if d.got == handshakeHeader {
			d.length = int(d.message[1])<<16 | int(d.message[2])<<8 | int(d.message[3])
		}
		if d.got >= handshakeHeader && d.got == handshakeHeader+d.length {
			o.finishMessage(d)
			d.got = 0
		}
	}
}

// keep adds to the message what may be needed of it: a hello and a client's
// certificate up to maxKept, of others the header.
func (d *direction) keep(b []byte) {
	limit := handshakeHeader
	if d.sslv2 && d.version == 0 || len(d.message) == 0 || d.message[0] <= 2 || d.message[0] == 11 && d.fromClient {
		limit = maxKept
	}
	d.message = append(d.message, b[:min(max(0, limit-len(d.message)), len(b))]...)
}

func (o *Observer) finishMessage(d *direction) {
	m := Message{FromClient: d.fromClient, Type: d.message[0], Name: messageName(d.message[0]),
		Length: d.length, At: o.now(), Records: d.records}
	if len(o.done) < maxMessages {
		o.done = append(o.done, m)
	}
	switch {
	case m.Type == 1 && d.fromClient && o.hello == nil:
		o.hello = parseClientHello(d.message, d.length, d.version, m.At)
	case m.Type == 11 && d.fromClient && o.presented == nil:
		o.presented = certificateList(d.message[handshakeHeader:])
	case m.Type == 2 && !d.fromClient:
		o.answer = parseServerHello(d.message[handshakeHeader:], o.hello, m.At)
	}
}

func (o *Observer) sslv2Hello(d *direction) {
	at := o.now()
	if o.hello == nil {
		o.hello = parseSSLv2Hello(d.message, d.size, at)
	}
	if len(o.done) < maxMessages {
		o.done = append(o.done, Message{FromClient: true, Type: 1, Name: messageName(1), Length: d.size, At: at, Records: 1})
	}
}

// giveUp stops reading a direction that is not TLS.
func (o *Observer) giveUp(d *direction) {
	d.broken = true
	h := d.header
	text := fmt.Sprintf("no TLS record begins with % x", h)
	switch {
	case h[0] == 0x10:
		text += ": looks like MQTT without TLS"
	case bytes.HasPrefix(h, []byte("GET")) || bytes.HasPrefix(h, []byte("POST")) || bytes.HasPrefix(h, []byte("HEAD")):
		text += ": looks like HTTP without TLS"
	}
	o.garbage = append(o.garbage, Garbage{FromClient: d.fromClient, At: o.now(), Text: text})
}
