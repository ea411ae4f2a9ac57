package localhub_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"hilrig/azure/hub"
	"hilrig/azure/mqttwire"
)

// connected is a client in a session, and what it lost its session by.
func connected(t *testing.T, b *bench) (mqtt.Client, <-chan error) {
	t.Helper()
	lost := make(chan error, 1)
	c := b.client(func(o *mqtt.ClientOptions) {
		o.SetConnectionLostHandler(func(_ mqtt.Client, err error) { lost <- err })
	})
	if err := wait(t, c.Connect()); err != nil {
		t.Fatal(err)
	}
	return c, lost
}

func awaitLoss(t *testing.T, lost <-chan error) error {
	t.Helper()
	select {
	case err := <-lost:
		return err
	case <-time.After(5 * time.Second):
		t.Fatal("the session goes on")
		return nil
	}
}

func TestReset(t *testing.T) {
	b := start(t)
	if b.hub.Reset(deviceID) {
		t.Error("reset a session that was not there")
	}
	_, lost := connected(t, b)
	if !b.hub.Reset(deviceID) {
		t.Fatal("no session")
	}
	if err := awaitLoss(t, lost); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("lost by %v, want a TCP reset", err)
	}
	b.await(0, "the fault", func(e hub.Event) bool {
		return e.Kind == hub.KindFaultShown && e.Fault == hub.OutageReset
	})
	b.await(0, "the end", func(e hub.Event) bool {
		return e.Kind == hub.KindDisconnected && e.Fault == hub.OutageReset
	})
}

func TestSilence(t *testing.T) {
	b := start(t)
	c, lost := connected(t, b)
	if !b.hub.Silence(deviceID) {
		t.Fatal("no session")
	}
	mark := b.hub.Events().Mark()
	if c.Publish(topic, 1, false, "lost").WaitTimeout(300 * time.Millisecond) {
		t.Error("a message was acknowledged")
	}
	select {
	case err := <-lost:
		t.Errorf("the connection ended: %v", err)
	default:
	}
	if got := b.hub.Events().Since(mark); len(got) != 0 {
		t.Errorf("recorded: %v", got)
	}
	c2, _ := connected(t, b) // the link is back for whoever connects anew
	if err := wait(t, c2.Publish(topic, 1, false, "there")); err != nil {
		t.Error(err)
	}
}

func TestDownAndUp(t *testing.T) {
	b := start(t)
	_, lost := connected(t, b)
	b.hub.Down()
	_ = awaitLoss(t, lost)
	if _, err := tls.Dial("tcp", b.addr, b.tls(b.id)); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dialled: %v, want refused", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := b.hub.Up(ctx); err != nil {
		t.Fatal(err)
	}
	c, _ := connected(t, b)
	if err := wait(t, c.Publish(topic, 1, false, "there")); err != nil {
		t.Error(err)
	}
}

func TestPush(t *testing.T) {
	b := start(t)
	c, _ := connected(t, b)
	got := make(chan mqtt.Message, 1)
	if err := wait(t, c.Subscribe("devices/NewDevice/messages/devicebound/#", 1, func(_ mqtt.Client, m mqtt.Message) { got <- m })); err != nil {
		t.Fatal(err)
	}
	if err := b.hub.Push(deviceID, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	select {
	case m := <-got:
		if string(m.Payload()) != "hello" || m.Qos() != 0 {
			t.Errorf("%q at QoS %d", m.Payload(), m.Qos())
		}
	case <-time.After(5 * time.Second):
		t.Fatal("nothing came")
	}
}

// A refused connection that lingers shows what the device sends on it.
func TestRefusalLingers(t *testing.T) {
	b := start(t)
	f := hub.Refuse(5)
	f.Linger = 300 * time.Millisecond
	b.hub.Show(f, 1)
	c, err := tls.Dial("tcp", b.addr, b.tls(b.id))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	connect := append([]byte{0x10, byte(10 + 2 + len(deviceID) + 2 + len(userName)), 0, 4, 'M', 'Q', 'T', 'T', 4, 0x80, 0, 60, 0, byte(len(deviceID))}, deviceID...)
	connect = append(append(connect, 0, byte(len(userName))), userName...)
	if _, err := c.Write(append(connect, 0xc0, 0)); err != nil {
		t.Fatal(err)
	}
	b.await(0, "PINGREQ on the refused connection", func(e hub.Event) bool {
		return e.Kind == hub.KindPacket && e.Packet.Type == mqttwire.PINGREQ
	})
	end := b.await(0, "the end", kind(hub.KindDisconnected))
	if end.Fault != "connack-5" {
		t.Errorf("ended by %q: %s", end.Fault, end.Text)
	}
}

// A persistent session is there again at the next connect, unless the hub has
// forgotten it.
func TestAForgottenSessionIsNotPresent(t *testing.T) {
	b := start(t)
	present := func() bool {
		t.Helper()
		from := b.hub.Events().Mark()
		c := b.client(func(o *mqtt.ClientOptions) { o.SetCleanSession(false) })
		if err := wait(t, c.Connect()); err != nil {
			t.Fatal(err)
		}
		if err := wait(t, c.Subscribe("devices/NewDevice/messages/devicebound/#", 1, nil)); err != nil {
			t.Fatal(err)
		}
		e := b.await(from, "a CONNECT", kind(hub.KindConnect))
		c.Disconnect(0)
		b.await(from, "the end", kind(hub.KindDisconnected))
		return e.Connect.Present
	}
	if present() {
		t.Error("the first session is present before it was")
	}
	if !present() {
		t.Error("the session was not kept")
	}
	showing := b.hub.Show(hub.Fault{Name: "session-forgotten", ForgetBefore: true}, 1)
	if present() || showing.Count() != 1 {
		t.Errorf("still present; shown %d times", showing.Count())
	}
	if !present() {
		t.Error("the session after it was not kept")
	}
}

// A hub that is closed does not listen again.
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
