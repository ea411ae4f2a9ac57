package emulator

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// fixture is a hub and a device that holds an identity for it.
type fixture struct {
	*hub
	ca     authority
	id     identity
	device *board
}

// connectTo starts a device with an identity and the hub's root.
func (f *fixture) boot(t *testing.T, c Config, change func(*behaviour)) {
	t.Helper()
	c.Hub, c.HubName, c.DeviceID, c.change = f.addr(), "hub.test", "NewDevice", change
	if c.Interval == 0 {
		c.Interval = 50 * time.Millisecond
	}
	f.device = start(t, c)
	f.device.provision(f.ca.pem, f.id)
}

func newFixture(t *testing.T, cert func(*x509.Certificate), config func(*tls.Config)) *fixture {
	t.Helper()
	ca := newAuthority(t, "the rig's root")
	return &fixture{hub: newHub(t, ca.server(t, "hub.test", cert), config), ca: ca, id: newIdentity(t, "NewDevice", rsaKeys()[0])}
}

func (f *fixture) seq(t *testing.T) int64 {
	t.Helper()
	return seqOf(t, f.packet("telemetry", kindPublish).p)
}

func seqOf(t *testing.T, p *packet) int64 {
	t.Helper()
	_, payload := topicAndPayload(p)
	var r reading
	if err := json.Unmarshal(payload, &r); err != nil {
		t.Fatalf("payload %q: %v", payload, err)
	}
	return r.Seq
}

// What the hub sees of sound firmware (device.md, and IoT Hub's documentation).
func TestSoundSession(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil, nil)
	f.boot(t, Config{KeepAlive: 90 * time.Second}, nil)
	e := f.await("handshake", isKind("handshake"))
	if e.state.Version != tls.VersionTLS12 || e.state.ServerName != "hub.test" || e.state.DidResume {
		t.Errorf("TLS %x, SNI %q, resumed %v", e.state.Version, e.state.ServerName, e.state.DidResume)
	}
	if !slices.Equal(e.hello.CipherSuites, hubSuites()) {
		t.Errorf("offers %x", e.hello.CipherSuites)
	}
	if len(e.state.PeerCertificates) != 1 || pemOf("CERTIFICATE", e.state.PeerCertificates[0].Raw) != f.id.cert {
		t.Error("does not present its certificate")
	}
	got := readConnect(t, f.packet("CONNECT", kindConnect).p)
	want := connect{protocol: "MQTT", level: 4, flags: 0x80, keepAlive: 90, id: "NewDevice", user: "hub.test/NewDevice/?api-version=2021-04-12"}
	if got != want {
		t.Errorf("CONNECT %+v, want %+v", got, want)
	}
	p := f.packet("telemetry", kindPublish).p
	topic, payload := topicAndPayload(p)
	if topic != "devices/NewDevice/messages/events/" || p.head != kindPublish<<4|2 {
		t.Errorf("topic %q, flags %x", topic, p.head)
	}
	var r map[string]any
	if err := json.Unmarshal(payload, &r); err != nil || r["device"] != "NewDevice" || r["seq"] != 1.0 || r["uptime_ms"] == nil || r["temperature"] == nil {
		t.Errorf("payload %s", payload)
	}
	for want := int64(2); want < 6; want++ {
		if got := f.seq(t); got != want {
			t.Errorf("number %d, want %d", got, want)
		}
	}
}

func TestSubscribes(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil, nil)
	f.boot(t, Config{}, nil)
	for range 2 {
		p := f.packet("SUBSCRIBE", 8).p
		if want := "devices/NewDevice/messages/devicebound/#"; !strings.Contains(string(p.body), want) || p.body[len(p.body)-1] != 1 {
			t.Errorf("SUBSCRIBE %q", p.body)
		}
		f.drop()
	}
}

