package broker_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"hilrig/azure/broker"
	"hilrig/azure/hub"
	"hilrig/peers/brokers"
	"hilrig/record"
)

const (
	deviceID = "NewDevice"
	topic    = "devices/NewDevice/messages/events/"
)

// device is a client of MQTT 3.1.1 that is no part of the hub.
type device struct {
	mqtt.Client
	lost chan struct{}
	got  chan mqtt.Message
}

func connectDevice(t *testing.T, m *brokers.Broker, own *brokers.Issued, user, password string) *device {
	t.Helper()
	d := &device{lost: make(chan struct{}), got: make(chan mqtt.Message, 10)}
	roots := x509.NewCertPool()
	roots.AddCert(m.Root.Cert)
	config := &tls.Config{RootCAs: roots, ServerName: "localhost"}
	if own != nil {
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return own.TLS(), nil }
	}
	o := mqtt.NewClientOptions().AddBroker("ssl://" + m.Address).SetClientID(deviceID).SetTLSConfig(config).SetCleanSession(false)
	o.SetUsername(user).SetPassword(password).SetAutoReconnect(false).SetConnectTimeout(10 * time.Second)
	o.SetConnectionLostHandler(func(mqtt.Client, error) { close(d.lost) })
	o.SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) { d.got <- m })
	d.Client = mqtt.NewClient(o)
	if token := d.Connect(); !token.WaitTimeout(20*time.Second) || token.Error() != nil {
		t.Fatalf("the device does not connect: %v\n%s", token.Error(), m.Log())
	}
	t.Cleanup(func() { d.Disconnect(0) })
	return d
}

func (d *device) send(t *testing.T, topic string, qos byte, retain bool, payload string) {
	t.Helper()
	if token := d.Publish(topic, qos, retain, payload); !token.WaitTimeout(20*time.Second) || token.Error() != nil {
		t.Fatalf("publish: %v", token.Error())
	}
}

func setup() hub.Setup { return hub.Setup{DeviceID: deviceID, ClientID: deviceID} }

func open(t *testing.T, c broker.Config, s hub.Setup) hub.Abilities {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	h, address, err := c.Open(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	if address != c.Address {
		t.Errorf("devices dial %s, not %s", address, c.Address)
	}
	t.Cleanup(func() {
		if err := h.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return hub.Of(h)
}

func await(t *testing.T, h hub.Hub, from int, what string, match func(hub.Event) bool) hub.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	e, err := h.Events().Await(ctx, from, match)
	if err != nil {
		for _, e := range h.Events().Since(0) {
			t.Log(e.Kind, e.Text)
		}
		t.Fatalf("%s never came: %v", what, err)
	}
	return e
}

func message(payload string) func(hub.Event) bool {
	return func(e hub.Event) bool { return e.Telemetry() && string(e.Message.Payload) == payload }
}

func kind(k hub.EventKind) func(hub.Event) bool { return func(e hub.Event) bool { return e.Kind == k } }

// Who may be an observer, and what mosquitto is configured with for it.
func observers(t *testing.T) map[string]func() (*brokers.Broker, broker.Observer) {
	return map[string]func() (*brokers.Broker, broker.Observer){
		"nobody in particular": func() (*brokers.Broker, broker.Observer) {
			return brokers.Mosquitto(t, "allow_anonymous true", nil), broker.Observer{}
		},
		"by certificate": func() (*brokers.Broker, broker.Observer) {
			me := brokers.Issue(t, "observer", nil)
			m := brokers.Mosquitto(t, "cafile %[1]s/clients.pem\nrequire_certificate true\nuse_identity_as_username true", map[string][]byte{"clients.pem": me.PEM()})
			return m, broker.Observer{Certificate: me.TLS()}
		},
		"by user and password": func() (*brokers.Broker, broker.Observer) {
			m := brokers.Mosquitto(t, "password_file %[1]s/passwords", map[string][]byte{"passwords": brokers.Passwords(t, "rig", "sesame")})
			return m, broker.Observer{User: "rig", Password: "sesame"}
		},
		"by both": func() (*brokers.Broker, broker.Observer) {
			me := brokers.Issue(t, "observer", nil)
			m := brokers.Mosquitto(t, "cafile %[1]s/clients.pem\nrequire_certificate true\npassword_file %[1]s/passwords",
				map[string][]byte{"clients.pem": me.PEM(), "passwords": brokers.Passwords(t, "rig", "sesame")})
			return m, broker.Observer{Certificate: me.TLS(), User: "rig", Password: "sesame"}
		},
	}
}

func config(m *brokers.Broker, o broker.Observer) broker.Config {
	return broker.Config{Address: m.Address, Root: m.Root.PEM(), Observer: o}
}

func TestAnObserverIsLetIn(t *testing.T) {
	t.Parallel()
	for name, start := range observers(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, o := start()
			h := open(t, config(m, o), setup())
			how, ok := h.Events().Listening()
			if want := (hub.Listening{Protocol: "MQTT 5", QoS: 2, Retain: true}); !ok || how != want {
				t.Errorf("%+v, want %+v", how, want)
			}
			if missed := h.Events().Missed(time.Now(), time.Now()); missed != nil {
				t.Errorf("could miss something: %v", missed)
			}
		})
	}
}

