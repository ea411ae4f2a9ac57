package localhub_test

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"net"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"hilrig/azure/hub"
	"hilrig/azure/localhub"
	"hilrig/azure/mqttwire"
	"hilrig/peers"
	"hilrig/record"
)

const (
	deviceID = "NewDevice"
	userName = "localhost/NewDevice/?api-version=2021-04-12"
	topic    = "devices/NewDevice/messages/events/"
)

// bench is a hub and one registered device.
type bench struct {
	t    *testing.T
	hub  *localhub.Hub
	addr string
	id   tls.Certificate
}

func start(t *testing.T, change ...func(*localhub.Config)) *bench {
	t.Helper()
	return startAt(t, "127.0.0.1:0", change...)
}

func startAt(t *testing.T, address string, change ...func(*localhub.Config)) *bench {
	t.Helper()
	id := identity(t, -time.Hour, time.Hour)
	c := localhub.Config{Host: "localhost", Certificate: makePKI().server, Devices: []hub.Device{{ID: deviceID, Thumbprints: []string{sha256Of(id)}}}}
	for _, f := range change {
		f(&c)
	}
	hub, err := localhub.New(c)
	if err != nil {
		t.Fatal(err)
	}
	addr, err := hub.Listen(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		if err := hub.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return &bench{t, hub, addr.String(), id}
}

func sha256Of(c tls.Certificate) string {
	s := sha256.Sum256(c.Certificate[0])
	return hex.EncodeToString(s[:])
}

func sha1Of(c tls.Certificate) string {
	s := sha1.Sum(c.Certificate[0])
	return strings.ToUpper(hex.EncodeToString(s[:]))
}

func (b *bench) tls(id ...tls.Certificate) *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(makePKI().root)
	return &tls.Config{RootCAs: roots, ServerName: "localhost", Certificates: id, MaxVersion: tls.VersionTLS12}
}

// client is a device as paho has it, unless changed.
func (b *bench) client(change ...func(*mqtt.ClientOptions)) mqtt.Client {
	o := mqtt.NewClientOptions().AddBroker("ssl://" + b.addr).SetClientID(deviceID).SetUsername(userName).
		SetTLSConfig(b.tls(b.id)).SetAutoReconnect(false).SetProtocolVersion(4).SetConnectTimeout(5 * time.Second).
		SetWriteTimeout(2 * time.Second).SetKeepAlive(time.Minute)
	for _, f := range change {
		f(o)
	}
	c := mqtt.NewClient(o)
	b.t.Cleanup(func() { c.Disconnect(0) })
	return c
}

func (b *bench) await(from int, what string, match func(hub.Event) bool) hub.Event {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 5*time.Second)
	defer cancel()
	e, err := b.hub.Events().Await(ctx, from, match)
	if err != nil {
		var seen []string
		for _, e := range b.hub.Events().Since(from) {
			seen = append(seen, string(e.Kind)+": "+e.Text)
		}
		b.t.Fatalf("%s was not seen; seen:\n  %s", what, strings.Join(seen, "\n  "))
	}
	return e
}

func kind(k hub.EventKind) func(hub.Event) bool {
	return func(e hub.Event) bool { return e.Kind == k }
}

func wait(t *testing.T, token mqtt.Token) error {
	t.Helper()
	if !token.WaitTimeout(5 * time.Second) {
		t.Fatal("paho: no end within 5 s")
	}
	return token.Error()
}

func TestTelemetryIsRecordedBeforeItIsAcknowledged(t *testing.T) {
	b := start(t)
	c := b.client()
	if err := wait(t, c.Connect()); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		mark := b.hub.Events().Mark()
		if err := wait(t, c.Publish(topic+"%24.ct=application%2Fjson&a=b", 1, false, `{"seq":1}`)); err != nil {
			t.Fatal(err)
		}
		var m *hub.Message
		for _, e := range b.hub.Events().Since(mark) { // no waiting: the PUBACK was there
			if e.Kind == hub.KindMessage {
				m = e.Message
			}
		}
		if m == nil {
			t.Fatal("acknowledged, and not in the record")
		}
		if m.Properties["a"] != "b" || m.System["iothub-connection-device-id"] != deviceID ||
			!strings.Contains(m.System["iothub-connection-auth-method"], `"x509"`) {
			t.Errorf("message: %+v", m)
		}
	}
}

