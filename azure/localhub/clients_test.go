package localhub_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	mqttgo "github.com/at-wat/mqtt-go"

	"hilrig/azure/hub"
	"hilrig/peers"
)

// runs has a peer run to its end; what it said is returned with how it ended.
func runs(t *testing.T, stdin, path string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdin = strings.NewReader(stdin)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func delivered(t *testing.T, b *bench, payload, said string) {
	t.Helper()
	got := messages(b)
	if len(got) != 1 || string(got[0].Message.Payload) != payload {
		t.Fatalf("%d messages, want one of %q; the client says: %s", len(got), payload, said)
	}
}

// The CONNECTs of a user at a desk: mosquitto_pub with what it offers.
func TestMosquittoPubConnects(t *testing.T) {
	pub := peers.Find(t, "mosquitto_pub")
	for name, flags := range map[string][]string{
		"an empty password":        {"-P", ""},
		"a retained will":          {"--will-topic", topic, "--will-payload", "gone", "--will-retain"},
		"a will without a payload": {"--will-topic", topic},
		"a will of QoS 2":          {"--will-topic", topic, "--will-payload", "gone", "--will-qos", "2"},
		"a session that is kept":   {"-c"},
		"a short keep-alive":       {"-k", "5"},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			root, cert, key := files(t, makePKI().root, b.id)
			_, port, _ := net.SplitHostPort(b.addr)
			said, err := runs(t, "", pub, append([]string{"-h", "localhost", "-p", port, "--cafile", root, "--cert", cert, "--key", key,
				"--tls-version", "tlsv1.2", "-V", "mqttv311", "-i", deviceID, "-u", userName, "-t", topic, "-q", "1", "-m", "hello"}, flags...)...)
			if err != nil {
				t.Errorf("%v: %s", err, said)
			}
			delivered(t, b, "hello", said)
		})
	}
}

// paho's C client, the one of most gateways, as commands.
func TestPahoC(t *testing.T) {
	pub := peers.Find(t, "paho_cs_pub")
	b := start(t)
	root, cert, key := files(t, makePKI().root, b.id)
	said, err := runs(t, "", pub, "--connection", "ssl://"+strings.Replace(b.addr, "127.0.0.1", "localhost", 1), "-t", topic, "-m", "hello", "-q", "1",
		"-i", deviceID, "-u", userName, "-P", "", "--cafile", root, "--cert", cert, "--key", key,
		"--will-topic", topic, "--will-qos", "2")
	if err != nil {
		t.Errorf("%v: %s", err, said)
	}
	delivered(t, b, "hello", said)
}

// paho's C client as a reader: what was sent to the device is completed by its
// PUBACK, and its will is not handed on where it goes with DISCONNECT.
func TestPahoCReads(t *testing.T) {
	sub := peers.Find(t, "paho_cs_sub")
	b := start(t)
	root, cert, key := files(t, makePKI().root, b.id)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var out, complaint bytes.Buffer
	reader := exec.CommandContext(ctx, sub, "--connection", "ssl://"+strings.Replace(b.addr, "127.0.0.1", "localhost", 1), "-t", readTopic, "-q", "1",
		"-i", deviceID, "-u", userName, "-P", "", "--cafile", root, "--cert", cert, "--key", key,
		"--will-topic", topic, "--will-payload", "gone")
	reader.Stdout, reader.Stderr, reader.WaitDelay = &out, &complaint, 10*time.Second
	reader.Cancel = func() error { return reader.Process.Signal(os.Interrupt) } // it looks once a second
	if err := reader.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- reader.Wait() }()
	b.await(0, "its subscription", kind(hub.KindServed))
	b.toDevice(hub.DeviceBound{ID: "m-1", Payload: []byte("from the cloud")})
	b.await(0, "its completion", kind(hub.KindCompleted))
	cancel()
	<-ended // by a signal
	if !strings.HasSuffix(out.String(), "\tfrom the cloud\n") || strings.Count(out.String(), "\t") != 1 {
		t.Errorf("it printed %q, and says: %s", &out, &complaint)
	}
	if got := messages(b); len(got) != 0 {
		t.Errorf("it went with DISCONNECT, and %d messages are there", len(got))
	}
}