// A message is known with its topic, payload, QoS and RETAIN; what lay on the
// topic before is no message of today.
func TestWhatArrives(t *testing.T) {
	t.Parallel()
	m := brokers.Mosquitto(t, "allow_anonymous true", nil)
	d := connectDevice(t, m, nil, "", "")
	d.send(t, topic, 1, true, "of yesterday")
	h := open(t, config(m, broker.Observer{}), setup())
	leftover := await(t, h, 0, "what lay there", kind(hub.KindLeftover))
	if string(leftover.Message.Payload) != "of yesterday" || !leftover.Message.Retain {
		t.Errorf("leftover: %+v", leftover.Message)
	}
	for _, c := range []struct {
		topic  string
		qos    byte
		retain bool
	}{
		{topic, 0, false},
		{topic, 1, false},
		{topic, 2, false},
		{topic, 1, true},
		{topic + "level=high&%24.ct=text%2Fplain", 1, false},
	} {
		payload := fmt.Sprint(c)
		d.send(t, c.topic, c.qos, c.retain, payload)
		e := await(t, h, 0, payload, message(payload))
		if got := e.Message; got.Topic != c.topic || got.QoS != c.qos || got.Retain != c.retain || e.DeviceID != deviceID {
			t.Errorf("%s came as %+v of %s", payload, got, e.DeviceID)
		}
	}
	last := await(t, h, 0, "the last", func(e hub.Event) bool { return e.Telemetry() && e.Message.Properties["level"] == "high" })
	for _, e := range h.Events().Since(0) {
		if e.Telemetry() && strings.Contains(string(e.Message.Payload), "probe") {
			t.Errorf("the observer counts itself: %s", e.Message.Payload)
		}
	}
	d.send(t, "devices/Other/messages/events/", 1, false, "another's")
	d.send(t, topic, 1, false, "behind it")
	await(t, h, last.Seq, "what came behind", message("behind it"))
	for _, e := range h.Events().Since(last.Seq) {
		if e.Telemetry() && string(e.Message.Payload) == "another's" {
			t.Error("a message of another device counts as this one's")
		}
	}
}

// What could arrive while the broker was away is known as a gap; the observer
// comes back by itself.
func TestABrokerIsRestarted(t *testing.T) {
	t.Parallel()
	m := brokers.Mosquitto(t, "allow_anonymous true", nil)
	began := time.Now()
	h := open(t, config(m, broker.Observer{}), setup())
	listened := time.Now()
	m.Kill()
	gap := await(t, h, 0, "the gap", kind(hub.KindGap))
	if gap.Gap.From.Before(began) || !gap.Gap.To.IsZero() {
		t.Errorf("gap: %+v", gap.Gap)
	}
	m.Start()
	back := await(t, h, gap.Seq, "its return", kind(hub.KindListening))
	d := connectDevice(t, m, nil, "", "")
	d.send(t, topic, 1, false, "after it")
	await(t, h, back.Seq, "a message", message("after it"))
	for _, c := range []struct {
		name     string
		from, to time.Time
		want     int
	}{
		{"before it listened", began.Add(-time.Hour), began, 1},
		{"over the restart", listened, time.Now(), 1},
		{"after it", back.Gap.To, time.Now(), 0},
	} {
		if missed := h.Events().Missed(c.from, c.to); len(missed) != c.want {
			t.Errorf("%s: %v, want %d", c.name, missed, c.want)
		}
	}
}