// Three files loaded again are a new session, also when they are the same.
func TestConnectsAnewAfterLoading(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil, nil)
	f.boot(t, Config{}, nil)
	f.packet("telemetry", kindPublish)
	provisioned := func(id identity) hubEvent {
		f.device.loadOK("10", f.ca.pem)
		f.device.loadOK("20", id.cert)
		last := time.Now() // its OK may come to be read behind the handshake
		f.device.loadOK("30", id.key)
		return f.await("handshake after the third file", func(e hubEvent) bool { return e.kind == "handshake" && e.at.After(last) })
	}
	provisioned(f.id)
	other := newIdentity(t, "NewDevice", rsaKeys()[1])
	if e := provisioned(other); pemOf("CERTIFICATE", e.state.PeerCertificates[0].Raw) != other.cert {
		t.Error("presents the first identity")
	}
}

func TestConnectCommandIsAFreshSession(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil, nil)
	f.boot(t, Config{}, nil)
	f.packet("telemetry", kindPublish)
	before := time.Now()
	f.device.send("CONNECT\r")
	f.device.expect("OK\r\n")
	f.packet("good-bye", 14)
	f.await("handshake", func(e hubEvent) bool { return e.kind == "handshake" && e.at.After(before) })
}

func TestRebootStartsTheCounterAnew(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil, nil)
	f.boot(t, Config{State: t.TempDir() + "/state.json"}, nil)
	for f.seq(t) < 3 {
	}
	f.device.send("REBOOT\r")
	f.device.expect("REBOOTING\r\n")
	if _, ok := f.within(10*time.Second, func(e hubEvent) bool {
		return isPacket(kindPublish)(e) && seqOf(t, e.p) == 1
	}); !ok {
		t.Error("no message number 1 after the reboot")
	}
}

// An unacknowledged message comes again with DUP and the same id, and nothing
// comes before it.
func TestUnacknowledgedIsSentAgain(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil, nil)
	f.behave(script{withholdAcks: true})
	f.boot(t, Config{}, nil)
	first := f.packet("telemetry", kindPublish).p
	f.behave(script{})
	f.drop()
	again := f.packet("telemetry again", kindPublish).p
	if again.head != first.head|flagDup || string(again.body) != string(first.body) {
		t.Errorf("first %x %q\nagain %x %q", first.head, first.body, again.head, again.body)
	}
	if n := f.seq(t); n != seqOf(t, first)+1 {
		t.Errorf("then number %d", n)
	}
}

// A hub that is cut off again and again costs no message.
func TestLosesNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil, nil)
	f.boot(t, Config{Interval: 5 * time.Millisecond}, func(b *behaviour) { b.retry = retry{first: ms(5), most: ms(5), growth: 1} })
	seen := map[int64]int{}
	last := int64(0)
	for range 20 {
		for range 15 {
			e := f.packet("telemetry", kindPublish)
			n := seqOf(t, e.p)
			if seen[n]++; seen[n] > 1 && e.p.head&flagDup == 0 {
				t.Fatalf("number %d twice without DUP", n)
			}
			if n > last+1 {
				t.Fatalf("number %d after %d", n, last)
			}
			last = max(last, n)
		}
		f.drop()
	}
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	r := sound().retry
	for failures := range 12 {
		exact := min(1050*math.Pow(1.5, float64(failures)), 24000)
		least := time.Duration(exact) * time.Millisecond
		most := least*125/100 + 2*time.Millisecond
		seen := map[time.Duration]bool{}
		for range 50 {
			g := r.gap(ended{}, failures, 0)
			if g < least || g > most || g < time.Second {
				t.Errorf("after %d failures: %s, want %s to %s", failures, g, least, most)
			}
			seen[g] = true
		}
		if len(seen) < 40 {
			t.Errorf("after %d failures: no jitter", failures)
		}
	}
}

// A device that has said OK to a new identity presents no other any more, also
// where a try was due before it connects anew.
func TestATryBehindTheAnswerHasTheNewFiles(t *testing.T) {
	t.Parallel()
	b := sound()
	m := newModem(t.Context(), Config{}, &b)
	m.use(files{slotKey: "first"}, time.Time{})
	m.use(files{slotKey: "second"}, time.Now().Add(time.Hour))
	if set, _ := m.current(); set[slotKey] != "second" {
		t.Errorf("it has %q", set[slotKey])
	}
}

