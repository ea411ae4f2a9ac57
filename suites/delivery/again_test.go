package delivery

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"hilrig/azure/hub"
	"hilrig/azure/mqttwire"
)

// What came again is held against what the device can have known: an
// acknowledgement that had its time before the session ended.
func TestAMessageAgainIsHeldAgainstItsAcknowledgement(t *testing.T) {
	const cut = "0 c1 10 p1 1000 m1:1 1001 a1:1 " // a session that answered in 10 ms, and a message that was acknowledged
	for name, c := range map[string]struct {
		told        string // milliseconds and: c, a CONNACK; p, a packet of the device; mN, a message (d: DUP, q: QoS 0); a, its PUBACK; e, the end
		twice, kept bool
	}{
		"each once":                           {told: cut + "2000 e1 3000 m2:2"},
		"twice in a session":                  {told: cut + "1500 m1:1", twice: true},
		"the same, marked DUP":                {told: cut + "1500 m1:1d"},
		"twice, behind one sent again":        {told: "1000 m1:1 2100 e1 3000 m2:1d 3001 a2:1 3500 m2:1", twice: true},
		"the same, and kept over a reconnect": {told: "1000 m1:1 2100 e1 3000 m2:1d 3001 a2:1 3500 m2:1 4000 m2:2 4001 a2:2 6000 e2 7000 m3:2", kept: true},
		"kept, and twice in a session":        {told: cut + "2100 e1 3000 m2:1 3500 m2:2 3501 a2:2 3600 m2:2", twice: true, kept: true},
		"again, acknowledged long before":     {told: cut + "2100 e1 3000 m2:1", kept: true},
		"again, never acknowledged":           {told: "1000 m1:1 2100 e1 3000 m2:1"},
		"acknowledged just before, once":      {told: cut + "1400 e1 3000 m2:1"},
		"the same, in two sessions":           {told: cut + "1400 e1 3000 m2:1 3001 a2:1 3400 e2 5000 m3:1", kept: true},
		"acknowledged as its session ended":   {told: cut + "1100 e1 3000 m2:1 3001 a2:1 3100 e2 5000 m3:1"},
		"a device a second away":              {told: "0 c1 1000 p1 1000 m1:1 1001 a1:1 3900 e1 5000 m2:1"},
		"QoS 0, long before":                  {told: "1000 m1:1q 2100 e1 3000 m2:1q", kept: true},
		"QoS 0, as its session ended":         {told: "1000 m1:1q 1100 e1 3000 m2:1q"},
		"marked DUP, once":                    {told: cut + "2100 e1 3000 m2:1d"},
		"marked DUP, each time":               {told: cut + "2100 e1 3000 m2:1d 3001 a2:1 5000 e2 6000 m3:1d 6001 a3:1 8000 e3 9000 m4:1d", kept: true},
		"marked DUP, in three changes of ten": {told: cut + "2100 e1 3000 m2:1d 3001 a2:1 5000 e2 6000 m3:1d 6001 a3:1 8000 e3 9000 m4:1d 9001 a4:1 " + once(5, 11)},
	} {
		t.Run(name, func(t *testing.T) {
			heard := told(t, c.told)
			r := newRepeats(heard, false)
			r.look(telemetry(heard), func(e hub.Event) (int64, bool) {
				n, err := strconv.ParseInt(string(e.Message.Payload), 10, 64)
				return n, err == nil
			})
			if r.inOneSession() != c.twice || r.kept() != c.kept {
				t.Errorf("twice %+v, kept %t: %d plain, %d marked, %d changes", r.twice, r.kept(), len(r.plain), len(r.marked), r.changes)
			}
		})
	}
}

// once are sessions with a message of their own each.
func once(from, to int) string {
	var s strings.Builder
	for n := from; n <= to; n++ {
		at := 10000 * n
		fmt.Fprintf(&s, "%d e%d %d m%d:%d %d a%d:%d ", at, n-1, at+1000, n, n, at+1001, n, n)
	}
	return s.String()
}

func told(t *testing.T, words string) (all []hub.Event) {
	t.Helper()
	t0 := time.Now()
	fields := strings.Fields(words)
	for i := 0; i < len(fields); i += 2 {
		ms, err := strconv.Atoi(fields[i])
		if err != nil {
			t.Fatal(err)
		}
		what, rest := fields[i+1][0], fields[i+1][1:]
		e := hub.Event{Seq: i, At: t0.Add(time.Duration(ms) * time.Millisecond)}
		n := 0
		if _, err := fmt.Sscanf(rest, "%d:%d", &e.Conn, &n); err != nil && what != 'c' && what != 'p' && what != 'e' {
			t.Fatal(err)
		}
		switch what {
		case 'c':
			e.Kind, e.Packet = hub.KindPacket, &hub.Packet{Type: mqttwire.CONNACK}
		case 'p':
			e.Kind, e.Packet = hub.KindPacket, &hub.Packet{In: true, Type: mqttwire.SUBSCRIBE}
		case 'a':
			e.Kind, e.Packet = hub.KindPacket, &hub.Packet{Type: mqttwire.PUBACK, ID: uint16(n)}
		case 'e':
			e.Kind = hub.KindDisconnected
		case 'm':
			e.Kind = hub.KindMessage
			e.Message = &hub.Message{Payload: []byte(strconv.Itoa(n)), PacketID: uint16(n), QoS: 1, Dup: strings.HasSuffix(rest, "d")}
			if strings.HasSuffix(rest, "q") {
				e.Message.QoS = 0
			}
		}
		all = append(all, e)
	}
	return all
}
