package localhub_test

import (
	"crypto/tls"
	"crypto/x509"
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

	"hilrig/azure/localhub"
	"hilrig/azure/localhub/link"
	"hilrig/azure/localhub/mqttwire"
	"hilrig/azure/localhub/tlswire"
	"hilrig/certs"
)

// TestEveryFaultIsShown shows a real client each fault that the hub knows, and
// holds what the client met against it. The hub's word for it is the event: a
// spec goes by that.
func TestEveryFaultIsShown(t *testing.T) {
	for _, f := range append(localhub.Faults(), withParameter()...) {
		row, known := meetings[f.Name]
		if !known {
			t.Errorf("no row for %s", f.Name)
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			b := start(t)
			d := &device{bench: b, t: t, config: b.tls(b.id)}
			if row.before != nil {
				row.before(d)
			}
			mark := b.hub.Events().Mark()
			b.hub.Show(f, 0)
			row.meets(d)
			shownAs(b, mark, f.Name)
		})
	}
}

func shownAs(b *bench, mark int, name string) {
	b.t.Helper()
	b.await(mark, "the showing of "+name, func(e localhub.Event) bool {
		return e.Kind == localhub.KindFaultShown && e.Fault == name && e.Conn > 0
	})
}

// withParameter are faults that are not shown as they are.
func withParameter() []localhub.Fault {
	return []localhub.Fault{
		{Name: "one-suite", Suites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256}},
		{Name: "drop-every-so-often", Drop: true, DropAfter: 60 * time.Millisecond},
	}
}

// meeting is a client's side of a fault.
type meeting struct {
	before func(*device) // the fault is shown
	meets  func(*device)
}

var meetings = map[string]meeting{
	"only-TLS 1.0": {meets: func(d *device) { d.speaksOnly(tls.VersionTLS10) }},
	"only-TLS 1.1": {meets: func(d *device) { d.speaksOnly(tls.VersionTLS11) }},
	"one-suite": {meets: func(d *device) {
		d.config.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256}
		d.dial()
		d.is("suite", tls.CipherSuiteName(d.ConnectionState().CipherSuite), "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256")
		d.config.CipherSuites = d.config.CipherSuites[:1]
		d.refused()
	}},
	"require-sni": {meets: func(d *device) {
		d.dial()
		d.config.ServerName, d.config.InsecureSkipVerify = "", true
		d.refused()
	}},
	"cut-after-client-hello": {meets: func(d *device) { d.cutBehind(1) }},
	"cut-after-server-hello": {meets: func(d *device) { d.cutBehind(2) }},
	"cut-after-certificate":  {meets: func(d *device) { d.cutBehind(11) }},
	"one-byte-records": {meets: func(d *device) {
		d.dial() // Go puts them together
		d.is("longest handshake record", fmt.Sprint(d.wire.longest), "1")
	}},
	"slow-handshake": {meets: func(d *device) { d.dial(); d.tookAtLeast(500 * time.Millisecond) }}, // as many bytes and more

	"link-latency":   {meets: func(d *device) { d.dial(); d.tookAtLeast(4 * 250 * time.Millisecond) }},
	"link-bandwidth": {meets: func(d *device) { d.dial(); d.tookAtLeast(150 * time.Millisecond) }}, // 1 kB and more
	"link-stalls": {meets: func(d *device) {
		d.connects(0)
		for range 3 {
			d.say(mqttwire.PINGREQ, nil)
			d.hear(mqttwire.PINGRESP)
		}
		d.tookAtLeast(time.Second)
	}},
	"link-cut":   {meets: func(d *device) { d.connects(0); d.loses(io.EOF) }},
	"link-reset": {meets: func(d *device) { d.connects(0); d.loses(syscall.ECONNRESET) }},
	"link-black-hole": {meets: func(d *device) {
		d.connects(0)
		time.Sleep(time.Second - time.Since(d.began) + 50*time.Millisecond) // until it is one
		d.say(mqttwire.PINGREQ, nil)
		d.hearsNothing()
	}},

	"no-connack":         {meets: func(d *device) { d.sayConnect(); d.hearsNothing() }},
	"connack-1":          {meets: func(d *device) { d.connects(1) }},
	"connack-2":          {meets: func(d *device) { d.connects(2) }},
	"connack-3":          {meets: func(d *device) { d.connects(3) }},
	"connack-4":          {meets: func(d *device) { d.connects(4) }},
	"connack-5":          {meets: func(d *device) { d.connects(5) }},
	"drop-after-connack": {meets: func(d *device) { d.connects(0); d.loses(io.EOF) }},
	"drop-every-so-often": {meets: func(d *device) {
		for range 3 {
			d.connects(0)
			d.loses(io.EOF)
			d.tookAtLeast(60 * time.Millisecond)
		}
	}},
	"session-forgotten": {
		before: func(d *device) {
			d.is("session present", fmt.Sprint(d.connects(0)), "false")
			d.is("session present", fmt.Sprint(d.connects(0)), "true")
		},
		meets: func(d *device) { d.is("session present", fmt.Sprint(d.connects(0)), "false") },
	},
	"session-claimed": {meets: func(d *device) { d.is("session present", fmt.Sprint(d.connects(0)), "true") }},

	"no-puback": {meets: func(d *device) {
		d.connects(0)
		d.say(mqttwire.PUBLISH<<4|2, append(text(topic), 0, 7, 'x'))
		d.hearsNothing()
	}},
	"no-suback": {meets: func(d *device) {
		d.connects(0)
		d.say(mqttwire.SUBSCRIBE<<4|2, append(append([]byte{0, 7}, text("devices/NewDevice/messages/devicebound/#")...), 1))
		d.hearsNothing()
	}},
	"no-pingresp": {meets: func(d *device) { d.connects(0); d.say(mqttwire.PINGREQ, nil); d.hearsNothing() }},
	"late-pingresp": {meets: func(d *device) {
		d.connects(0)
		asked := time.Now()
		d.say(mqttwire.PINGREQ, nil)
		d.hear(mqttwire.PINGRESP)
		if took := time.Since(asked); took < time.Second {
			d.t.Errorf("PINGRESP after %s", took)
		}
	}},
}

