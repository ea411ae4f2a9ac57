package tlswire

import (
	"reflect"
	"testing"
	"time"
)

// FuzzObserver feeds any bytes to both directions, whole and in pieces: no
// panic, the same result, bounded memory.
func FuzzObserver(f *testing.F) {
	f.Add(record(recordHandshake, handmade(nil)), record(recordAlert, []byte{2, 40}), uint8(3))
	f.Add([]byte("\x80\x2b\x01\x03\x01\x00\x12\x00\x00\x00\x10"), []byte{}, uint8(1))
	f.Add([]byte("\x10\x25\x00\x04MQTT"), record(recordChangeCipherSpec, []byte{1}), uint8(7))
	f.Add(record(recordHandshake, []byte{1, 0, 0, 40}), record(recordHandshake, []byte{2, 0, 0, 2, 3, 3, 14, 0, 0, 0}), uint8(0))
	f.Fuzz(func(t *testing.T, client, server []byte, piece uint8) {
		now := func() time.Time { return time.Time{} }
		whole, pieces := NewObserver(now), NewObserver(now)
		whole.FromServer(server)
		whole.FromClient(client)
		step := int(piece)%16 + 1
		for i := 0; i < len(server); i += step {
			pieces.FromServer(server[i:min(i+step, len(server))])
		}
		for i := 0; i < len(client); i += step {
			pieces.FromClient(client[i:min(i+step, len(client))])
		}
		one := []any{whole.Hello(), whole.Server(), whole.Messages(), whole.Alerts(), len(whole.Garbage())}
		other := []any{pieces.Hello(), pieces.Server(), pieces.Messages(), pieces.Alerts(), len(pieces.Garbage())}
		if !reflect.DeepEqual(one, other) {
			t.Fatalf("whole %+v\npieces %+v", one, other)
		}
		if h := whole.Hello(); h != nil {
			Report(h)
			for _, s := range h.Suites {
				Weakness(s)
			}
		}
	})
}

// FuzzClientHello mutates the message alone, where the parser is.
func FuzzClientHello(f *testing.F) {
	f.Add(handmade(nil)[4:])
	f.Add(handmade(&ingredients{extensions: []Extension{{Type: extServerName, Body: []byte("\x00\x0b\x00\x00\x08hub.test")}, {Type: extALPN, Body: []byte("\x00\x05\x04mqtt")}}})[4:])
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > maxKept-4 {
			return
		}
		raw := append([]byte{1, byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}, body...)
		Report(parseClientHello(raw, len(body), 0x0301, time.Time{}))
		parseServerHello(body, nil, time.Time{})
		parseSSLv2Hello(body, len(body), time.Time{})
	})
}