// Who may connect: local-hub.md, CONNECT.
func TestConnectIsJudged(t *testing.T) {
	other := identity(t, -time.Hour, time.Hour)
	for name, c := range map[string]struct {
		options func(*bench, *mqtt.ClientOptions)
		devices func(*bench) []hub.Device
		code    byte
		says    string
	}{
		"documented user name":      {code: 0},
		"edge user name":            {func(_ *bench, o *mqtt.ClientOptions) { o.SetUsername("localhost/NewDevice/api-version=2018-06-30") }, nil, 0, ""},
		"the guide's user name":     {func(_ *bench, o *mqtt.ClientOptions) { o.SetUsername("localhost/NewDevice?api-version=2018-06-30") }, nil, 0, ""},
		"no api-version":            {func(_ *bench, o *mqtt.ClientOptions) { o.SetUsername("localhost/NewDevice") }, nil, 3, "api-version"},
		"user name of another":      {func(_ *bench, o *mqtt.ClientOptions) { o.SetUsername("localhost/Other/?api-version=2021-04-12") }, nil, 5, "Other"},
		"client id in another case": {func(_ *bench, o *mqtt.ClientOptions) { o.SetClientID("newdevice") }, nil, 5, "case"},
		"a password":                {func(_ *bench, o *mqtt.ClientOptions) { o.SetPassword("hunter2-secret") }, nil, 5, "password"},
		"no certificate":            {func(b *bench, o *mqtt.ClientOptions) { o.SetTLSConfig(b.tls()) }, nil, 5, "no client certificate"},
		"wrong thumbprint":          {func(b *bench, o *mqtt.ClientOptions) { o.SetTLSConfig(b.tls(other)) }, nil, 5, "is not registered for NewDevice (expected"},
		"expired certificate": {func(b *bench, o *mqtt.ClientOptions) {
			b.id = identity(b.t, -2*time.Hour, -time.Hour)
			b.register()
			o.SetTLSConfig(b.tls(b.id))
		}, nil, 5, "expired"},
		"certificate of tomorrow": {func(b *bench, o *mqtt.ClientOptions) {
			b.id = identity(b.t, time.Hour, 2*time.Hour)
			b.register()
			o.SetTLSConfig(b.tls(b.id))
		}, nil, 5, "not valid before"},
		"unknown device": {nil, func(*bench) []hub.Device { return nil }, 5, "is not registered"},
		"disabled device": {nil, func(b *bench) []hub.Device {
			return []hub.Device{{ID: deviceID, Thumbprints: []string{sha256Of(b.id)}, Disabled: true}}
		}, 5, "disabled"},
		"SHA-1, secondary": {nil, func(b *bench) []hub.Device {
			return []hub.Device{{ID: deviceID, Thumbprints: []string{"AB", sha1Of(b.id)}}}
		}, 0, ""},
		"level 3 named MQTT": {func(b *bench, o *mqtt.ClientOptions) { b.level(o, "\x04", "\x03") }, nil, 1, "level 3"},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			if c.devices != nil {
				b.hub.Unregister(deviceID)
				for _, d := range c.devices(b) {
					b.hub.Register(d)
				}
			}
			client := b.client(func(o *mqtt.ClientOptions) {
				if c.options != nil {
					c.options(b, o)
				}
			})
			token := client.Connect()
			err := wait(t, token)
			if code := token.(*mqtt.ConnectToken).ReturnCode(); code != c.code || (err == nil) != (c.code == 0) {
				t.Errorf("CONNACK %d (%v), expected %d", code, err, c.code)
			}
			e := b.await(0, "the judgement", kind(hub.KindConnect))
			if e.Connect.ReturnCode != c.code || !strings.Contains(e.Text, c.says) {
				t.Errorf("judged %d: %s; expected %d and a word of %q", e.Connect.ReturnCode, e.Text, c.code, c.says)
			}
			for _, e := range b.hub.Events().Since(0) {
				if strings.Contains(e.Text, "hunter2") {
					t.Errorf("a password in the record: %s", e.Text)
				}
			}
		})
	}
}

func (b *bench) register() {
	b.hub.Register(hub.Device{ID: deviceID, Thumbprints: []string{sha256Of(b.id)}})
}

// level makes paho announce another protocol level.
func (b *bench) level(o *mqtt.ClientOptions, from, to string) {
	config := b.tls(b.id)
	addr := b.addr
	o.SetCustomOpenConnectionFn(func(_ *url.URL, _ mqtt.ClientOptions) (net.Conn, error) {
		c, err := tls.Dial("tcp", addr, config)
		if err != nil {
			return nil, err
		}
		return &rewriting{Conn: c, from: "MQTT" + from, to: "MQTT" + to}, nil
	})
}

type rewriting struct {
	net.Conn
	from, to string
}