// An observer that cannot see is named, with what to do: it is never the
// device's fault.
func TestAnObserverThatCannotSee(t *testing.T) {
	t.Parallel()
	stranger := brokers.Issue(t, "stranger", nil)
	me := brokers.Issue(t, "observer", nil)
	byCertificate := map[string][]byte{"clients.pem": me.PEM()}
	byPassword := map[string][]byte{"passwords": brokers.Passwords(t, "rig", "sesame"), "acl": []byte("user rig\ntopic write #\n")}
	const certificates = "cafile %[1]s/clients.pem\nrequire_certificate true\nuse_identity_as_username true"
	for _, c := range []struct {
		name  string
		lines string
		files map[string][]byte
		o     broker.Observer
		says  string
	}{
		{"wrong password", "password_file %[1]s/passwords", byPassword, broker.Observer{User: "rig", Password: "guess"}, "not know the observer"},
		{"no password", "password_file %[1]s/passwords", byPassword, broker.Observer{}, "not know the observer"},
		{"a stranger's certificate", certificates, byCertificate, broker.Observer{Certificate: stranger.TLS()}, "does not take the certificate"},
		{"no certificate", certificates, byCertificate, broker.Observer{}, "does not take the certificate"},
		{"an ACL that hides the topic", "password_file %[1]s/passwords\nacl_file %[1]s/acl", byPassword, broker.Observer{User: "rig", Password: "sesame"}, "ACL must let the observer read " + topic},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := brokers.Mosquitto(t, c.lines, c.files)
			refused(t, config(m, c.o), c.says)
		})
	}
}

// refused demands that the hub cannot be opened, whose fault that is and what is
// said; no password is.
func refused(t *testing.T, c broker.Config, says string) {
	t.Helper()
	h, _, err := c.Open(t.Context(), setup())
	if err == nil {
		_ = h.Close(t.Context())
		t.Fatal("it was let in")
	}
	if record.ClassOf(err) != record.RigHub || !strings.Contains(err.Error(), says) {
		t.Errorf("%s: %v, want %q", record.ClassOf(err), err, says)
	}
	if strings.Contains(err.Error(), "guess") || strings.Contains(err.Error(), "sesame") {
		t.Errorf("shows a password: %v", err)
	}
}

// An observer that may read and not write cannot prove that it sees. Silence
// says nothing then; the first message is the proof.
func TestAnObserverThatMayOnlyRead(t *testing.T) {
	t.Parallel()
	m := brokers.Mosquitto(t, "password_file %[1]s/passwords\nacl_file %[1]s/acl", map[string][]byte{
		"passwords": append(brokers.Passwords(t, "rig", "sesame"), brokers.Passwords(t, "board", "sesame")...),
		"acl":       []byte("user rig\ntopic read devices/#\n\nuser board\ntopic devices/#\n"),
	})
	before := time.Now()
	h := open(t, config(m, broker.Observer{User: "rig", Password: "sesame"}), setup())
	ready := time.Now()
	if missed := h.Events().Missed(ready, time.Now()); len(missed) != 1 {
		t.Errorf("silence would say something: %v", missed)
	}
	d := connectDevice(t, m, nil, "board", "sesame")
	d.send(t, topic, 1, false, "proof")
	await(t, h, 0, "a message", message("proof"))
	if missed := h.Events().Missed(ready, time.Now()); missed != nil {
		t.Errorf("proven, and still: %v", missed)
	}
	if missed := h.Events().Missed(before, ready); len(missed) != 1 {
		t.Errorf("before it was subscribed: %v", missed)
	}
}

