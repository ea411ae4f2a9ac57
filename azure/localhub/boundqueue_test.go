package localhub_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"hilrig/azure/hub"
	"hilrig/azure/localhub"
)

// silent is a device that acknowledges nothing by itself.
func silent(t *testing.T, b *bench, clean bool) (mqtt.Client, <-chan mqtt.Message) {
	t.Helper()
	got := make(chan mqtt.Message, 128)
	c := b.client(func(o *mqtt.ClientOptions) {
		o.SetCleanSession(clean).SetAutoAckDisabled(true)
		o.SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) { got <- m })
	})
	if err := wait(t, c.Connect()); err != nil {
		t.Fatal(err)
	}
	return c, got
}

func (b *bench) toDevice(m hub.DeviceBound) {
	b.t.Helper()
	if err := b.hub.SendToDevice(deviceID, m); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) subscribe(c mqtt.Client, qos byte) {
	b.t.Helper()
	if err := wait(b.t, c.Subscribe(readTopic, qos, nil)); err != nil {
		b.t.Fatal(err)
	}
}

// nothingMore is true once the device has had an answer to something it asked
// for later: packets of a connection keep their order.
func nothingMore(t *testing.T, c mqtt.Client, got <-chan mqtt.Message) {
	t.Helper()
	if err := wait(t, c.Publish(topic, 1, false, "x")); err != nil {
		t.Fatal(err)
	}
	select {
	case m := <-got:
		t.Errorf("got %s, DUP %v", m.Topic(), m.Duplicate())
	default:
	}
}

func lockedFor(d time.Duration) func(*localhub.Config) {
	return func(c *localhub.Config) { c.BoundLock = d }
}

func TestUnacknowledgedComesAgainAfterItsLock(t *testing.T) {
	b := start(t, lockedFor(100*time.Millisecond))
	c, got := silent(t, b, false)
	b.subscribe(c, 1)
	b.toDevice(hub.DeviceBound{ID: "m"})
	first := receive(t, got)
	second := receive(t, got)
	if first.Duplicate() || !second.Duplicate() || first.MessageID() != second.MessageID() {
		t.Errorf("got id %d DUP %v, then id %d DUP %v", first.MessageID(), first.Duplicate(), second.MessageID(), second.Duplicate())
	}
	from := b.hub.Events().Mark()
	second.Ack()
	b.await(from, "the completion", kind(hub.KindCompleted))
	if n := b.hub.Pending(deviceID); n != 0 {
		t.Errorf("%d still wait", n)
	}
}

// What was not acknowledged comes at the next connect, without waiting for its
// lock, under its old packet identifier [MQTT-4.4.0-1].
func TestUnacknowledgedComesAgainAtTheNextConnect(t *testing.T) {
	b := start(t)
	c, got := silent(t, b, false)
	b.subscribe(c, 1)
	b.toDevice(hub.DeviceBound{ID: "m"})
	first := receive(t, got)
	nothingMore(t, c, got)
	from := b.hub.Events().Mark()
	b.hub.Drop(deviceID)
	b.await(from, "the end", kind(hub.KindDisconnected))
	_, got = silent(t, b, false)
	if again := receive(t, got); !again.Duplicate() || again.MessageID() != first.MessageID() {
		t.Errorf("id %d DUP %v, after id %d", again.MessageID(), again.Duplicate(), first.MessageID())
	}
}

// A clean session gets nothing until it subscribes; the queue waits for it.
func TestCleanSessionGetsNothingUntilItSubscribes(t *testing.T) {
	b := start(t)
	b.toDevice(hub.DeviceBound{ID: "before any session"})
	for range 2 {
		from := b.hub.Events().Mark()
		c, got := silent(t, b, true)
		nothingMore(t, c, got)
		b.subscribe(c, 1)
		receive(t, got)
		b.hub.Drop(deviceID)
		b.await(from, "the end", kind(hub.KindDisconnected))
	}
}

func TestMessageAtQoS0IsCompleteWithItsSending(t *testing.T) {
	b := start(t)
	c, got := silent(t, b, false)
	b.subscribe(c, 0)
	b.toDevice(hub.DeviceBound{ID: "m"})
	if m := receive(t, got); m.Qos() != 0 {
		t.Errorf("QoS %d", m.Qos())
	}
	if n := b.hub.Pending(deviceID); n != 0 {
		t.Errorf("%d still wait", n)
	}
}

func TestMessageExpires(t *testing.T) {
	b := start(t)
	b.toDevice(hub.DeviceBound{ID: "short", TTL: time.Nanosecond})
	b.toDevice(hub.DeviceBound{ID: "long"})
	c, got := silent(t, b, false)
	b.subscribe(c, 1)
	if m := receive(t, got); m.Topic() != "devices/NewDevice/messages/devicebound/%24.mid=long&%24.to=%2Fdevices%2FNewDevice%2Fmessages%2FdeviceBound" {
		t.Errorf("got %s", m.Topic())
	}
}

// Fifty messages wait for a device, acknowledged ones not counted (Azure:
// 403004).
func TestQueueIsFull(t *testing.T) {
	b := start(t)
	for i := range 50 {
		b.toDevice(hub.DeviceBound{ID: fmt.Sprint(i)})
	}
	full := func() bool {
		r := (*localhub.Refusal)(nil)
		return errors.As(b.hub.SendToDevice(deviceID, hub.DeviceBound{}), &r) && r.Code == 403004
	}
	if !full() {
		t.Fatal("the 51st was taken")
	}
	c, got := silent(t, b, false)
	b.subscribe(c, 1)
	ids := map[uint16]bool{}
	var m mqtt.Message
	for range 50 {
		m = receive(t, got)
		ids[m.MessageID()] = true
	}
	if len(ids) != 50 || !full() {
		t.Errorf("%d packet identifiers, full %v", len(ids), full())
	}
	from := b.hub.Events().Mark()
	m.Ack()
	b.await(from, "the completion", kind(hub.KindCompleted))
	b.toDevice(hub.DeviceBound{ID: "now there is room"})
	if n := b.hub.Purge(deviceID); n != 50 {
		t.Errorf("%d were purged", n)
	}
}
