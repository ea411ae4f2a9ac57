package mqttwire

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// play runs a script against one Sessions and returns the statements broken,
// blank-separated. A line is one frame: "> 10 02" style builders below; "new"
// begins another connection, "wait 40" moves the clock by seconds, "end client"
// or "end hub" ends the connection.
func play(t *testing.T, script string) string {
	t.Helper()
	sessions := NewSessions()
	now := time.Unix(1_000_000, 0)
	c := NewChecker(sessions)
	var broken []string
	take := func(vs []Violation) {
		for _, v := range vs {
			broken = append(broken, v.Statement)
		}
	}
	for line := range strings.SplitSeq(strings.TrimSpace(script), "\n") {
		words := strings.Fields(line)
		now = now.Add(10 * time.Millisecond)
		switch words[0] {
		case "new":
			c = NewChecker(sessions)
		case "wait":
			var s int
			fmt.Sscan(words[1], &s)
			now = now.Add(time.Duration(s) * time.Second)
		case "end":
			take(c.End(now, words[1] == "client"))
		case "excuse":
			sessions.Excuse("dev")
		default:
			for _, f := range NewSplitter(0, func() time.Time { return now }).Feed(packetOf(t, words[1:])) {
				_, vs := c.Feed(f, words[0] == ">")
				take(vs)
			}
		}
	}
	return strings.Join(broken, " ")
}

// packetOf builds a packet from words: connect [clean|keep], connack rc [sp],
// pub id content [dup], pub0 content, ack|rec|rel|comp id, sub|unsub id filter,
// suback id, unsuback id, ping, pong, bye.
func packetOf(t *testing.T, w []string) []byte {
	t.Helper()
	id := uint16(0)
	if len(w) > 1 {
		fmt.Sscan(w[1], &id)
	}
	has := func(word string) bool { return strings.Contains(" "+strings.Join(w, " ")+" ", " "+word+" ") }
	short := func(header byte) []byte { return []byte{header, 2, byte(id >> 8), byte(id)} }
	switch w[0] {
	case "connect":
		flags := byte(0)
		if has("clean") {
			flags = flagClean
		}
		return connectWith(flags, "dev")
	case "connack":
		return Connack(byte(id), has("sp"))
	case "pub", "pub2":
		qos := byte(1)
		if w[0] == "pub2" {
			qos = 2
		}
		return Publish(Packet{Topic: "t", Payload: []byte(w[2]), QoS: qos, ID: id, Dup: has("dup")})
	case "pub0":
		return Publish(Packet{Topic: "t", Payload: []byte(w[1])})
	case "ack":
		return short(0x40)
	case "rec":
		return short(0x50)
	case "rel":
		return short(0x62)
	case "comp":
		return short(0x70)
	case "unsuback":
		return short(0xb0)
	case "suback":
		return Suback(id, 0)
	case "sub":
		return append([]byte{0x82, byte(5 + len(w[2]))}, append(append([]byte{0, byte(id)}, lengthPrefixed(w[2])...), 0)...)
	case "unsub":
		return append([]byte{0xa2, byte(4 + len(w[2]))}, append([]byte{0, byte(id)}, lengthPrefixed(w[2])...)...)
	case "ping":
		return []byte{0xc0, 0}
	case "pong":
		return Pingresp()
	case "bye":
		return []byte{0xe0, 0}
	}
	t.Fatalf("no packet %q", w)
	return nil
}

const (
	opened  = "> connect clean\n< connack 0\n"
	resumed = "new\n> connect keep\n< connack 0 sp\n"
	kept    = "> connect keep\n< connack 0\n"
)

