package tap_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"hilrig/azure/hub"
	"hilrig/azure/link"
	"hilrig/azure/localhub"
	"hilrig/azure/mqttwire"
	"hilrig/azure/tap"
	"hilrig/record"
)

func ends(fault string) func(hub.Event) bool {
	return func(e hub.Event) bool { return e.Kind == hub.KindDisconnected && e.Fault == fault && !e.ByDevice }
}

func TestReset(t *testing.T) {
	b := start(t)
	if b.hub.Reset(deviceID) {
		t.Error("reset a session that was not there")
	}
	_, lost := b.connected()
	if !b.hub.Reset(deviceID) {
		t.Fatal("no session")
	}
	if err := awaitLoss(t, lost); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("lost by %v, want a TCP reset", err)
	}
	e := b.await(0, "the fault", func(e hub.Event) bool { return e.Kind == hub.KindFaultShown && e.Fault == hub.OutageReset })
	b.await(e.Seq, "the end", ends(hub.OutageReset))
	if _, live := b.hub.Events().Session(deviceID); live {
		t.Error("the session goes on")
	}
}

// The hub's own drop is the hub's, and is told as such.
func TestDropIsTheHubs(t *testing.T) {
	b := start(t)
	_, lost := b.connected()
	if !b.hub.Drop(deviceID) {
		t.Fatal("no session")
	}
	awaitLoss(t, lost)
	if e := b.await(0, "the end", kind(hub.KindDisconnected)); e.Text != "dropped by the hub" || e.ByDevice {
		t.Errorf("%q", e.Text)
	}
}

// A silent session stays open until the device gives it up, whatever the hub
// does meanwhile; a later one is not touched.
func TestSilence(t *testing.T) {
	b := start(t)
	c, lost := b.connected(func(o *mqtt.ClientOptions) { o.SetKeepAlive(time.Second).SetPingTimeout(3 * time.Second) })
	first := b.await(0, "the session", hub.Event.Accepted)
	if !b.hub.Silence(deviceID) {
		t.Fatal("no session")
	}
	if tok := c.Publish(topic, 1, false, "lost"); tok.WaitTimeout(100 * time.Millisecond) {
		t.Error("a PUBLISH was acknowledged")
	}
	awaitLoss(t, lost)
	end := b.await(first.Seq, "the end", func(e hub.Event) bool { return e.Ends(first.Conn) })
	if !end.ByDevice {
		t.Errorf("ended by the hub: %q", end.Text)
	}
	b.connected()
	b.await(end.Seq, "the next session", hub.Event.Accepted)
	for _, e := range b.hub.Events().Since(0) {
		if e.Telemetry() {
			t.Errorf("a message came through: %s", e.Message.Payload)
		}
	}
}

// Also what waits for a side that takes no more gets into the hole.
func TestSilenceBehindAHubThatTakesNoMore(t *testing.T) {
	stuck := make(chan struct{})
	config := &tls.Config{Certificates: []tls.Certificate{makePKI().server}, MaxVersion: tls.VersionTLS12}
	b := open(t, opens(func(raw net.Conn) {
		c := tls.Server(raw, config)
		if n, err := c.Read(make([]byte, 1)); n > 0 && err == nil { // the tap's own look says nothing
			_, _ = c.Write([]byte{0})
			<-stuck
		}
	}), tap.Config{})
	defer close(stuck)
	own := b.config()
	device, err := tls.Dial("tcp", b.addr, own)
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	said := make([]byte, 1<<16)
	_, werr := device.Write(said[:1])
	_, rerr := device.Read(make([]byte, 1))
	_, gerr := device.Write(said[:1]) // behind the hub's answer the device goes on: a session
	if err := errors.Join(werr, rerr, gerr); err != nil {
		t.Fatal(err)
	}
	b.await(0, "the session", hub.Event.Accepted)
	_ = device.SetWriteDeadline(time.Now().Add(500 * time.Millisecond))
	for err == nil {
		_, err = device.NetConn().Write(said)
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) || !b.hub.Silence(deviceID) {
		t.Fatalf("written into a hub that reads nothing: %v", err)
	}
	_ = device.SetWriteDeadline(time.Now().Add(15 * time.Second))
	for range 1 << 10 {
		if _, err := device.NetConn().Write(said); err != nil {
			t.Fatalf("the hole takes no more: %v", err)
		}
	}
}