// The root that devices get is held against what the broker presents.
func TestTheRootMustFit(t *testing.T) {
	t.Parallel()
	root, other := brokers.Issue(t, "root", nil), brokers.Issue(t, "another root", nil)
	between := brokers.Issue(t, "between", root, func(c *x509.Certificate) { c.IsCA, c.DNSNames = true, nil })
	expired := func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
	}
	soon := func(c *x509.Certificate) { c.NotBefore = time.Now().Add(30 * time.Minute) }
	for _, c := range []struct {
		name  string
		chain []*brokers.Issued
		root  *brokers.Issued
		says  string // empty: it fits
	}{
		{"signed by the root", []*brokers.Issued{brokers.Issue(t, "localhost", root)}, root, ""},
		{"signed by one between", []*brokers.Issued{brokers.Issue(t, "localhost", between), between}, root, ""},
		{"the one between is not sent", []*brokers.Issued{brokers.Issue(t, "localhost", between)}, root, "the broker must send what is between"},
		{"signed by another", []*brokers.Issued{brokers.Issue(t, "localhost", other)}, root, `root must be the certificate of "CN=another root"`},
		{"for another name", []*brokers.Issued{brokers.Issue(t, "broker.lab", root)}, root, "it is for broker.lab, not for localhost"},
		{"expired", []*brokers.Issued{brokers.Issue(t, "localhost", root, expired)}, root, "has expired"},
		{"not yet valid", []*brokers.Issued{brokers.Issue(t, "localhost", root, soon)}, root, "is valid only from"},
		{"no root", []*brokers.Issued{brokers.Issue(t, "localhost", root)}, nil, "no certificate in PEM"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			served := tls.Certificate{PrivateKey: c.chain[0].Key}
			for _, link := range c.chain {
				served.Certificate = append(served.Certificate, link.Cert.Raw)
			}
			l, err := tls.Listen("tcp", "localhost:0", &tls.Config{Certificates: []tls.Certificate{served}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() })
			go func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					_ = conn.(*tls.Conn).HandshakeContext(t.Context()) // that is all that it does
					_ = conn.Close()
				}
			}()
			_, port, _ := strings.Cut(l.Addr().String(), ":")
			config := broker.Config{Address: "localhost:" + port}
			if c.root != nil {
				config.Root = c.root.PEM()
			}
			_, _, err = config.Open(t.Context(), setup())
			if c.says == "" {
				c.says = "no session in MQTT 3.1.1"
			}
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want %q", err, c.says)
			}
		})
	}
}

func TestABrokerThatIsNotThere(t *testing.T) {
	t.Parallel()
	root := brokers.Issue(t, "root", nil).PEM()
	for name, c := range map[string]struct{ address, says string }{
		"no such name":    {"no-such-host.invalid:8883", "DNS"},
		"nobody listens":  {"localhost:1", "does the broker run"},
		"nothing but TCP": {plain(t), "speaks no TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := broker.Config{Address: c.address, Root: root}.Open(t.Context(), setup())
			if record.ClassOf(err) != record.RigHub || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v, want %q", record.ClassOf(err), err, c.says)
			}
		})
	}
}