const pahoPython = `
import sys, ssl, paho.mqtt.client as mqtt
port, root, cert, key, user, topic = sys.argv[1:]
c = mqtt.Client("NewDevice", clean_session=False)
c.tls_set(root, cert, key, tls_version=ssl.PROTOCOL_TLSv1_2)
c.username_pw_set(user, "")
c.will_set(topic, None, retain=True)
echoes = []
c.on_message = lambda c, u, m: echoes.append(m.payload)
c.on_subscribe = lambda c, u, mid, granted: c.publish(topic, "hello", qos=1)
c.on_connect = lambda c, u, f, rc: rc and sys.exit(rc) or c.subscribe(topic + "#", 1)
c.on_publish = lambda c, u, mid: c.disconnect()
c.connect("localhost", int(port))
c.loop_forever()
sys.exit("echoed: %r" % echoes if echoes else 0)
`

// paho's Python client subscribes to its own telemetry, and gets none of it.
func TestPahoPython(t *testing.T) {
	python := peers.Find(t, "/usr/bin/python3")
	if said, err := runs(t, "", python, "-c", "import paho.mqtt.client"); err != nil {
		peers.Missing(t, "python3-paho-mqtt: "+said)
	}
	b := start(t)
	root, cert, key := files(t, makePKI().root, b.id)
	_, port, _ := net.SplitHostPort(b.addr)
	said, err := runs(t, "", python, "-c", pahoPython, port, root, cert, key, userName, topic)
	if err != nil {
		t.Errorf("%v: %s", err, said)
	}
	delivered(t, b, "hello", said)
}

// GnuTLS with each group that IoT Hub has, and without any extension it can do
// without.
func TestGnuTLS(t *testing.T) {
	client := peers.Find(t, "gnutls-cli")
	b := start(t)
	root, cert, key := files(t, makePKI().root, b.id)
	_, port, _ := net.SplitHostPort(b.addr)
	const tls12 = "NORMAL:-VERS-ALL:+VERS-TLS1.2"
	for _, priority := range []string{
		tls12, tls12 + ":-GROUP-ALL:+GROUP-SECP256R1", tls12 + ":-GROUP-ALL:+GROUP-SECP384R1", tls12 + ":-GROUP-ALL:+GROUP-X25519", tls12 + ":%NO_EXTENSIONS:+GROUP-ALL",
	} {
		from := b.hub.Events().Mark()
		said, err := runs(t, "", client, "--port", port, "--x509cafile", root, "--x509certfile", cert, "--x509keyfile", key, "--priority", priority, "localhost")
		h := b.await(from, "the handshake", kind(hub.KindHandshake)).Handshake
		switch bare := strings.Contains(priority, "NO_EXTENSIONS"); {
		case !bare && (!h.OK || h.Thumbprints.SHA256 == "" || err != nil):
			t.Errorf("%s: %s, %v\n%s", priority, h.Err, err, said)
		case bare && (h.OK || h.Err == ""):
			t.Errorf("%s: %+v", priority, h)
		}
	}
}

// at-wat/mqtt-go takes no return code that MQTT does not have.
func TestMQTTGo(t *testing.T) {
	b := start(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c, err := tls.Dial("tcp", b.addr, b.tls(b.id))
	if err != nil {
		t.Fatal(err)
	}
	client := &mqttgo.BaseClient{Transport: c}
	if _, err := client.Connect(ctx, deviceID, mqttgo.WithUserNamePassword(userName, ""), mqttgo.WithKeepAlive(30),
		mqttgo.WithWill(&mqttgo.Message{Topic: topic, Retain: true, QoS: mqttgo.QoS2})); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Subscribe(ctx, mqttgo.Subscription{Topic: topic + "#", QoS: mqttgo.QoS2}); err != nil {
		t.Error(err)
	}
	if err := client.Publish(ctx, &mqttgo.Message{Topic: topic, QoS: mqttgo.QoS1, Payload: []byte("hello")}); err != nil {
		t.Error(err)
	}
	if err := client.Ping(ctx); err != nil {
		t.Error(err)
	}
	if err := client.Disconnect(ctx); err != nil {
		t.Error(err)
	}
	delivered(t, b, "hello", "")
}