// What the hub does to a living session is shown too; see outage_test.go for
// the others.
func TestTakeOverIsShown(t *testing.T) {
	b := start(t)
	if b.hub.TakeOver(deviceID) {
		t.Error("took over a session that was not there")
	}
	d := &device{bench: b, t: t, config: b.tls(b.id)}
	d.connects(0)
	if !b.hub.TakeOver(deviceID) {
		t.Fatal("no session")
	}
	d.loses(io.EOF)
	shownAs(b, 0, localhub.OutageTakeOver)
	e := b.await(0, "the end", kind(localhub.KindDisconnected))
	if e.Fault != localhub.OutageTakeOver || e.Takeover {
		t.Errorf("%+v", e)
	}
}

// Server certificates are made by the rig's store; each is shown to a client
// that has the rig's root.
func TestEveryCertificateIsShown(t *testing.T) {
	store, err := certs.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	second, err := store.SecondRoot()
	if err != nil {
		t.Fatal(err)
	}
	good, err := store.Server(t.Context(), "localhost")
	if err != nil {
		t.Fatal(err)
	}
	b := start(t, func(c *localhub.Config) { c.Certificate = good })
	for _, p := range certs.Profiles() {
		t.Run(string(p.Profile), func(t *testing.T) {
			wrong, err := store.WrongServer(t.Context(), "localhost", p.Profile)
			if err != nil {
				t.Fatal(err)
			}
			d := &device{bench: b, t: t, config: b.tls(b.id)}
			trusts := func(root certs.Root) {
				d.config.RootCAs = x509.NewCertPool()
				d.config.RootCAs.AddCert(root.Certificate)
			}
			trusts(store.Root())
			d.dial()
			mark := b.hub.Events().Mark()
			s := b.hub.Show(localhub.Fault{Name: string(p.Profile), Certificate: &wrong}, 0)
			defer s.Lift()
			var invalid *tls.CertificateVerificationError
			if _, err := d.try(); (p.Wrong != "" || p.Profile == certs.SecondRoot) != errors.As(err, &invalid) {
				t.Errorf("%s%s: the client says %v", p.Wrong, p.Unusual, err)
			}
			if p.Profile == certs.SecondRoot {
				trusts(second)
				d.dial()
			}
			shownAs(b, mark, string(p.Profile))
		})
	}
}

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

// cutBehind loses its connection in a handshake, behind a message of this type
// and not before it.
func (d *device) cutBehind(message byte) {
	d.t.Helper()
	_, err := d.try()
	if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, syscall.ECONNRESET) {
		d.t.Errorf("the handshake ended by %v", err)
	}
	e := d.await(0, "the handshake", kind(localhub.KindHandshake))
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
	if _, err := d.Write(append([]byte{header, byte(len(body))}, body...)); err != nil {
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
	b := make([]byte, 4096)
	for len(d.heard) == 0 {
		_ = d.SetReadDeadline(time.Now().Add(5 * time.Second))
		n, err := d.Read(b)
		d.heard = append(d.heard, d.in.Feed(b[:n])...)
		if err != nil && len(d.heard) == 0 {
			d.t.Fatalf("waiting for packet %d: %v", kind, err)
		}
	}
	f := d.heard[0]
	d.heard = d.heard[1:]
	if f.Type() != kind {
		d.t.Fatalf("packet %d, want %d", f.Type(), kind)
	}
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

// A bad link is this connection's, and the device behind it is known as ever.
func TestABadLinkIsOneConnections(t *testing.T) {
	b := start(t)
	first := &device{bench: b, t: t, config: b.tls(b.id)}
	first.connects(0)
	s := b.hub.Show(localhub.BadLink("far", link.Shape{Latency: 200 * time.Millisecond}), 1)
	first.say(mqttwire.PINGREQ, nil)
	asked := time.Now()
	first.hear(mqttwire.PINGRESP)
	if took := time.Since(asked); took > 150*time.Millisecond {
		t.Errorf("a connection from before takes %s", took)
	}
	far := &device{bench: b, t: t, config: b.tls(b.id)}
	mark := b.hub.Events().Mark()
	far.connects(0)
	e := b.await(mark, "the showing", kind(localhub.KindFaultShown))
	if e.Text != "shown: far (1): 200ms each way" || s.Count() != 1 {
		t.Errorf("%q, shown %d times", e.Text, s.Count())
	}
	c := b.await(mark, "the session", kind(localhub.KindConnect))
	if c.Remote != far.LocalAddr().String() || c.Conn != e.Conn {
		t.Errorf("the device is %s to the hub, not %s", c.Remote, far.LocalAddr())
	}
	// What the hub does to a session it does over such a link too.
	if !b.hub.Reset(deviceID) {
		t.Fatal("no session")
	}
	far.loses(syscall.ECONNRESET)
}
