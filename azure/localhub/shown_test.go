package localhub_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"hilrig/azure/hub"
	"hilrig/azure/link"
	"hilrig/azure/localhub"
	"hilrig/azure/localhub/control"
	"hilrig/azure/mqttwire"
	"hilrig/certs"
)

// TestEveryFaultIsShown shows a real client each fault that the hub knows, and
// holds what the client met against it. The hub's word for it is the event: a
// spec goes by that.
func TestEveryFaultIsShown(t *testing.T) {
	for _, f := range append(shownFaults(), withParameter()...) {
		isShown(t, f.Name, func(b *bench) { b.hub.Show(f, 0) })
	}
}

// A person shows a client all that is listed, through the hub's socket.
func TestEveryListedFaultIsShownByHand(t *testing.T) {
	for _, f := range localhub.NamedFaults() {
		isShown(t, f.Name, func(b *bench) { byHand(b, control.Show{Fault: localhub.FaultName(f.Name)}) })
	}
}

// byHand is what `hilrig hub fault` does.
func byHand(b *bench, q control.Show) []control.Shown {
	b.t.Helper()
	dir, err := os.MkdirTemp("", "hub") // a test's own folder may have too long a name for a socket
	if err != nil {
		b.t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	s, err := control.Listen(b.t.Context(), control.Config{Dir: control.Dir(dir), Hub: b.hub, Address: b.addr})
	if err != nil {
		b.t.Fatal(err)
	}
	defer s.Close()
	c, err := control.Open(s.Path())
	if err != nil {
		b.t.Fatal(err)
	}
	shown, err := c.Fault(b.t.Context(), q)
	if err != nil {
		b.t.Fatal(err)
	}
	return shown
}

// isShown holds what a client meets against the fault's row.
func isShown(t *testing.T, name string, show func(*bench)) {
	row, known := meetings[name]
	if cloudFaults[name] {
		return
	}
	if !known {
		t.Errorf("no row for %s", name)
		return
	}
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		b := start(t)
		d := &device{bench: b, t: t, config: b.tls(b.id)}
		if row.before != nil {
			row.before(d)
		}
		mark := b.hub.Events().Mark()
		show(b)
		row.meets(d)
		if name != "drop" { // the end of the session says it
			shownAs(b, mark, name)
		}
	})
}

// cloudFaults have tests of their own, in cloudfault_test.go.
var cloudFaults = map[string]bool{
	"drop-every-10s": true, "taken-over": true, "throttled": true, "dup-delivery": true, "large-delivery": true,
}

func shownAs(b *bench, mark int, name string) {
	b.t.Helper()
	b.await(mark, "the showing of "+name, func(e hub.Event) bool {
		return e.Kind == hub.KindFaultShown && e.Fault == name && (e.Conn > 0 || name == hub.OutageDown)
	})
}

// withParameter are faults that are not shown as they are.
func withParameter() []hub.Fault {
	return []hub.Fault{
		{Name: "drop-every-so-often", Drop: true, DropAfter: 60 * time.Millisecond},
	}
}

// meeting is a client's side of a fault.
type meeting struct {
	before func(*device) // the fault is shown
	meets  func(*device)
}

func inABlackHole(d *device) {
	d.connects(0)
	time.Sleep(time.Second - time.Since(d.began) + 50*time.Millisecond) // until it is one
	d.say(mqttwire.PINGREQ, nil)
	d.hearsNothing()
}