// A device that never notices is got out of the hole.
func TestDropEndsASilentSession(t *testing.T) {
	b := start(t)
	_, lost := b.connected(func(o *mqtt.ClientOptions) { o.SetKeepAlive(0) })
	if !b.hub.Silence(deviceID) || !b.hub.Drop(deviceID) {
		t.Fatal("no session")
	}
	awaitLoss(t, lost)
	b.await(0, "the end", kind(hub.KindDisconnected))
}

func TestDownAndUp(t *testing.T) {
	b := start(t)
	_, lost := b.connected()
	b.hub.Down()
	awaitLoss(t, lost)
	if c, err := net.Dial("tcp", b.addr); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dialled: %v %v", c, err)
	}
	b.await(0, "the end", ends(hub.OutageDown))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := b.hub.Up(ctx); err != nil {
		t.Fatal(err)
	}
	b.connected()
}

// A handshake is cut behind the message that the fault names, and not before.
func TestCutInTheHandshake(t *testing.T) {
	for _, c := range []struct {
		message  byte
		name     string
		answered bool // the device has it
	}{
		{1, "client_hello", false}, {2, "server_hello", true}, {11, "certificate", true}, {12, "server_key_exchange", true}, {13, "certificate_request", true},
		{14, "server_hello_done", true}, {16, "client_key_exchange", true}, {15, "certificate_verify", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := start(t)
			b.connected() // the fault is not shown to strangers
			mark := b.hub.Events().Mark()
			showing := b.hub.Show(hub.Fault{Name: "cut", CutAfter: c.message}, 1)
			config, heard := b.config(), &counts{}
			config.MaxVersion = tls.VersionTLS12
			raw, err := net.Dial("tcp", b.addr)
			if err != nil {
				t.Fatal(err)
			}
			heard.Conn = raw
			defer raw.Close()
			if err := tls.Client(heard, config).Handshake(); err == nil {
				t.Error("the handshake came to its end")
			}
			if showing.Count() != 1 || b.hub.Showing() {
				t.Errorf("shown %d times; goes on: %v", showing.Count(), b.hub.Showing())
			}
			e := b.await(mark, "the handshake", func(e hub.Event) bool { return e.Kind == hub.KindHandshake && e.Fault == "cut" })
			h := e.Handshake
			last := h.Messages[len(h.Messages)-1]
			if h.OK || h.Fault != "cut" || last.Type != c.message || (heard.n > 0) != c.answered {
				t.Errorf("OK %v, the last message %s; the device heard %d bytes", h.OK, last.Name, heard.n)
			}
			b.await(e.Seq, "the end", ends("cut"))
			b.connected()
		})
	}
}

type counts struct {
	net.Conn
	n int
}

func (c *counts) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.n += n
	return n, err
}

// A link is as bad as its shape says, for connections that begin while it is
// shown.
func TestBadLink(t *testing.T) {
	for _, c := range []struct {
		shape   link.Shape
		connect bool
	}{
		{link.Shape{Latency: 50 * time.Millisecond, Rate: 50_000, Stalls: link.Stalls{First: 3, Every: 5, For: 10 * time.Millisecond}}, true},
		{link.Shape{End: link.Cut}, false},
		{link.Shape{End: link.Reset}, false},
		{link.Shape{End: link.Cut, Bytes: 700}, false},
		{link.Shape{End: link.Reset, Bytes: 700}, false},
	} {
		t.Run(c.shape.String(), func(t *testing.T) {
			b := start(t)
			mark := b.hub.Events().Mark()
			showing := b.hub.Show(hub.BadLink("bad", c.shape), 0)
			began := time.Now()
			err := b.wait(b.client().Connect())
			if (err == nil) != c.connect {
				t.Errorf("connected: %v", err)
			}
			if took := time.Since(began); c.connect && took < 6*c.shape.Latency {
				t.Errorf("connected within %s", took)
			}
			e := b.await(mark, "the fault", func(e hub.Event) bool { return e.Kind == hub.KindFaultShown && e.Fault == "bad" })
			b.await(mark, "the handshake", func(x hub.Event) bool { return x.Conn == e.Conn && x.Kind == hub.KindHandshake })
			showing.Lift()
			if b.hub.Showing() {
				t.Error("still shown")
			}
		})
	}
}