func (r *rewriting) Write(p []byte) (int, error) {
	if _, err := r.Conn.Write([]byte(strings.Replace(string(p), r.from, r.to, 1))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// What the hub closes the connection for: local-hub.md, Messages.
func TestPublishIsJudged(t *testing.T) {
	for name, c := range map[string]struct {
		topic   string
		qos     byte
		retain  bool
		size    int
		message bool
		closed  string
	}{
		"telemetry":              {topic, 1, false, 10, true, ""},
		"without the last slash": {"devices/NewDevice/messages/events", 1, false, 10, true, ""},
		"with a bag":             {topic + "a=b", 1, false, 10, true, ""},
		"retained":               {topic, 1, true, 10, true, ""},
		"QoS 2":                  {topic, 2, false, 10, true, "QoS 2"},
		"another topic":          {"sensors/1", 1, false, 10, false, "sensors/1"},
		"another device's topic": {"devices/Other/messages/events/", 1, false, 10, false, "devices/Other"},
		"256 kB of body":         {topic, 1, false, 262144, true, ""},
		"and no byte more":       {topic + "a=", 1, false, 262144, false, "262145 bytes of body and properties"},
		"an encoded name":        {topic + "%24.ct=%41", 1, false, 262143, true, ""},
		"over 256 kB":            {topic, 1, false, 262145, false, "262145 bytes of body and properties"},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			client := b.client()
			if err := wait(t, client.Connect()); err != nil {
				t.Fatal(err)
			}
			client.Publish(c.topic, c.qos, c.retain, strings.Repeat("x", c.size))
			if c.message {
				m := b.await(0, "the message", kind(hub.KindMessage)).Message
				if c.retain && m.Properties["mqtt-retain"] != "true" {
					t.Errorf("properties %v", m.Properties)
				}
			}
			if c.closed != "" {
				e := b.await(0, "the end", kind(hub.KindDisconnected))
				if !strings.Contains(e.Text, c.closed) {
					t.Errorf("closed because: %s", e.Text)
				}
			}
			if n := len(messages(b)); (n == 1) != c.message {
				t.Errorf("%d messages", n)
			}
		})
	}
}

func messages(b *bench) (got []hub.Event) {
	for _, e := range b.hub.Events().Since(0) {
		if e.Kind == hub.KindMessage {
			got = append(got, e)
		}
	}
	return got
}

func TestSubscribe(t *testing.T) {
	b := start(t)
	c := b.client()
	if err := wait(t, c.Connect()); err != nil {
		t.Fatal(err)
	}
	token := c.Subscribe("devices/NewDevice/messages/devicebound/#", 2, nil)
	if err := wait(t, token); err != nil {
		t.Fatal(err)
	}
	if got := token.(*mqtt.SubscribeToken).Result()["devices/NewDevice/messages/devicebound/#"]; got != 1 {
		t.Errorf("QoS 2 was granted %d, IoT Hub grants 1", got)
	}
	many := map[string]byte{}
	for _, f := range []string{"a/#", "b/#", "c/#", "d/#", "e/#", "f/#"} {
		many[f] = 1
	}
	c.SubscribeMultiple(many, nil)
	if e := b.await(0, "the end", kind(hub.KindDisconnected)); !strings.Contains(e.Text, "takes 5") {
		t.Errorf("closed because: %s", e.Text)
	}
}

func TestNewerSessionTakesOver(t *testing.T) {
	b := start(t)
	lost := make(chan error, 1)
	first := b.client(func(o *mqtt.ClientOptions) {
		o.SetConnectionLostHandler(func(_ mqtt.Client, err error) { lost <- err })
	})
	if err := wait(t, first.Connect()); err != nil {
		t.Fatal(err)
	}
	second := b.client()
	if err := wait(t, second.Connect()); err != nil {
		t.Fatal(err)
	}
	select {
	case <-lost:
	case <-time.After(3 * time.Second):
		t.Fatal("the first session lives on")
	}
	e := b.await(0, "the first one's end", kind(hub.KindDisconnected))
	if !e.Takeover || e.Conn != 1 {
		t.Errorf("connection %d: takeover %v, %s", e.Conn, e.Takeover, e.Text)
	}
	if err := wait(t, second.Publish(topic, 1, false, "x")); err != nil {
		t.Errorf("the second session: %v", err)
	}
}

