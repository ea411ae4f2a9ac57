package tlswire

import (
	"sync"
	"time"
)

// Alert is one alert seen on the wire.
type Alert struct {
	FromClient bool
	Level      byte   // 1 warning, 2 fatal; 0 when Encrypted
	Number     byte   // RFC 5246 7.2; 0 when Encrypted
	Name       string // "bad_certificate"; "encrypted" when Encrypted
	At         time.Time
	Encrypted  bool // sent behind ChangeCipherSpec: only known to be an alert
}

// Message is one handshake message sent in clear.
type Message struct {
	FromClient bool
	Type       byte
	Name       string // "client_hello"
	Length     int    // bytes of the body, without the four of its header
	At         time.Time
	Records    int // how many records it was split over, at least 1
}

// Garbage says that a direction's bytes stopped being TLS records. Nothing
// behind them is read.
type Garbage struct {
	FromClient bool
	At         time.Time
	Text       string // "no TLS record begins with 10 25 00 04: looks like MQTT without TLS"
}

// Observer follows one connection. Its methods may be called by several
// goroutines at once.
type Observer struct {
	mu        sync.Mutex
	now       func() time.Time
	client    direction
	server    direction
	hello     *ClientHello
	answer    *ServerHello
	presented [][]byte
	over      bool // of TLS 1.3
	done      []Message
	alerts    []Alert
	garbage   []Garbage
}

// NewObserver makes an Observer of a connection that has sent nothing yet. now
// gives the moments; nil is time.Now.
func NewObserver(now func() time.Time) *Observer {
	if now == nil {
		now = time.Now
	}
	o := &Observer{now: now}
	o.client.fromClient = true
	return o
}

// FromClient takes the next bytes that the client sent. b is not kept.
func (o *Observer) FromClient(b []byte) { o.feed(&o.client, b) }

// FromServer takes the next bytes that the server sent. b is not kept.
func (o *Observer) FromServer(b []byte) { o.feed(&o.server, b) }

// Hello is the first ClientHello of the connection; nil before it is complete.
func (o *Observer) Hello() *ClientHello {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.hello
}

// Server is the ServerHello that counts: the last one, which after a
// HelloRetryRequest is the real one. nil before it is complete.
func (o *Observer) Server() *ServerHello {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.answer
}

// ClientCertificates are what the client showed, its own first, as they stood on
// the wire, readable or not; none where it showed none in clear, and no more
// than the whole ones of the first 32 KiB.
func (o *Observer) ClientCertificates() [][]byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.presented
}

// Over reports whether the handshake is complete, as far as the wire shows it:
// both sides have sent their Finished. In TLS 1.3, where even that is hidden,
// the server has gone on behind what can be the client's.
func (o *Observer) Over() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.over || o.client.finished && o.server.finished
}

// Lost reports whether a direction is no TLS any more, or has sent more than any
// handshake: nothing is to be learned from what follows.
func (o *Observer) Lost() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.client.broken || o.server.broken || o.client.bytes+o.server.bytes > longest
}

// longest is more than the messages of a handshake are, with chains of
// certificates of both sides.
const longest = 1 << 20

// Messages are the handshake messages in clear so far, in the order in which
// they were complete; at most 256 are kept.
func (o *Observer) Messages() []Message {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]Message(nil), o.done...)
}

// Alerts are the alerts so far, of both directions; at most 64 are kept.
func (o *Observer) Alerts() []Alert {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]Alert(nil), o.alerts...)
}

// Garbage is what made reading a direction stop, at most one each.
func (o *Observer) Garbage() []Garbage {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]Garbage(nil), o.garbage...)
}

// ChangeCipherSpec is when the direction first sent one; zero if it has not.
func (o *Observer) ChangeCipherSpec(fromClient bool) time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.direction(fromClient).changed
}

// Bytes is how many bytes the direction has sent.
func (o *Observer) Bytes(fromClient bool) int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.direction(fromClient).bytes
}

// Records is how many records of application data the direction has sent, in TLS
// 1.3 only those behind the handshake.
func (o *Observer) Records(fromClient bool) int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.direction(fromClient).data
}

func (o *Observer) direction(fromClient bool) *direction {
	if fromClient {
		return &o.client
	}
	return &o.server
}
