package localhub

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"hilrig/azure/hub"
	"io"
	"net"
	"os"
	"slices"
	"testing"
	"time"

	"hilrig/azure/mqttwire"
	"hilrig/record"
)

// FuzzSession has a device say anything behind a valid CONNECT: no panic, no
// hang, and nothing leaves but packets that a server of MQTT 3.1.1 sends.
func FuzzSession(f *testing.F) {
	publish := func(topic string, qos byte) []byte {
		return mqttwire.Packet{Type: mqttwire.PUBLISH, Topic: topic, QoS: qos, ID: 1, Payload: []byte(`{"a":1}`)}.AppendTo(nil)
	}
	f.Add(bytes.Join([][]byte{publish("devices/d/messages/events/a=b", 1), publish("devices/d/messages/events/", 0), {0xc0, 0, 0xe0, 0}}, nil))
	f.Add(bytes.Join([][]byte{{0x82, 15, 0, 1, 0, 10}, []byte("$iothub/#x"), {1}, publish("$iothub/twin/GET/?$rid=1", 0)}, nil))
	f.Add(bytes.Join([][]byte{{0x82, 22, 0, 1, 0, 17}, []byte("$iothub/twin/res/#"), {1}}, nil))
	f.Add(append([]byte{0x82, 34, 0, 2, 0, 29}, "devices/d/messages/devicebound/#\x01\x40\x02\x00\x01"...))
	f.Add(publish("$iothub/twin/PATCH/properties/reported/?$rid=2", 1))
	f.Add(publish("$iothub/methods/res/200/?$rid=1", 1))
	f.Add([]byte{0x50, 2, 0, 1, 0x62, 2, 0, 1, 0x70, 2, 0, 1, 0xa2, 5, 0, 1, 0, 1, 'a', 0x10, 0})
	f.Fuzz(func(t *testing.T, stream []byte) {
		now := time.Now()
		h, err := New(Config{
			Certificate: tls.Certificate{Certificate: [][]byte{{0}}},
			Devices:     []hub.Device{{ID: "d", Thumbprints: []string{"AB"}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := h.SendToDevice("d", hub.DeviceBound{ID: "m"}); err != nil {
			t.Fatal(err)
		}
		device, clear := net.Pipe()
		w := &rawConn{Conn: clear}
		c := newConn(h, 1, w, clear, &hub.Handshake{
			Certificates: []*x509.Certificate{{NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}},
			Thumbprints:  record.Thumbprints{SHA1: "AB"},
		})
		w.turn = c.turn
		over := make(chan struct{})
		go func() { c.run(); close(over) }()
		heard := make(chan []byte)
		go func() { all, _ := io.ReadAll(device); heard <- all }()
		user := "h/d/?api-version=2021-04-12"
		connect := append([]byte{0x10, byte(15 + len(user)), 0, 4, 'M', 'Q', 'T', 'T', 4, 0x80, 0, 60, 0, 1, 'd', 0, byte(len(user))}, user...)
		_ = device.SetWriteDeadline(now.Add(10 * time.Second))
		_, err = device.Write(append(connect, stream...)) // the hub may have had enough
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal("the hub does not read")
		}
		_ = device.Close()
		select {
		case <-over:
		case <-time.After(10 * time.Second):
			t.Fatal("the connection does not end")
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := h.Close(ctx); err != nil {
			t.Fatal(err)
		}
		legalOfServer(t, <-heard)
	})
}

// legalOfServer says whether these are packets of a server, CONNACK first; the
// last may be cut off with its connection.
func legalOfServer(t *testing.T, raw []byte) {
	t.Helper()
	s := mqttwire.NewSplitter(0, nil)
	for i, f := range s.Feed(raw) {
		p, _ := mqttwire.Decode(f, false)
		ours := slices.Contains([]byte{mqttwire.CONNACK, mqttwire.PUBLISH, mqttwire.PUBACK, mqttwire.SUBACK, mqttwire.UNSUBACK, mqttwire.PINGRESP}, p.Type)
		switch {
		case p.Malformed != "" || !ours || (i == 0) != (p.Type == mqttwire.CONNACK):
			t.Errorf("packet %d: %+v", i, p)
		case p.Type == mqttwire.CONNACK && p.ReturnCodes[0] > codeNotAuthorized, p.QoS > 1:
			t.Errorf("packet %d: %+v", i, p)
		case slices.ContainsFunc(p.ReturnCodes, func(c byte) bool { return p.Type == mqttwire.SUBACK && c > 1 && c != failure }):
			t.Errorf("SUBACK % x", p.ReturnCodes)
		}
	}
	if err := s.Err(); err != nil {
		t.Error(err)
	}
}
