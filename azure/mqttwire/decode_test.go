package mqttwire

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

func frameOf(t *testing.T, raw []byte) Frame {
	t.Helper()
	frames := NewSplitter(0, at(7)).Feed(raw)
	if len(frames) != 1 {
		t.Fatalf("% x is %d packets", raw, len(frames))
	}
	return frames[0]
}

func encode(t *testing.T, p packets.ControlPacket) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestDecodePaho reads what paho's own encoder writes: every field is there
// and nothing is held against it.
func TestDecodePaho(t *testing.T) {
	connect := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	connect.ProtocolName, connect.ProtocolVersion, connect.Keepalive = "MQTT", 4, 240
	connect.ClientIdentifier, connect.UsernameFlag, connect.Username = "dev-1", true, "hub/dev-1/?api-version=2021-04-12"
	connect.PasswordFlag, connect.Password = true, []byte("secret")
	connect.WillFlag, connect.WillTopic, connect.WillMessage, connect.WillQos, connect.WillRetain = true, "w/t", []byte("gone"), 1, true
	publish := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	publish.TopicName, publish.Payload, publish.Qos, publish.MessageID, publish.Retain = "a/β", []byte("hi"), 1, 700, true
	again := publish.Copy()
	again.Qos, again.MessageID, again.Dup = 2, 701, true
	subscribe := packets.NewControlPacket(packets.Subscribe).(*packets.SubscribePacket)
	subscribe.MessageID, subscribe.Topics, subscribe.Qoss = 5, []string{"a/+/#", "b"}, []byte{0, 2}
	unsubscribe := packets.NewControlPacket(packets.Unsubscribe).(*packets.UnsubscribePacket)
	unsubscribe.MessageID, unsubscribe.Topics = 6, []string{"b"}
	puback := packets.NewControlPacket(packets.Puback).(*packets.PubackPacket)
	puback.MessageID = 8
	pubrel := packets.NewControlPacket(packets.Pubrel).(*packets.PubrelPacket)
	pubrel.MessageID = 9
	tests := []struct {
		name string
		in   packets.ControlPacket
		want Packet
	}{
		{"CONNECT", connect, Packet{Type: CONNECT, Connect: &Connect{Protocol: "MQTT", Level: 4, Flags: 0xec, KeepAlive: 240, ClientID: "dev-1",
			Will:     &Will{Topic: "w/t", Payload: []byte("gone"), QoS: 1, Retain: true},
			UserName: "hub/dev-1/?api-version=2021-04-12", HasUserName: true, HasPassword: true, PasswordLength: 6}}},
		{"PUBLISH", publish, Packet{Type: PUBLISH, QoS: 1, Retain: true, ID: 700, Topic: "a/β", Payload: []byte("hi")}},
		{"PUBLISH", again, Packet{Type: PUBLISH, QoS: 2, Dup: true, ID: 701, Topic: "a/β", Payload: []byte("hi")}},
		{"SUBSCRIBE", subscribe, Packet{Type: SUBSCRIBE, ID: 5, Filters: []Filter{{"a/+/#", 0}, {"b", 2}}}},
		{"UNSUBSCRIBE", unsubscribe, Packet{Type: UNSUBSCRIBE, ID: 6, Filters: []Filter{{"b", 0}}}},
		{"PUBACK", puback, Packet{Type: PUBACK, ID: 8}},
		{"PUBREL", pubrel, Packet{Type: PUBREL, ID: 9}},
		{"PINGREQ", packets.NewControlPacket(packets.Pingreq), Packet{Type: PINGREQ}},
		{"DISCONNECT", packets.NewControlPacket(packets.Disconnect), Packet{Type: DISCONNECT}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			raw := encode(t, tt.in)
			got, violations := Decode(frameOf(t, raw), true)
			if len(violations) > 0 || got.Malformed != "" {
				t.Fatalf("held against it: %v %s", violations, got.Malformed)
			}
			tt.want.Name, tt.want.Size, tt.want.FromClient, tt.want.At, tt.want.flags = tt.name, len(raw), true, got.At, got.flags
			if len(got.Payload) == 0 {
				got.Payload = nil
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Fatalf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

// TestEncodeReadByPaho gives our packets to paho's decoder.
func TestEncodeReadByPaho(t *testing.T) {
	read := func(raw []byte) packets.ControlPacket {
		p, err := packets.ReadPacket(bytes.NewReader(raw))
		if err != nil {
			t.Fatalf("% x: %v", raw, err)
		}
		return p
	}
	if p := read(Connack(5, true)).(*packets.ConnackPacket); p.ReturnCode != 5 || !p.SessionPresent {
		t.Errorf("CONNACK %+v", p)
	}
	if p := read(Puback(513)).(*packets.PubackPacket); p.MessageID != 513 {
		t.Errorf("PUBACK %+v", p)
	}
	if p := read(Suback(2, 0, 1, 0x80)).(*packets.SubackPacket); p.MessageID != 2 || !bytes.Equal(p.ReturnCodes, []byte{0, 1, 0x80}) {
		t.Errorf("SUBACK %+v", p)
	}
	if _, ok := read(Pingresp()).(*packets.PingrespPacket); !ok {
		t.Error("PINGRESP is none")
	}
	for _, size := range []int{0, 1, 120, 121, 127, 128, 16_375, 16_384, 70_000} {
		raw := Publish(Packet{Topic: "t/1", Payload: bytes.Repeat([]byte{'x'}, size), QoS: 1, ID: 77, Dup: true, Retain: true})
		p := read(raw).(*packets.PublishPacket)
		if p.TopicName != "t/1" || len(p.Payload) != size || p.MessageID != 77 || !p.Dup || !p.Retain || p.Qos != 1 {
			t.Errorf("PUBLISH of %d bytes: %v", size, p)
		}
		if own, _ := Decode(frameOf(t, raw), false); own.ID != 77 || len(own.Payload) != size || own.Size != len(raw) {
			t.Errorf("PUBLISH of %d bytes, own decoder: %+v", size, own)
		}
	}
}

// connectWith is a CONNECT of level 4 with the given flags and payload fields.
func connectWith(flags byte, fields ...string) []byte {
	return rawConnect("MQTT", 4, flags, fields...)
}

func rawConnect(name string, level, flags byte, fields ...string) []byte {
	body := append(lengthPrefixed(name), level, flags, 0, 60)
	for _, f := range fields {
		body = append(body, lengthPrefixed(f)...)
	}
	return append(appendLength([]byte{0x10}, len(body)), body...)
}

func lengthPrefixed(s string) []byte {
	return append([]byte{byte(len(s) >> 8), byte(len(s))}, s...)
}

// TestDecodeViolations breaks one statement a case.
func TestDecodeViolations(t *testing.T) {
	publish := func(header byte, topic string, rest ...byte) []byte {
		body := append(lengthPrefixed(topic), rest...)
		return append([]byte{header, byte(len(body))}, body...)
	}
	subscribe := func(header byte, rest string) []byte {
		return append([]byte{header, byte(2 + len(rest)), 0, 1}, rest...)
	}
	tests := []struct {
		name string
		raw  []byte
		want string // statements, blank-separated
	}{
		{"sound CONNECT", connectWith(0x02, "id"), ""},
		{"reserved connect flag", connectWith(0x03, "id"), "[MQTT-3.1.2-3]"},
		{"will QoS without will", connectWith(0x0a, "id"), "[MQTT-3.1.2-13]"},
		{"will retain without will", connectWith(0x22, "id"), "[MQTT-3.1.2-15]"},
		{"will QoS 3", connectWith(0x1e, "id", "t", "m"), "[MQTT-3.1.2-14]"},
		{"will missing", connectWith(0x06, "id"), "MQTT 3.1 [MQTT-3.1.2-9]"},
		{"will topic with wildcard", connectWith(0x06, "id", "t/#", "m"), "[MQTT-4.7.1-1]"},
		{"user name missing", connectWith(0x82, "id"), "MQTT 3.1 [MQTT-3.1.2-19]"},
		{"password missing", connectWith(0xc2, "id", "u"), "MQTT 3.1 [MQTT-3.1.2-21]"},
		{"password without user name", connectWith(0x42, "id", "p"), "[MQTT-3.1.2-22]"},
		{"fields without flags", connectWith(0x02, "id", "u"), "MQTT 3.1"},
		{"no client id", connectWith(0x02), "MQTT 3.1 [MQTT-3.1.3-3]"},
		{"empty client id, clean", connectWith(0x02, ""), ""},
		{"empty client id, not clean", connectWith(0x00, ""), "[MQTT-3.1.3-7]"},
		{"client id not UTF-8", connectWith(0x02, "\xff\xfe"), "[MQTT-1.5.3-1]"},
		{"client id a surrogate", connectWith(0x02, "\xed\xa0\x80"), "[MQTT-1.5.3-1]"},
		{"client id with U+0000", connectWith(0x02, "a\x00"), "[MQTT-1.5.3-2]"},
		{"client id with a BOM, which is allowed", connectWith(0x02, "\ufeffa"), ""},
		{"other protocol name", rawConnect("mqtt", 4, 2, "id"), "[MQTT-3.1.2-1]"},
		{"level 3 named MQTT", rawConnect("MQTT", 3, 2, "id"), "[MQTT-3.1.2-2]"},
		{"MQTT 3.1, not judged", rawConnect("MQIsdp", 3, 3, "id"), ""},
		{"CONNECT with flags", append([]byte{0x11}, connectWith(2, "id")[1:]...), "[MQTT-2.2.2-1]"},

		{"QoS 3", publish(0x36, "t", 0, 1), "[MQTT-3.3.1-4]"},
		{"DUP at QoS 0", publish(0x38, "t"), "[MQTT-3.3.1-2]"},
		{"packet id 0", publish(0x32, "t", 0, 0), "[MQTT-2.3.1-1]"},
		{"empty topic", publish(0x30, ""), "[MQTT-4.7.3-1]"},
		{"wildcard +", publish(0x30, "a/+"), "[MQTT-3.3.2-2]"},
		{"wildcard #", publish(0x30, "#"), "[MQTT-3.3.2-2]"},
		{"topic not UTF-8", publish(0x30, "\xc0\x80"), "[MQTT-1.5.3-1]"},
		{"topic longer than the packet", []byte{0x30, 4, 0, 9, 'a', 'b'}, "MQTT 3.3"},
		{"ends before its id", publish(0x32, "t", 1), "MQTT 3.3"},

		{"SUBSCRIBE flags", subscribe(0x80, "\x00\x01a\x00"), "[MQTT-3.8.1-1]"},
		{"SUBSCRIBE without filter", subscribe(0x82, ""), "[MQTT-3.8.3-3]"},
		{"SUBSCRIBE QoS 3", subscribe(0x82, "\x00\x01a\x03"), "[MQTT-3-8.3-4]"},
		{"SUBSCRIBE without QoS", subscribe(0x82, "\x00\x01a"), "MQTT 3.8"},
		{"SUBSCRIBE id 0", []byte{0x82, 6, 0, 0, 0, 1, 'a', 0}, "[MQTT-2.3.1-1]"},
		{"SUBSCRIBE # in the middle", subscribe(0x82, "\x00\x03#/a\x00"), "[MQTT-4.7.1-2]"},
		{"SUBSCRIBE # beside text", subscribe(0x82, "\x00\x02a#\x00"), "[MQTT-4.7.1-2]"},
		{"SUBSCRIBE + beside text", subscribe(0x82, "\x00\x04a/b+\x00"), "[MQTT-4.7.1-3]"},
		{"SUBSCRIBE empty filter", subscribe(0x82, "\x00\x00\x00"), "[MQTT-4.7.3-1]"},
		{"UNSUBSCRIBE flags", subscribe(0xa0, "\x00\x01a"), "[MQTT-3.10.1-1]"},
		{"UNSUBSCRIBE without filter", subscribe(0xa2, ""), "[MQTT-3.10.3-2]"},

		{"PUBACK id 0", []byte{0x40, 2, 0, 0}, "[MQTT-2.3.1-6]"},
		{"PUBACK too long", []byte{0x40, 3, 0, 1, 0}, "MQTT 3.4"},
		{"PUBACK too short", []byte{0x40, 1, 0}, "MQTT 3.4"},
		{"PUBREL flags", []byte{0x60, 2, 0, 1}, "[MQTT-3.6.1-1]"},
		{"PINGREQ flags", []byte{0xc1, 0}, "[MQTT-2.2.2-1]"},
		{"PINGREQ with a body", []byte{0xc0, 1, 0}, "MQTT 3.12"},
		{"DISCONNECT flags", []byte{0xe2, 0}, "[MQTT-3.14.1-1]"},
		{"CONNACK of a client", Connack(0, false), "MQTT 2.2.1"},
		{"type 0", []byte{0x00, 0}, "MQTT 2.2.1"},
		{"type 15", []byte{0xf0, 0}, "MQTT 2.2.1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, violations := Decode(frameOf(t, tt.raw), true)
			var got []string
			for _, v := range violations {
				got = append(got, v.Statement)
				if v.Text == "" || v.Packet == "" || v.At.IsZero() {
					t.Errorf("incomplete: %+v", v)
				}
			}
			if strings.Join(got, " ") != tt.want {
				t.Fatalf("got %v, want %q", violations, tt.want)
			}
			if _, blamed := Decode(frameOf(t, tt.raw), false); len(blamed) > 0 {
				t.Fatalf("the server is blamed: %v", blamed)
			}
		})
	}
}

// TestDecodeMQTT5 finds the client id behind the properties of version 5.
func TestDecodeMQTT5(t *testing.T) {
	body := append(lengthPrefixed("MQTT"), 5, 0x06, 0, 30, 5, 0x11, 0, 0, 0, 10)
	body = append(body, lengthPrefixed("five")...)
	body = append(body, 0)
	body = append(append(body, lengthPrefixed("w")...), lengthPrefixed("m")...)
	p, violations := Decode(frameOf(t, append([]byte{0x10, byte(len(body))}, body...)), true)
	if len(violations) > 0 || p.Malformed != "" || p.Connect.ClientID != "five" || p.Connect.Level != 5 || p.Connect.Will.Topic != "w" {
		t.Fatalf("%+v %+v %v", p, p.Connect, violations)
	}
}

// TestPasswordIsNeverKept looks for the password in what may be recorded of a
// CONNECT, sound and broken.
func TestPasswordIsNeverKept(t *testing.T) {
	const password = "hunter2hunter2"
	cut := connectWith(0xc2, "id", "user", password)
	cut = cut[:len(cut)-3]
	cut[1] -= 3
	tests := []struct {
		name    string
		raw     []byte
		visible string
	}{
		{"sound", connectWith(0xc2, "id", "user", password), "user"},
		{"without its flags", connectWith(0x02, "id", "user", password), "id"},
		{"cut inside", cut, "user"},
		{"will flag forgotten", connectWith(0xc2, "id", "topic", "message", "user", password), "topic"},
		{"client id too long", []byte("\x10\x17\x00\x04MQTT\x04\xc2\x00\x3c\x99\x99" + password[:11]), "MQTT"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := frameOf(t, tt.raw)
			red := f.Redacted()
			if len(red) != len(f.Raw) || bytes.Contains(red, []byte(password[:4])) {
				t.Fatalf("redacted: %q", red)
			}
			if !bytes.Contains(red, []byte(tt.visible)) {
				t.Fatalf("%q is gone from %q", tt.visible, red)
			}
		})
	}
}