func TestChecker(t *testing.T) {
	tests := []struct{ name, script, want string }{
		{"sound life", opened + "> sub 1 a/#\n< suback 1\n> pub 2 one\n< ack 2\n> pub0 x\n> ping\n< pong\n> pub 3 two\n< ack 3\n> bye\nend client", ""},
		{"no CONNECT first, said once", "> ping\n> pub 0 x\n> ping", "[MQTT-3.1.0-1]"},
		{"second CONNECT", opened + "> connect clean", "[MQTT-3.1.0-2]"},
		{"packet id reused after its answer", opened + "> sub 1 a\n< suback 1\n> pub 1 x\n< ack 1\n> pub 1 y\n< ack 1", ""},
		{"packet id 0", opened + "> pub 0 x", "[MQTT-2.3.1-1]"},
		{"same content, many messages in flight", opened + "> pub 1 x\n> pub 2 x\n> pub 3 x\n< ack 1\n< ack 2\n< ack 3", ""},
		{"packet id in flight, other message", opened + "> pub 1 x\n> pub 1 y", "[MQTT-2.3.1-2]"},
		{"packet id of a SUBSCRIBE", opened + "> sub 1 a\n> pub 1 y", "[MQTT-2.3.1-2]"},
		{"packet id of a PUBLISH", opened + "> pub 1 y\n> sub 1 a", "[MQTT-2.3.1-2]"},
		{"SUBSCRIBE again, unanswered", opened + "> sub 1 a\nwait 5\n> sub 1 a", ""},
		{"SUBSCRIBE of something else, unanswered", opened + "> sub 1 a\n> sub 1 b", "[MQTT-2.3.1-2]"},
		{"UNSUBSCRIBE behind SUBSCRIBE, answered", opened + "> sub 1 a\n< suback 1\n> unsub 1 a\n< unsuback 1", ""},

		{"re-sent with DUP on the same connection", opened + "> pub 1 x\nwait 15\n> pub 1 x dup\n< ack 1", ""},
		{"re-sent without DUP on the same connection", opened + "> pub 1 x\n> pub 1 x", "[MQTT-3.3.1-1]"},
		{"re-sent with DUP on the next", kept + "> pub 1 x\n" + resumed + "> pub 1 x dup", ""},
		{"re-sent without DUP on the next", kept + "> pub 1 x\n" + resumed + "> pub 1 x", "[MQTT-3.3.1-1]"},
		{"left over, its id reused", kept + "> pub 1 x\n" + resumed + "> pub 1 y", "[MQTT-4.4.0-1]"},
		{"left over, hub has no session any more", kept + "> pub 1 x\nnew\n" + kept + "> pub 1 y", ""},
		{"left over, clean session", opened + "> pub 1 x\nnew\n" + opened + "> pub 1 x\n> pub 2 y", ""},
		{"left over, clean session, re-sent with DUP as paho does", opened + "> pub 1 x\nnew\n" + opened + "> pub 1 x dup\n> pub 2 y", ""},
		{"left over, power cut between", kept + "> pub 1 x\nexcuse\n" + resumed + "> pub 1 y", ""},
		{"left over, refused in between", kept + "> pub 1 x\nnew\n> connect keep\n< connack 3\n" + resumed + "> pub 1 x dup", ""},
		{"left over, refused in between, without DUP", kept + "> pub 1 x\nnew\n> connect keep\n< connack 3\n" + resumed + "> pub 1 x", "[MQTT-3.3.1-1]"},
		{"left over and forgotten", kept + "> pub 1 x\n" + resumed + "> pub 2 a\n< ack 2\n> pub 3 b\n< ack 3\nwait 31\n> pub 4 c\n< ack 4\nend client", "[MQTT-4.4.0-1]"},
		{"left over, too early to say", kept + "> pub 1 x\n" + resumed + "> pub 2 a\n< ack 2\n> pub 3 b\n< ack 3\n> pub 4 c\n< ack 4\nend client", ""},
		{"left over, re-sent late", kept + "> pub 1 x\n" + resumed + "> pub 2 a\n< ack 2\n> pub 3 b\n< ack 3\n> pub 1 x dup\nwait 31\n> pub 4 c\n< ack 4\nend client", ""},
		{"acknowledgement lost, re-sent", kept + "> pub 1 x\n< ack 1\n" + resumed + "> pub 1 x dup\n< ack 1", ""},
		{"re-sent under another id", kept + "> pub 8 a\n< ack 8\n> pub 9 b\n< ack 9\n> pub 10 x\n" + resumed + "> pub 11 x dup", "[MQTT-2.3.1-3]"},
		{"the same payload twice, the second try lost, both re-sent", kept + "> pub 8 a\n< ack 8\n> pub 9 b\n< ack 9\n> pub 10 x\n" + resumed + "> pub 10 x dup\n> pub 11 x dup", ""},
		{"the same payload twice, the second try lost, both re-sent over a clean session", opened + "> pub 8 a\n< ack 8\n> pub 9 b\n< ack 9\n> pub 10 x\nnew\n" + opened + "> pub 10 x dup\n> pub 11 x dup", ""},
		{"constant payload, first tries lost", kept + "> pub 8 x\n< ack 8\n> pub 9 x\n< ack 9\n> pub 10 x\n" + resumed + "> pub 11 x dup", ""},

		{"one stranger with DUP", opened + "> pub 1 a dup\n< ack 1\n> pub 2 b", ""},
		{"DUP on every first delivery", opened + "> pub 1 a dup\n< ack 1\n> pub 2 b dup\n< ack 2\n> pub 3 c dup\n< ack 3\n> pub 4 d dup\n< ack 4\n> pub 5 e dup\n< ack 5", "[MQTT-4.3.2-1]"},
		{"backlog after a black hole", opened + "> pub 1 a\n< ack 1\nnew\n" + opened + "> pub 2 b dup\n> pub 3 c dup\n> pub 4 d dup\n> pub 5 e dup\n> pub 6 f dup\n> pub 7 g dup", ""},
		{"DUP on a new message under an id just done with", opened + "> pub 1 a\n< ack 1\n> pub 1 b dup", "[MQTT-4.3.2-1]"},

		{"PUBACK of a message of the server", opened + "< pub 7 x\n> ack 7", ""},
		{"PUBACK of a message of the connection before", kept + "< pub 7 x\n" + resumed + "> ack 7", ""},
		{"PUBACK of nothing", opened + "> ack 7", "[MQTT-2.3.1-6]"},
		{"QoS 2", opened + "> pub2 1 x\n< rec 1\n> rel 1\n< comp 1\n> pub2 1 y\n< rec 1", ""},
		{"QoS 2 published behind its PUBREL", opened + "> pub2 1 x\n< rec 1\n> rel 1\n> pub2 1 x dup", "[MQTT-4.3.3-1]"},

		{"packets behind DISCONNECT, said once", opened + "> bye\n> ping\n> ping", "[MQTT-3.14.4-2]"},
		{"connection left open behind DISCONNECT", opened + "> bye\nwait 11\nend hub", "[MQTT-3.14.4-1]"},
		{"hub closes at the DISCONNECT", opened + "> bye\nend hub", ""},
		{"session taken over: the old one owes nothing", kept + "> pub 1 x\n" + resumed + "> pub 1 x dup\n< ack 1\n> pub 1 y", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := play(t, tt.script); got != tt.want {
				t.Fatalf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestCheckerLeavesOtherVersionsAlone feeds what 3.1.1 forbids behind a
// CONNECT of another version.
func TestCheckerLeavesOtherVersionsAlone(t *testing.T) {
	for _, connect := range [][]byte{rawConnect("MQIsdp", 3, 2, "x"), append(rawConnect("MQTT", 5, 2)[:1], 15, 0, 4, 'M', 'Q', 'T', 'T', 5, 2, 0, 9, 0, 0, 2, 'i', 'd')} {
		c := NewChecker(nil)
		for _, raw := range [][]byte{connect, {0xe0, 1, 0}, {0xf0, 0}} {
			if _, vs := c.Feed(frameOf(t, raw), true); len(vs) > 0 {
				t.Errorf("% x: %v", raw, vs)
			}
		}
	}
}

// TestCheckerOldConnectionSpeaksAfterTakeover has both connections of a
// take-over alive: what the old one still says is not held against the new.
func TestCheckerOldConnectionSpeaksAfterTakeover(t *testing.T) {
	sessions := NewSessions()
	old, young := NewChecker(sessions), NewChecker(sessions)
	feed := func(c *Checker, client bool, words ...string) {
		t.Helper()
		if _, vs := c.Feed(frameOf(t, packetOf(t, words)), client); len(vs) > 0 {
			t.Errorf("%v: %v", words, vs)
		}
	}
	feed(old, true, "connect", "keep")
	feed(old, false, "connack", "0")
	feed(old, true, "pub", "1", "x")
	feed(young, true, "connect", "keep")
	feed(young, false, "connack", "0", "sp")
	feed(old, true, "pub", "2", "y")
	feed(old, false, "ack", "1")
	feed(young, true, "pub", "1", "z")
	feed(young, true, "pub", "2", "y")
}

// A busy server answers the older of two connections behind the newer one.
func TestCheckerLateConnackTakesNothingBack(t *testing.T) {
	sessions := NewSessions()
	older, newer := NewChecker(sessions), NewChecker(sessions)
	feed := func(c *Checker, packet string, fromClient bool) (vs []Violation) {
		for _, f := range NewSplitter(0, nil).Feed(packetOf(t, strings.Fields(packet))) {
			_, more := c.Feed(f, fromClient)
			vs = append(vs, more...)
		}
		return vs
	}
	for _, c := range []*Checker{older, newer} {
		feed(c, "connect clean", true)
		c.Claim()
	}
	feed(newer, "connack 0", false)
	feed(older, "connack 0", false)
	feed(newer, "pub 1 x", true)
	if vs := feed(newer, "pub 1 x", true); len(vs) != 1 || vs[0].Statement != "[MQTT-3.3.1-1]" {
		t.Errorf("a message that is sent again without DUP, on the newer connection: %v", vs)
	}
}

func TestCheckerIsBounded(t *testing.T) {
	sessions := NewSessions()
	for i := range 3 * maxSessions {
		c := NewChecker(sessions)
		c.Feed(frameOf(t, connectWith(0, fmt.Sprint("dev-", i))), true)
		c.Feed(frameOf(t, Connack(0, false)), false)
	}
	if len(sessions.byID) > maxSessions {
		t.Errorf("%d sessions", len(sessions.byID))
	}
	c := NewChecker(nil)
	c.Feed(frameOf(t, connectWith(2, "x")), true)
	for range maxViolations + 50 {
		c.Feed(frameOf(t, connectWith(2, "x")), true)
	}
	if n := len(c.Violations()); n != maxViolations {
		t.Errorf("%d violations", n)
	}
}