func TestHandshakesThatFailAreRecorded(t *testing.T) {
	b := start(t)
	for _, c := range []struct {
		name   string
		config *tls.Config
		alert  byte
		hello  bool
	}{
		{"no trust", &tls.Config{ServerName: "localhost"}, 42, true},
		{"another name", func() *tls.Config { c := b.tls(); c.ServerName = "other"; return c }(), 42, true},
		{"TLS 1.3 only", func() *tls.Config {
			c := b.tls()
			c.MinVersion, c.MaxVersion = tls.VersionTLS13, tls.VersionTLS13
			return c
		}(), 0, true},
	} {
		mark := b.hub.Events().Mark()
		if conn, err := tls.Dial("tcp", b.addr, c.config); err == nil {
			conn.Close()
			t.Errorf("%s: handshake completed", c.name)
		}
		e := b.await(mark, c.name, kind(hub.KindHandshake))
		h := e.Handshake
		if h.OK || (h.Hello != nil) != c.hello || h.Err == "" {
			t.Errorf("%s: %+v", c.name, h)
		}
		if c.alert != 0 && (h.Alert == nil || h.Alert.Number != c.alert) {
			t.Errorf("%s: alert %+v, expected %d", c.name, h.Alert, c.alert)
		}
	}
	mark := b.hub.Events().Mark()
	raw, err := net.Dial("tcp", b.addr)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = raw.Write([]byte("\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04abcd"))
	if e := b.await(mark, "MQTT without TLS", kind(hub.KindHandshake)); !strings.Contains(e.Text, "MQTT without TLS") {
		t.Errorf("text: %s", e.Text)
	}
	raw.Close()
}

