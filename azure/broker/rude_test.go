package broker_test

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hilrig/azure/broker"
	"hilrig/azure/hub"
	"hilrig/peers/brokers"
	"hilrig/record"
)

// rude is a broker that answers as it is told to, which no real one can be made
// to do.
type rude struct {
	three    bool // it has MQTT 3.1.1 alone
	connack  byte
	suback   byte // 0: at the QoS that is asked for
	granted  byte // the most
	puback   byte
	goodBye  byte         // DISCONNECT in place of a PUBACK
	silentAt byte         // the packet that it does not answer
	hangUpAt byte         // the packet over which it ends the connection without a word
	mute     *atomic.Bool // it delivers no more
	delivers bool
}

// Packet types.
const (
	connect     = 1
	publish     = 3
	subscribe   = 8
	unsubscribe = 10
	ping        = 12
)

// serve is a broker until the test ends.
func (r rude) serve(t *testing.T) broker.Config {
	t.Helper()
	root := brokers.Issue(t, "root", nil)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{*brokers.Issue(t, "localhost", root).TLS()}})
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer func() { _ = c.Close() }()
				r.talk(c)
			})
		}
	})
	t.Cleanup(func() { _ = l.Close() })
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return broker.Config{Address: "localhost:" + port, Root: root.PEM()}
}

// talk answers until the client goes or is refused.
func (r rude) talk(c net.Conn) {
	in, five := bufio.NewReader(c), false
	for {
		kind, err := in.ReadByte()
		if err != nil {
			return
		}
		length, err := binary.ReadUvarint(in) // the same form up to four bytes
		if err != nil || length > 1<<16 {
			return
		}
		body := make([]byte, length)
		if _, err := io.ReadFull(in, body); err != nil {
			return
		}
		if kind>>4 == connect {
			five = body[6] == 5
		}
		if kind>>4 == r.silentAt && (five || r.silentAt != connect || r.three) {
			continue
		}
		if kind>>4 == r.hangUpAt {
			return
		}
		for _, p := range r.answer(kind, body, five) {
			if _, err := c.Write(p); err != nil {
				return
			}
			if p[0] == 0xe0 || p[0] == 0x20 && p[3] != 0 {
				return
			}
		}
	}
}

func (r rude) answer(kind byte, body []byte, five bool) (packets [][]byte) {
	properties := []byte{}
	if five {
		properties = []byte{0}
	}
	packet := func(kind byte, parts ...[]byte) {
		p := []byte{kind, 0}
		for _, b := range parts {
			p = append(p, b...)
		}
		p[1] = byte(len(p) - 2)
		packets = append(packets, p)
	}
	switch kind >> 4 {
	case connect:
		code := r.connack
		if five && r.three {
			code, properties = 1, nil // as brokers say it that know no MQTT 5
		}
		packet(0x20, []byte{0, code}, properties)
	case subscribe:
		code := min(body[len(body)-1]&3, r.granted)
		if r.suback != 0 {
			code = r.suback
		}
		packet(0x90, body[:2], properties, []byte{code})
	case unsubscribe:
		if five {
			properties = []byte{0, 0}
		}
		packet(0xb0, body[:2], properties)
	case publish:
		topic := body[:2+int(binary.BigEndian.Uint16(body))]
		rest := body[len(topic):]
		switch {
		case r.goodBye != 0:
			packet(0xe0, []byte{r.goodBye, 0})
		case r.puback != 0:
			packet(0x40, rest[:2], []byte{r.puback, 0})
		default:
			packet(0x40, rest[:2])
		}
		if r.delivers && (r.mute == nil || !r.mute.Load()) {
			packet(0x30, topic, rest[2:]) // in MQTT 5 with the properties that it had: none
		}
	case ping:
		packet(0xd0)
	}
	return packets
}