var meetings = map[string]meeting{
	"only-TLS 1.0": {meets: func(d *device) { d.speaksOnly(tls.VersionTLS10) }},
	"only-TLS 1.1": {meets: func(d *device) { d.speaksOnly(tls.VersionTLS11) }},
	"only-TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": {meets: func(d *device) { d.agreesOn(tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256) }},
	"only-TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": {meets: func(d *device) { d.agreesOn(tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) }},
	"only-TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256": {meets: func(d *device) { d.agreesOn(tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256) }},
	"require-sni": {meets: func(d *device) {
		d.dial()
		d.config.ServerName, d.config.InsecureSkipVerify = "", true
		d.refused()
	}},
	"cut-after-client-hello":        {meets: func(d *device) { d.cutBehind(1) }},
	"cut-after-server-hello":        {meets: func(d *device) { d.cutBehind(2) }},
	"cut-after-certificate":         {meets: func(d *device) { d.cutBehind(11) }},
	"cut-after-server-hello-done":   {meets: func(d *device) { d.cutBehind(14) }},
	"cut-after-client-key-exchange": {meets: func(d *device) { d.cutBehind(16) }},
	"one-byte-records": {meets: func(d *device) {
		d.dial() // Go puts them together
		d.is("longest handshake record", fmt.Sprint(d.wire.longest), "1")
	}},
	"small-records": {meets: func(d *device) {
		d.dial()
		d.is("longest handshake record", fmt.Sprint(d.wire.longest), "256")
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
	"link-cut":                  {meets: func(d *device) { d.connects(0); d.loses(io.EOF) }},
	"link-reset":                {meets: func(d *device) { d.connects(0); d.loses(syscall.ECONNRESET) }},
	"link-cut-inside":           {meets: func(d *device) { d.refused() }},
	"link-black-hole":           {meets: inABlackHole},
	"link-black-hole-to-device": {meets: inABlackHole},
	"link-black-hole-to-hub":    {meets: inABlackHole},

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

	"reset":     {before: inSession, meets: func(d *device) { d.loses(syscall.ECONNRESET) }},
	"take-over": {before: inSession, meets: func(d *device) { d.loses(io.EOF) }},
	"drop":      {before: inSession, meets: func(d *device) { d.loses(io.EOF) }},
	"black-hole": {before: inSession, meets: func(d *device) {
		d.say(mqttwire.PINGREQ, nil)
		d.hearsNothing()
	}},
	"hub-down": {before: inSession, meets: func(d *device) {
		d.loses(io.EOF)
		if _, err := net.Dial("tcp", d.addr); !errors.Is(err, syscall.ECONNREFUSED) {
			d.t.Errorf("dialled: %v, want refused", err)
		}
	}},

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

func inSession(d *device) { d.connects(0) }

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
	shownAs(b, 0, hub.OutageTakeOver)
	e := b.await(0, "the end", kind(hub.KindDisconnected))
	if e.Fault != hub.OutageTakeOver || e.Takeover {
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
			s := b.hub.Show(hub.Fault{Name: string(p.Profile), Certificate: &wrong}, 0)
			defer s.Lift()
			if _, err := d.try(); (p.Wrong != "" || p.Profile == certs.SecondRoot) != (err != nil) {
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

// A bad link is this connection's, and the device behind it is known as ever.
func TestABadLinkIsOneConnections(t *testing.T) {
	b := start(t)
	first := &device{bench: b, t: t, config: b.tls(b.id)}
	first.connects(0)
	s := b.hub.Show(hub.BadLink("far", link.Shape{Latency: 200 * time.Millisecond}), 1)
	first.say(mqttwire.PINGREQ, nil)
	asked := time.Now()
	first.hear(mqttwire.PINGRESP)
	if took := time.Since(asked); took > 150*time.Millisecond {
		t.Errorf("a connection from before takes %s", took)
	}
	far := &device{bench: b, t: t, config: b.tls(b.id)}
	mark := b.hub.Events().Mark()
	far.connects(0)
	e := b.await(mark, "the showing", kind(hub.KindFaultShown))
	if e.Text != "shown: far (1): 200ms each way" || s.Count() != 1 {
		t.Errorf("%q, shown %d times", e.Text, s.Count())
	}
	c := b.await(mark, "the session", kind(hub.KindConnect))
	if c.Remote != far.LocalAddr().String() || c.Conn != e.Conn {
		t.Errorf("the device is %s to the hub, not %s", c.Remote, far.LocalAddr())
	}
	// What the hub does to a session it does over such a link too.
	if !b.hub.Reset(deviceID) {
		t.Fatal("no session")
	}
	far.loses(syscall.ECONNRESET)
}