func TestFaults(t *testing.T) {
	t.Run("a refusal, twice", func(t *testing.T) {
		b := start(t)
		s := b.hub.Show(hub.Refuse(3), 2)
		for i, want := range []byte{3, 3, 0} {
			token := b.client().Connect()
			_ = wait(t, token)
			if got := token.(*mqtt.ConnectToken).ReturnCode(); got != want {
				t.Errorf("connect %d: %d, expected %d", i, got, want)
			}
		}
		if s.Count() != 2 {
			t.Errorf("shown %d times", s.Count())
		}
		if n := countKind(b, hub.KindFaultShown); n != 2 {
			t.Errorf("%d events of it", n)
		}
	})
	t.Run("dropped after CONNACK", func(t *testing.T) {
		b := start(t)
		b.hub.Show(hub.DropAfterConnack(0), 1)
		lost := make(chan error, 1)
		c := b.client(func(o *mqtt.ClientOptions) {
			o.SetConnectionLostHandler(func(_ mqtt.Client, err error) { lost <- err })
		})
		_ = wait(t, c.Connect())
		e := b.await(0, "the drop", kind(hub.KindDisconnected))
		if e.Fault != "drop-after-connack" {
			t.Errorf("fault %q: %s", e.Fault, e.Text)
		}
		if err := wait(t, b.client().Connect()); err != nil {
			t.Errorf("the next one: %v", err)
		}
	})
	t.Run("no PUBACK until lifted", func(t *testing.T) {
		b := start(t)
		c := b.client()
		if err := wait(t, c.Connect()); err != nil {
			t.Fatal(err)
		}
		s := b.hub.Show(hub.Withhold("no-puback", mqttwire.PUBACK), 0)
		if c.Publish(topic, 1, false, "x").WaitTimeout(300 * time.Millisecond) {
			t.Error("acknowledged")
		}
		s.Lift()
		if err := wait(t, c.Publish(topic, 1, false, "y")); err != nil {
			t.Error(err)
		}
	})
	t.Run("another certificate", func(t *testing.T) {
		b := start(t)
		wrong := identity(t, -time.Hour, time.Hour)
		s := b.hub.Show(hub.Fault{Name: "unknown-root", Certificate: &wrong}, 0)
		if err := wait(t, b.client().Connect()); err == nil {
			t.Fatal("connected")
		}
		if e := b.await(0, "the handshake", kind(hub.KindHandshake)); e.Handshake.Fault != "unknown-root" || e.Handshake.OK {
			t.Errorf("%+v", e.Handshake)
		}
		s.Lift()
		if err := wait(t, b.client().Connect()); err != nil {
			t.Errorf("after it was lifted: %v", err)
		}
	})
	t.Run("records of one byte", func(t *testing.T) {
		b := start(t)
		b.hub.Show(hub.Fault{Name: "one-byte-records", RecordSize: 1}, 1)
		if err := wait(t, b.client().Connect()); err != nil { // Go reassembles
			t.Error(err)
		}
	})
	for name, message := range map[string]byte{"client hello": 1, "server hello": 2, "certificate": 11} {
		t.Run("cut after "+name, func(t *testing.T) {
			b := start(t)
			b.hub.Show(hub.Fault{Name: "cut", CutAfter: message}, 1)
			if err := wait(t, b.client().Connect()); err == nil {
				t.Error("connected")
			}
			if err := wait(t, b.client().Connect()); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("TLS 1.1 only", func(t *testing.T) {
		b := start(t)
		b.hub.Show(hub.OnlyVersion(tls.VersionTLS11), 0)
		config := b.tls(b.id)
		config.MinVersion, config.MaxVersion = tls.VersionTLS11, tls.VersionTLS11
		c, err := tls.Dial("tcp", b.addr, config)
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		if _, err := tls.Dial("tcp", b.addr, b.tls(b.id)); err == nil {
			t.Error("took 1.2")
		}
	})
}

func countKind(b *bench, k hub.EventKind) (n int) {
	for _, e := range b.hub.Events().Since(0) {
		if e.Kind == k {
			n++
		}
	}
	return n
}

func TestAThousandSilentSocketsHarmNobody(t *testing.T) {
	b := start(t)
	var conns []net.Conn
	for range 1000 {
		c, err := net.Dial("tcp", b.addr)
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	if err := wait(t, b.client().Connect()); err != nil {
		t.Fatalf("a healthy device among them: %v", err)
	}
}

func TestSilenceAfterTLSIsEnded(t *testing.T) {
	b := start(t, func(c *localhub.Config) { c.ConnectWithin = 100 * time.Millisecond })
	c, err := tls.Dial("tcp", b.addr, b.tls(b.id))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if e := b.await(0, "the end", kind(hub.KindDisconnected)); !strings.Contains(e.Text, "no CONNECT within") {
		t.Errorf("closed because: %s", e.Text)
	}
}

func TestPortTaken(t *testing.T) {
	b := start(t)
	other, err := localhub.New(localhub.Config{Host: "localhost", Certificate: makePKI().server})
	if err != nil {
		t.Fatal(err)
	}
	_, err = other.Listen(t.Context(), b.addr)
	var f *record.Failure
	if !errors.As(err, &f) || f.Class != record.RigHub || f.Subject != b.addr || f.Cure == "" {
		t.Errorf("error %v", err)
	}
}

func TestEventsAreInOrder(t *testing.T) {
	b := start(t)
	var mu sync.Mutex
	var seqs []int
	stop := b.hub.Events().Watch(func(e hub.Event) { mu.Lock(); seqs = append(seqs, e.Seq); mu.Unlock() })
	defer stop()
	c := b.client()
	if err := wait(t, c.Connect()); err != nil {
		t.Fatal(err)
	}
	var kinds []hub.EventKind
	for _, e := range b.hub.Events().Since(0) {
		kinds = append(kinds, e.Kind)
	}
	want := []hub.EventKind{hub.KindAccepted, hub.KindHandshake, hub.KindPacket, hub.KindConnect, hub.KindPacket}
	for i, k := range want {
		if i >= len(kinds) || kinds[i] != k {
			t.Fatalf("kinds %v, expected %v", kinds, want)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for i := range seqs {
		if seqs[i] != i {
			t.Fatalf("watched %v", seqs)
		}
	}
}

// mosquitto_pub is what a person would try by hand.
func TestMosquittoPub(t *testing.T) {
	path := peers.Find(t, "mosquitto_pub")
	b := start(t)
	rootF, certF, keyF := files(t, makePKI().root, b.id)
	_, port, _ := net.SplitHostPort(b.addr)
	pub := func(id, user, topic string) error {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		return exec.CommandContext(ctx, path, "-h", "localhost", "-p", port, "--cafile", rootF, "--cert", certF, "--key", keyF,
			"--tls-version", "tlsv1.2", "-i", id, "-u", user, "-t", topic, "-q", "1", "-m", "hello", "-V", "mqttv311").Run()
	}
	if err := pub(deviceID, userName, topic); err != nil {
		t.Errorf("mosquitto_pub: %v", err)
	}
	if m := b.await(0, "the message", kind(hub.KindMessage)); string(m.Message.Payload) != "hello" {
		t.Errorf("payload %q", m.Message.Payload)
	}
	for name, c := range map[string][3]string{
		"a wrong user name": {deviceID, "localhost/NewDevice", topic},
		"a wrong topic":     {deviceID, userName, "sensors/1"},
	} {
		before := len(messages(b))
		_ = pub(c[0], c[1], c[2]) // its exit code at a closed connection differs between versions
		if len(messages(b)) != before {
			t.Errorf("%s was delivered", name)
		}
	}
	b.hub.Register(hub.Device{ID: deviceID, Thumbprints: []string{strings.Repeat("0", 40)}})
	if err := pub(deviceID, userName, topic); err == nil {
		t.Error("a wrong thumbprint was delivered")
	}
}