// What a broker answers is told in the words of MQTT, each refusal with its
// cure, and none is the device's fault.
func TestABrokerThatSaysNo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rude rude
		says []string
	}{
		"not authorised":                  {rude{connack: 0x87}, []string{"CONNACK 0x87: not authorised", "look at observer.user"}},
		"server unavailable":              {rude{connack: 0x88}, []string{"server unavailable", "is its store or its disk full"}},
		"busy":                            {rude{connack: 0x89}, []string{"server busy", "a limit of the broker's is reached"}},
		"banned":                          {rude{connack: 0x8a}, []string{"banned", "take that back there"}},
		"another authentication":          {rude{connack: 0x8c}, []string{"bad authentication method", "give it a user"}},
		"client id":                       {rude{connack: 0x85}, []string{"client identifier not valid", "begins with hilrig-"}},
		"quota":                           {rude{connack: 0x97}, []string{"quota exceeded", "raise it"}},
		"moved":                           {rude{connack: 0x9d}, []string{"server moved", "put the server that the broker names into url"}},
		"a code of the future":            {rude{connack: 0xf0}, []string{"CONNACK 0xf0: unknown code", "the broker's log"}},
		"3.1.1: client id":                {rude{three: true, connack: 2}, []string{"CONNACK 2: identifier rejected", "begins with hilrig-"}},
		"3.1.1: server unavailable":       {rude{three: true, connack: 3}, []string{"CONNACK 3: server unavailable", "disk full"}},
		"3.1.1: password":                 {rude{three: true, connack: 4}, []string{"CONNACK 4: bad user name or password", "look at observer.user"}},
		"3.1.1: not authorised":           {rude{three: true, connack: 5}, []string{"CONNACK 5: not authorised", "look at observer.user"}},
		"3.1.1: a code that is not there": {rude{three: true, connack: 6}, []string{"CONNACK 6: unknown code", "the broker's log"}},
		"it hangs up over a CONNECT":      {rude{hangUpAt: connect}, []string{"no session in MQTT 3.1.1", "without a word", "look at observer.user and its password, or observer.certificate"}},
		"no CONNACK":                      {rude{three: true, silentAt: connect}, []string{"does not answer a CONNECT", "url must name the port"}},
		"no SUBACK":                       {rude{silentAt: subscribe}, []string{"subscribe: no answer within 5s"}},
		"3.1.1: no SUBACK":                {rude{three: true, silentAt: subscribe}, []string{"subscribe: no answer within 5s"}},
		"the topic is hidden":             {rude{suback: 0x87}, []string{"SUBACK 0x87: not authorised", "ACL must let the observer read"}},
		"3.1.1: the topic is hidden":      {rude{three: true, suback: 0x80}, []string{"SUBACK 0x80: not granted", "ACL must let the observer read"}},
		"such a filter":                   {rude{suback: 0x8f}, []string{"SUBACK 0x8f: topic filter invalid", "mqtt.topic of the type"}},
		"its disk is full":                {rude{puback: 0x97}, []string{"PUBACK 0x97: quota exceeded", "a limit of the broker's is reached"}},
		"it takes no message":             {rude{silentAt: publish}, []string{"publish: no answer within 5s", "is its disk full"}},
		"3.1.1: it takes no message":      {rude{three: true, silentAt: publish}, []string{"publish: no answer within 5s", "is its disk full"}},
		"it hangs up over a message":      {rude{goodBye: 0x97}, []string{"DISCONNECT 0x97: quota exceeded", "a limit"}},
		"it is taken over":                {rude{goodBye: 0x8e}, []string{"session taken over", "another client has connected with the observer's client id"}},
		"it keeps what it takes":          {rude{}, []string{"did not deliver it"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.rude.granted = 2
			h, _, err := c.rude.serve(t).Open(t.Context(), setup())
			if err == nil {
				_ = h.Close(t.Context())
				t.Fatal("it was let in")
			}
			for _, want := range c.says {
				if record.ClassOf(err) != record.RigHub || !strings.Contains(err.Error(), want) {
					t.Errorf("%s: %v, want %q", record.ClassOf(err), err, want)
				}
			}
		})
	}
}

// What a broker grants is told: by less than QoS 2 nobody can see by which a
// message was sent.
func TestABrokerThatGrantsLess(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rude rude
		want hub.Listening
	}{
		"MQTT 5, QoS 0":     {rude{delivers: true, granted: 0}, hub.Listening{Protocol: "MQTT 5", Retain: true}},
		"MQTT 5, QoS 1":     {rude{delivers: true, granted: 1}, hub.Listening{Protocol: "MQTT 5", QoS: 1, Retain: true}},
		"MQTT 3.1.1, QoS 0": {rude{three: true, delivers: true}, hub.Listening{Protocol: "MQTT 3.1.1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, c.rude.serve(t), setup())
			if how, ok := h.Events().Listening(); !ok || how != c.want {
				t.Errorf("%+v, want %+v", how, c.want)
			}
			h.StillHears(t.Context())
			for _, e := range h.Events().Since(0) {
				if e.Kind == hub.KindGap {
					t.Error(e.Text)
				}
			}
		})
	}
}

// A broker that goes on to answer and delivers no more, as one whose disk is
// full or whose ACL was changed: since the last message nothing is known.
func TestABrokerThatDeliversNoMore(t *testing.T) {
	t.Parallel()
	for name, three := range map[string]bool{"MQTT 5": false, "MQTT 3.1.1": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rude{three: three, delivers: true, granted: 2, mute: new(atomic.Bool)}
			h := open(t, r.serve(t), setup())
			h.StillHears(t.Context())
			known := time.Now()
			r.mute.Store(true)
			h.StillHears(t.Context())
			missed := h.Events().Missed(time.Now(), time.Now())
			if len(missed) != 1 || missed[0].From.After(known) || !strings.Contains(missed[0].Why, "the broker delivers nothing") {
				t.Errorf("unseen since %v: %v", known, missed)
			}
			mark := h.Events().Mark()
			r.mute.Store(false)
			await(t, h, mark, "its return", kind(hub.KindListening))
		})
	}
}