// One direction of a black hole leaves the other as it was.
func TestABlackHoleOfOneDirection(t *testing.T) {
	for _, c := range []struct {
		way            link.Way
		toHub, toThere string // what gets through
	}{{link.ToDevice, "said", ""}, {link.ToHub, "", "answered"}} {
		t.Run(string(c.way), func(t *testing.T) {
			heard := make(chan string, 1)
			b := open(t, opens(func(conn net.Conn) {
				_, _ = conn.Write([]byte("answered")) // the tap's own look may be over already
				said, _ := io.ReadAll(conn)
				heard <- string(said)
			}), tap.Config{})
			<-heard
			b.hub.Show(hub.BadLink("hole", link.Shape{End: link.BlackHole, Way: c.way}), 1)
			device, err := net.Dial("tcp", b.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer device.Close()
			if _, err := device.Write([]byte("said")); err != nil {
				t.Fatal(err)
			}
			_ = device.SetReadDeadline(time.Now().Add(15 * time.Second))
			if c.toThere == "" {
				_ = device.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
			}
			got := make([]byte, len("answered"))
			n, _ := io.ReadFull(device, got)
			if string(got[:n]) != c.toThere {
				t.Errorf("the device heard %q, want %q", got[:n], c.toThere)
			}
			_ = device.Close() // the device has left the hole: the hub learns that
			if said := <-heard; said != c.toHub {
				t.Errorf("the hub heard %q, want %q", said, c.toHub)
			}
		})
	}
}

// What is not of the link alone the hub shows, and says whom.
func TestOtherFaultsAreTheHubs(t *testing.T) {
	b := start(t)
	b.hub.Show(hub.Refuse(3), 1)
	if err := b.wait(b.client().Connect()); err == nil {
		t.Error("accepted")
	}
	b.await(0, "the refusal", func(e hub.Event) bool { return e.Kind == hub.KindConnect && e.Connect.ReturnCode == 3 })
	b.hub.Show(hub.Fault{Name: "only-one", Suites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256}}, 1)
	c, err := tls.Dial("tcp", b.addr, b.config())
	if err == nil {
		_ = c.Close()
	}
	b.await(0, "the handshake", func(e hub.Event) bool { return e.Kind == hub.KindHandshake && e.Fault == "only-one" })
}

// broker is a hub that shows no packets and no faults: it answers each CONNECT.
func broker(code *atomic.Uint32) hub.Open {
	config := &tls.Config{Certificates: []tls.Certificate{makePKI().server}, MaxVersion: tls.VersionTLS12, ClientAuth: tls.RequestClientCert}
	return opens(func(raw net.Conn) {
		c := tls.Server(raw, config)
		packet := make([]byte, 512)
		for c.SetDeadline(time.Now().Add(15*time.Second)) == nil {
			n, err := c.Read(packet)
			if err != nil {
				return
			}
			switch packet[0] >> 4 {
			case mqttwire.CONNECT:
				_, err = c.Write([]byte{mqttwire.CONNACK << 4, 2, 0, byte(code.Load())})
				if code.Load() != 0 {
					return
				}
			case mqttwire.PUBLISH:
				_, err = c.Write([]byte{mqttwire.PUBACK << 4, 2, packet[n-2], packet[n-1]}) // an empty one
			case mqttwire.DISCONNECT:
				return
			}
			if err != nil {
				return
			}
		}
	})
}

// At a hub that shows no packets a session is one that the hub has answered and
// the device has gone on with; the tap alone ends it and refuses.
func TestAtAHubThatShowsNoPackets(t *testing.T) {
	var code atomic.Uint32
	b := open(t, broker(&code), tap.Config{})
	b.inner.Events().Know(hub.Device{ID: deviceID, Thumbprints: []string{sha256Of(b.id)}})
	if got := b.hub.Letters(); got != hub.OfBroker.With(hub.OfTap) {
		t.Errorf("letters %s", got)
	}
	if b.hub.Packets != nil || b.hub.Cloud != nil || b.hub.Registry != nil || b.hub.Faults == nil || b.hub.Link == nil || b.hub.Sessions == nil {
		t.Errorf("abilities %+v", b.hub)
	}
	begins := func() (e hub.Event, lost <-chan error) {
		mark := b.hub.Events().Mark()
		c, lost := b.connected()
		for range 3 {
			c.Publish(topic, 1, false, []byte{})
		}
		return b.await(mark, "the session", hub.Event.Accepted), lost
	}
	e, lost := begins()
	if p := b.hub.Events().Proof(e.Conn); p != hub.ProofCertificate {
		t.Errorf("known by %s", p)
	}
	if !b.hub.Drop(deviceID) {
		t.Fatal("no session")
	}
	awaitLoss(t, lost)
	end := b.await(e.Seq, "the end", func(x hub.Event) bool { return x.Ends(e.Conn) })
	if end.ByDevice || b.hub.Drop(deviceID) {
		t.Errorf("%+v", end)
	}
	if _, lost = begins(); !b.hub.Reset(deviceID) {
		t.Fatal("no session")
	}
	if err := awaitLoss(t, lost); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("lost by %v", err)
	}
	b.await(end.Seq, "the end", ends(hub.OutageReset))

	showing := b.hub.Show(hub.DropAfterConnack(0), 1)
	mark := b.hub.Events().Mark()
	_, lost = b.connected()
	awaitLoss(t, lost)
	b.await(mark, "a session that is dropped", func(e hub.Event) bool { return e.Accepted() && e.Fault == "drop-after-connack" })
	b.await(mark, "its end", ends("drop-after-connack"))
	if showing.Count() != 1 {
		t.Errorf("shown %d times", showing.Count())
	}

	b.hub.Show(hub.Refuse(3), 1)
	mark = b.hub.Events().Mark()
	if err := b.wait(b.client().Connect()); err == nil {
		t.Error("not refused")
	}
	b.await(mark, "its end", ends("connack-3"))

	code.Store(5)
	mark = b.hub.Events().Mark()
	if err := b.wait(b.client().Connect()); err == nil {
		t.Error("not refused")
	}
	b.await(mark, "the end", kind(hub.KindDisconnected))
	if slices.ContainsFunc(b.hub.Events().Since(mark), hub.Event.Accepted) {
		t.Error("a refused CONNECT is a session")
	}
}

