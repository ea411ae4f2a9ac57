package localhub_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"hilrig/azure/hub"
	"hilrig/azure/mqttwire"
	"hilrig/record"
)

const readTopic = "devices/NewDevice/messages/devicebound/#"

// listening is a device that hands on what it gets.
func listening(t *testing.T, b *bench) (mqtt.Client, <-chan mqtt.Message) {
	t.Helper()
	got := make(chan mqtt.Message, 16)
	c := b.client(func(o *mqtt.ClientOptions) {
		o.SetCleanSession(false).SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) { got <- m })
	})
	if err := wait(t, c.Connect()); err != nil {
		t.Fatal(err)
	}
	if err := wait(t, c.Subscribe(readTopic, 1, nil)); err != nil {
		t.Fatal(err)
	}
	return c, got
}

func receive(t *testing.T, got <-chan mqtt.Message) mqtt.Message {
	t.Helper()
	select {
	case m := <-got:
		return m
	case <-time.After(5 * time.Second):
		t.Fatal("nothing arrived")
		return nil
	}
}

func TestCloudToDevice(t *testing.T) {
	b := start(t)
	_, got := listening(t, b)
	payload := bytes.Repeat([]byte("x"), 300)
	from := b.hub.Events().Mark()
	if err := b.hub.SendToDevice(deviceID, hub.DeviceBound{ID: "m-1", Payload: payload, Properties: map[string]string{"a b": "c&d"}}); err != nil {
		t.Fatal(err)
	}
	m := receive(t, got)
	if want := "devices/NewDevice/messages/devicebound/%24.mid=m-1&%24.to=%2Fdevices%2FNewDevice%2Fmessages%2FdeviceBound&a%20b=c%26d"; m.Topic() != want || m.Qos() != 1 || !bytes.Equal(m.Payload(), payload) {
		t.Errorf("got %q at QoS %d, %d bytes; want %q", m.Topic(), m.Qos(), len(m.Payload()), want)
	}
	b.await(from, "its acknowledgement", func(e hub.Event) bool {
		return e.Kind == hub.KindPacket && e.Packet.In && e.Packet.Type == mqttwire.PUBACK && e.Packet.ID == m.MessageID()
	})
}

// A message to a device that is away waits for it.
func TestCloudToDeviceWaits(t *testing.T) {
	b := start(t)
	c, _ := listening(t, b)
	from := b.hub.Events().Mark()
	c.Disconnect(0)
	b.await(from, "the end", kind(hub.KindDisconnected))
	if err := b.hub.SendToDevice(deviceID, hub.DeviceBound{ID: "later"}); err != nil {
		t.Fatal(err)
	}
	_, got := listening(t, b)
	if m := receive(t, got); !strings.Contains(m.Topic(), "%24.mid=later") {
		t.Errorf("got %s", m.Topic())
	}
}

func TestCloudToDeviceIsRefused(t *testing.T) {
	b := start(t)
	for name, err := range map[string]error{
		"unknown device": b.hub.SendToDevice("nobody", hub.DeviceBound{}),
		"too large":      b.hub.SendToDevice(deviceID, hub.DeviceBound{Payload: make([]byte, 64<<10+1)}),
	} {
		if record.ClassOf(err) != record.Usage {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