// The hub ends the device's session with the device's own identity, and speaks
// to it.
func TestADeviceIsTakenOverAndSpokenTo(t *testing.T) {
	t.Parallel()
	me, own := brokers.Issue(t, "observer", nil), brokers.Issue(t, deviceID, nil)
	m := brokers.Mosquitto(t, "cafile %[1]s/clients.pem\nrequire_certificate true\nuse_identity_as_username true", map[string][]byte{"clients.pem": append(me.PEM(), own.PEM()...)})
	h := open(t, config(m, broker.Observer{Certificate: me.TLS()}), setup())
	if h.Letters() != "ADS" || h.Registry != nil {
		t.Errorf("%s, and registers: %v", h.Letters(), h.Registry != nil)
	}
	if h.Drop(deviceID) {
		t.Error("took over without an identity")
	}
	h.Hold(*own.TLS())
	d := connectDevice(t, m, own, "", "")
	if token := d.Subscribe("devices/NewDevice/messages/devicebound/#", 1, nil); !token.WaitTimeout(20*time.Second) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	if err := h.SendToDevice(deviceID, hub.DeviceBound{ID: "m-1", Payload: []byte("hello")}); err != nil {
		t.Fatal(err)
	}
	if got := <-d.got; string(got.Payload()) != "hello" || !strings.Contains(got.Topic(), "m-1") {
		t.Errorf("the device got %s on %s", got.Payload(), got.Topic())
	}
	mark := h.Events().Mark()
	if !h.Drop(deviceID) {
		t.Error("not taken over")
	}
	<-d.lost
	if e := await(t, h, mark, "the end of the session", kind(hub.KindDisconnected)); !e.Takeover {
		t.Errorf("%+v", e)
	}
	again := connectDevice(t, m, own, "", "")
	if err := h.SendToDevice(deviceID, hub.DeviceBound{ID: "m-2", Payload: []byte("again")}); err != nil {
		t.Fatal(err)
	}
	if got := <-again.got; string(got.Payload()) != "again" {
		t.Errorf("its subscription did not outlive the take-over: %s", got.Payload())
	}
	if _, err := h.PatchDesired(deviceID, nil); !errors.As(err, new(hub.Lacking)) {
		t.Errorf("a broker has no twins: %v", err)
	}
}

func TestTheTopicThatADeviceReads(t *testing.T) {
	t.Parallel()
	m := brokers.Mosquitto(t, "allow_anonymous true", nil)
	for filter, want := range map[string]string{
		"cmd/NewDevice":   "cmd/NewDevice",
		"cmd/NewDevice/#": "cmd/NewDevice/m-1",
		"cmd/+/x":         "",
	} {
		s := setup()
		s.ReadTopic = filter
		h := open(t, config(m, broker.Observer{}), s)
		mark := h.Events().Mark()
		err := h.SendToDevice(deviceID, hub.DeviceBound{ID: "m-1"})
		if want == "" {
			if record.ClassOf(err) != record.Usage {
				t.Errorf("%s: %v", filter, err)
			}
			continue
		}
		if e := await(t, h, mark, "the message", kind(hub.KindDeviceBound)); err != nil || !strings.HasSuffix(e.Text, "on "+want) {
			t.Errorf("%s: %s, %v", filter, e.Text, err)
		}
	}
}

// A broker hands a device what itself and the rig write where it reads. What the
// rig writes is no message of the device, and the device's own is one, not two.
func TestADeviceThatReadsWhereItWrites(t *testing.T) {
	t.Parallel()
	m := brokers.Mosquitto(t, "allow_anonymous true", nil)
	s := setup()
	s.ReadTopic = topic + "#"
	h := open(t, config(m, broker.Observer{}), s)
	d := connectDevice(t, m, nil, "", "")
	if token := d.Subscribe(s.ReadTopic, 1, nil); !token.WaitTimeout(20*time.Second) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	mark := h.Events().Mark()
	d.send(t, topic, 1, false, "its own")
	if err := h.SendToDevice(deviceID, hub.DeviceBound{ID: "m-1", Payload: []byte("the rig's")}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"its own", "the rig's"} {
		if got := <-d.got; string(got.Payload()) != want {
			t.Errorf("the device got %q, want %q", got.Payload(), want)
		}
	}
	d.send(t, topic+"m-1", 1, false, "the rig's") // it says what it was told
	d.send(t, topic, 1, false, "the last")
	await(t, h, mark, "the last", message("the last"))
	var arrived []string
	for _, e := range h.Events().Since(mark) {
		if e.Telemetry() {
			arrived = append(arrived, string(e.Message.Payload))
		}
	}
	if want := []string{"its own", "the rig's", "the last"}; !slices.Equal(arrived, want) {
		t.Errorf("arrived %q, want %q", arrived, want)
	}
}

// plain is a port that speaks, and no TLS.
func plain(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("220 mail.test ready\r\n")) // to whoever comes
			_, _ = conn.Read(make([]byte, 1))
			_ = conn.Close()
		}
	}()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return "localhost:" + port
}