// What arrives at such a hub is of the device's connection.
func TestWhatArrivesIsOfTheDevicesConnection(t *testing.T) {
	var code atomic.Uint32
	b := open(t, broker(&code), tap.Config{})
	b.inner.Events().Know(hub.Device{ID: deviceID, Thumbprints: []string{sha256Of(b.id)}})
	b.connected()
	b.await(0, "the handshake", kind(hub.KindHandshake))
	b.inner.Events().Add(hub.Event{Kind: hub.KindMessage, DeviceID: deviceID, Message: &hub.Message{Topic: topic}})
	e := b.await(0, "the message", hub.Event.Telemetry)
	if s, live := b.hub.Events().Session(deviceID); !live || s.Conn != e.Conn || s.From > e.Seq {
		t.Errorf("message of connection %d, session %+v", e.Conn, s)
	}
}

func TestATapThatWouldReachItself(t *testing.T) {
	for _, c := range []struct{ host, to string }{
		{"127.0.0.1", "127.0.0.1"}, {"::1", "::1"}, {"0.0.0.0", "127.0.0.1"}, {"::", "::1"}, {"127.0.0.1", "localhost"},
	} {
		t.Run(c.to+" at "+c.host, func(t *testing.T) {
			port := freePort(t, c.host)
			to := net.JoinHostPort(c.to, port)
			_, _, err := tap.Wrap(opens(func(net.Conn) {}), tap.Config{To: to})(t.Context(), hub.Setup{Listen: net.JoinHostPort(c.host, port)})
			if record.ClassOf(err) != record.Usage || !strings.Contains(err.Error(), "itself") || !strings.Contains(err.Error(), "to:") {
				t.Errorf("%v", err)
			}
		})
	}
}

// A hub that is not there is the rig's trouble: at the beginning and later.
func TestAHubThatCannotBeReached(t *testing.T) {
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	to := gone.Addr().String()
	_ = gone.Close()
	_, _, err = tap.Wrap(localhub.Open, tap.Config{To: to})(t.Context(), hub.Setup{
		Listen: "127.0.0.1:0", Certificate: func(context.Context) (tls.Certificate, error) { return makePKI().server, nil },
	})
	if record.ClassOf(err) != record.RigHub {
		t.Errorf("%v", err)
	}
	b := open(t, opens(func(c net.Conn) { _, _ = io.Copy(c, c) }), tap.Config{})
	began := time.Now()
	if err := b.inner.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c, err := net.Dial("tcp", b.addr); err == nil { // or it is reset already
		defer c.Close()
	}
	b.await(0, "the gap", kind(hub.KindGap))
	if e := b.await(0, "the end", kind(hub.KindDisconnected)); e.ByDevice {
		t.Errorf("%+v", e)
	}
	if missed := b.hub.Events().Missed(began, time.Now()); len(missed) != 1 {
		t.Errorf("missed %v", missed)
	}
}

// A tap that is closed does not listen again.
func TestUpBehindClose(t *testing.T) {
	b := start(t)
	b.hub.Down()
	if err := b.hub.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.hub.Up(t.Context()); !errors.Is(err, os.ErrClosed) {
		t.Errorf("up: %v", err)
	}
	if c, err := net.Dial("tcp", b.addr); err == nil {
		_ = c.Close()
		t.Error("it listens")
	}
}