func TestReconnectsPolitely(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil, nil)
	f.boot(t, Config{}, nil)
	f.packet("telemetry", kindPublish)
	f.drop()
	dropped := time.Now()
	if gap := f.await("connection", isKind("accepted")).at.Sub(dropped); gap < time.Second || gap > 2*time.Second {
		t.Errorf("back after %s", gap)
	}
}

// Dropped right after CONNACK, and refused: the gaps grow.
func TestBacksOffWhenNothingCameOfIt(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]script{"refused": {connack: 5}, "dropped": {dropAfter: 2}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, nil, nil)
			f.behave(s)
			f.boot(t, Config{}, nil)
			first := f.packet("CONNECT", kindConnect).at
			second := f.packet("CONNECT", kindConnect).at
			third := f.packet("CONNECT", kindConnect).at
			if a, b := second.Sub(first), third.Sub(second); a < time.Second || b < 1500*time.Millisecond {
				t.Errorf("gaps %s, %s", a, b)
			}
		})
	}
}

func TestKeepAlive(t *testing.T) {
	t.Parallel()
	const keepAlive = time.Second
	quiet := Config{Interval: time.Hour, KeepAlive: keepAlive}
	t.Run("pings within every keep-alive", func(t *testing.T) {
		t.Parallel()
		f := newFixture(t, nil, nil)
		f.boot(t, quiet, nil)
		last := f.packet("telemetry", kindPublish).at
		for range 3 {
			e := f.packet("PINGREQ", kindPingreq)
			if d := e.at.Sub(last); d > keepAlive {
				t.Errorf("nothing for %s", d)
			}
			last = e.at
		}
	})
	t.Run("a late answer does no harm", func(t *testing.T) {
		t.Parallel()
		f := newFixture(t, nil, nil)
		f.behave(script{pingDelay: keepAlive * 8 / 10})
		f.boot(t, quiet, nil)
		f.packet("telemetry", kindPublish)
		if e, lost := f.within(4*time.Second, isKind("closed")); lost {
			t.Errorf("gave up: %v", e.err)
		}
	})
	t.Run("gives up without an answer", func(t *testing.T) {
		t.Parallel()
		f := newFixture(t, nil, nil)
		f.behave(script{noPingresp: true})
		f.boot(t, quiet, nil)
		asked := f.packet("PINGREQ", kindPingreq).at
		if d := f.await("end", isKind("closed")).at.Sub(asked); d > keepAlive*3/2 {
			t.Errorf("gave up after %s", d)
		}
		f.packet("CONNECT", kindConnect)
	})
	t.Run("notices a hub that is gone while it publishes", func(t *testing.T) {
		t.Parallel()
		f := newFixture(t, nil, nil)
		f.boot(t, Config{KeepAlive: keepAlive}, nil)
		f.packet("telemetry", kindPublish)
		f.behave(script{deaf: true})
		gone := time.Now()
		if d := f.await("end", isKind("closed")).at.Sub(gone); d > keepAlive*2 {
			t.Errorf("noticed after %s", d)
		}
	})
}

func TestGoesOnWaitingPolitelyForAHubThatIsDown(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil, nil)
	f.boot(t, Config{}, nil)
	f.packet("telemetry", kindPublish)
	addr := f.addr()
	if err := f.ln.Close(); err != nil {
		t.Fatal(err)
	}
	f.drop()
	time.Sleep(1500 * time.Millisecond) // one try meets a closed port
	again := newHubAt(t, addr, f.config)
	again.packet("telemetry", kindPublish)
}

func ExampleFaults() {
	_, err := FindFault("no-verfy")
	fmt.Println(err)
	// Output: find fault no-verfy: the emulated device has no such firmware (did you mean no-verify?)
}
