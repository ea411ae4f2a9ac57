package localhub_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"hilrig/azure/hub"
	"hilrig/azure/mqttwire"
	"hilrig/azure/tlswire"
)

// device is a client that does what it is told, packet by packet.
type device struct {
	*tls.Conn
	*bench
	t      *testing.T
	config *tls.Config
	wire   *recordSizes
	began  time.Time
	in     *mqttwire.Splitter
	heard  []mqttwire.Frame
}

// try opens TLS.
func (d *device) try() (*tls.Conn, error) {
	d.t.Helper()
	d.began = time.Now()
	raw, err := net.Dial("tcp", d.addr)
	if err != nil {
		d.t.Fatal(err)
	}
	d.wire = &recordSizes{Conn: raw}
	c := tls.Client(d.wire, d.config)
	d.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	return c, c.Handshake()
}

func (d *device) dial() {
	d.t.Helper()
	c, err := d.try()
	if err != nil {
		d.t.Fatal(err)
	}
	d.Conn, d.in, d.heard = c, mqttwire.NewSplitter(0, nil), nil
}

// refused tries, and must fail.
func (d *device) refused() {
	d.t.Helper()
	if _, err := d.try(); err == nil {
		d.t.Error("a handshake was completed")
	}
}

func (d *device) speaksOnly(version uint16) {
	d.t.Helper()
	d.refused()
	d.config.MinVersion, d.config.MaxVersion = version, version
	d.dial()
	d.is("version", tls.VersionName(d.ConnectionState().Version), tls.VersionName(version))
}

// agreesOn gets this suite where it offers another before it, and nothing
// where it does not offer it.
func (d *device) agreesOn(suite uint16) {
	d.t.Helper()
	const other = tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
	d.config.CipherSuites = []uint16{other, suite}
	d.dial()
	d.is("suite", tls.CipherSuiteName(d.ConnectionState().CipherSuite), tls.CipherSuiteName(suite))
	d.config.CipherSuites = []uint16{other}
	d.refused()
}

// cutBehind loses its connection in a handshake, behind a message of this type
// and not before it.
func (d *device) cutBehind(message byte) {
	d.t.Helper()
	_, err := d.try()
	if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, syscall.ECONNRESET) {
		d.t.Errorf("the handshake ended by %v", err)
	}
	e := d.await(0, "the handshake", kind(hub.KindHandshake))
	if seen := e.Handshake.Messages; len(seen) == 0 || !slices.ContainsFunc(seen, func(m tlswire.Message) bool { return m.Type == message }) {
		d.t.Errorf("cut before the message: %v", seen)
	}
}

func (d *device) tookAtLeast(least time.Duration) {
	d.t.Helper()
	if took := time.Since(d.began); took < least {
		d.t.Errorf("took %s, want %s at least", took, least)
	}
}

func (d *device) is(what, got, want string) {
	d.t.Helper()
	if got != want {
		d.t.Errorf("%s %s, want %s", what, got, want)
	}
}

func (d *device) say(header byte, body []byte) {
	d.t.Helper()
	if header < 16 {
		header <<= 4
	}
	raw := append([]byte{header}, byte(len(body)))
	if len(body) > 127 {
		raw = []byte{header, byte(len(body)) | 0x80, byte(len(body) >> 7)}
	}
	if _, err := d.Write(append(raw, body...)); err != nil {
		d.t.Fatal(err)
	}
}

func text(s string) []byte { return append([]byte{0, byte(len(s))}, s...) }

func (d *device) sayConnect() {
	d.t.Helper()
	d.dial()
	body := append(text("MQTT"), 4, 0x80, 0, 60) // a user name, a session that is kept
	d.say(mqttwire.CONNECT, append(append(body, text(deviceID)...), text(userName)...))
}

// connects opens a session, or is refused with this code.
func (d *device) connects(code byte) (present bool) {
	d.t.Helper()
	d.sayConnect()
	f := d.hear(mqttwire.CONNACK)
	d.is("CONNACK", fmt.Sprint(f.Raw[3]), fmt.Sprint(code))
	return f.Raw[2] == 1
}

// hear waits for the next packet, which must be of this type.
func (d *device) hear(kind byte) mqttwire.Frame {
	d.t.Helper()
	f := d.hearAny()
	if f.Type() != kind {
		d.t.Fatalf("packet %d, want %d", f.Type(), kind)
	}
	return f
}

func (d *device) hearAny() mqttwire.Frame {
	d.t.Helper()
	b := make([]byte, 4096)
	for len(d.heard) == 0 {
		_ = d.SetReadDeadline(time.Now().Add(5 * time.Second))
		n, err := d.Read(b)
		d.heard = append(d.heard, d.in.Feed(b[:n])...)
		if err != nil && len(d.heard) == 0 {
			d.t.Fatalf("waiting for a packet: %v", err)
		}
	}
	f := d.heard[0]
	d.heard = d.heard[1:]
	return f
}

func (d *device) hearsNothing() {
	d.t.Helper()
	_ = d.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	if n, err := d.Read(make([]byte, 100)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		d.t.Errorf("%d bytes, %v", n, err)
	}
}

// loses waits until its connection ends this way.
func (d *device) loses(want error) {
	d.t.Helper()
	_ = d.SetReadDeadline(time.Now().Add(5 * time.Second))
	_, err := io.Copy(io.Discard, d)
	if err == nil {
		err = io.EOF // Copy says nothing of an orderly end
	}
	if errors.Is(err, io.ErrUnexpectedEOF) { // closed without close_notify
		err = io.EOF
	}
	if !errors.Is(err, want) {
		d.t.Errorf("lost by %v, want %v", err, want)
	}
}

// recordSizes notes the longest handshake record that comes before the first
// ChangeCipherSpec (RFC 5246 section 6.2.1).
type recordSizes struct {
	net.Conn
	mu      sync.Mutex
	rest    []byte
	longest int
	done    bool
}

func (r *recordSizes) Read(b []byte) (int, error) {
	n, err := r.Conn.Read(b)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rest = append(r.rest, b[:n]...)
	for len(r.rest) >= 5 && !r.done {
		size := int(r.rest[3])<<8 | int(r.rest[4])
		if len(r.rest) < 5+size {
			break
		}
		r.done = r.rest[0] == 20
		if r.rest[0] == 22 {
			r.longest = max(r.longest, size)
		}
		r.rest = r.rest[5+size:]
	}
	return n, err
}
