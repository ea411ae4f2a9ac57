package tap_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"hilrig/azure/hub"
	"hilrig/azure/localhub"
	"hilrig/azure/tap"
	"hilrig/certs"
)

const (
	deviceID = "NewDevice"
	userName = "localhost/NewDevice/?api-version=2021-04-12"
	topic    = "devices/NewDevice/messages/events/"
)

// pki is a hub's certificate and what devices trust.
type pki struct {
	server tls.Certificate
	root   certs.Root
	dir    string
}

var makePKI = sync.OnceValue(func() pki {
	dir, err := os.MkdirTemp("", "tap")
	if err != nil {
		panic(err)
	}
	store, err := certs.OpenStore(dir)
	if err != nil {
		panic(err)
	}
	server, err := store.Server(context.Background(), "localhost")
	if err != nil {
		panic(err)
	}
	return pki{server, store.Root(), dir}
})

func TestMain(m *testing.M) {
	code := m.Run()
	_ = os.RemoveAll(makePKI().dir)
	os.Exit(code)
}

// identity is a device's self-signed certificate.
func identity(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tpl := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: deviceID},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, tpl, tpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// bench is a local hub with a tap in front, and one registered device.
type bench struct {
	t     testing.TB
	hub   hub.Abilities
	inner hub.Hub
	addr  string
	id    tls.Certificate
}

func start(t testing.TB) *bench {
	t.Helper()
	b := open(t, localhub.Open, tap.Config{Local: true})
	if err := b.hub.Register(t.Context(), hub.Device{ID: deviceID, Thumbprints: []string{sha256Of(b.id)}}); err != nil {
		t.Fatal(err)
	}
	await(t, b.inner.Events(), 0, "the end of the tap's own look at the hub", kind(hub.KindDisconnected))
	return b
}

// freePort is a port of a host that nobody has now. The test is skipped where this
// machine has no such address, and for nothing else.
func freePort(t testing.TB, host string) string {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT) {
		t.Skip("this host has no such address: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close() // only to find it
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// open opens a hub with a tap in front of it.
func open(t testing.TB, behind hub.Open, c tap.Config) *bench {
	t.Helper()
	return openAt(t, "127.0.0.1:0", behind, c)
}

func openAt(t testing.TB, listen string, behind hub.Open, c tap.Config) *bench {
	t.Helper()
	h, addr, err := tap.Wrap(behind, c)(t.Context(), hub.Setup{
		Host: "localhost", DeviceID: deviceID, Listen: listen,
		Certificate: func(context.Context) (tls.Certificate, error) { return makePKI().server, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := h.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return &bench{t: t, hub: hub.Of(h), inner: h.(hub.Fronting).Behind(), addr: addr, id: identity(t)}
}

func sha256Of(c tls.Certificate) string {
	sum := sha256.Sum256(c.Certificate[0])
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

// config is a sound client's.
func (b *bench) config() *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(makePKI().root.Certificate)
	return &tls.Config{RootCAs: roots, ServerName: "localhost", Certificates: []tls.Certificate{b.id}}
}

// client is an MQTT client that is the device.
func (b *bench) client(change ...func(*mqtt.ClientOptions)) mqtt.Client {
	o := mqtt.NewClientOptions().AddBroker("ssl://" + b.addr).SetClientID(deviceID).SetUsername(userName).
		SetTLSConfig(b.config()).SetProtocolVersion(4).SetAutoReconnect(false).SetConnectTimeout(10 * time.Second)
	for _, f := range change {
		f(o)
	}
	c := mqtt.NewClient(o)
	b.t.Cleanup(func() { c.Disconnect(0) })
	return c
}

func (b *bench) wait(tok mqtt.Token) error {
	b.t.Helper()
	if !tok.WaitTimeout(15 * time.Second) {
		b.t.Fatal("no end")
	}
	return tok.Error()
}

// connected is a client in a session, and what it lost its session by.
func (b *bench) connected(change ...func(*mqtt.ClientOptions)) (mqtt.Client, <-chan error) {
	b.t.Helper()
	lost := make(chan error, 1)
	c := b.client(append(change, func(o *mqtt.ClientOptions) {
		o.SetConnectionLostHandler(func(_ mqtt.Client, err error) { lost <- err })
	})...)
	if err := b.wait(c.Connect()); err != nil {
		b.t.Fatal(err)
	}
	return c, lost
}

func awaitLoss(t testing.TB, lost <-chan error) error {
	t.Helper()
	select {
	case err := <-lost:
		return err
	case <-time.After(15 * time.Second):
		t.Fatal("the session goes on")
		return nil
	}
}

func await(t testing.TB, v *hub.Events, from int, what string, match func(hub.Event) bool) hub.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	e, err := v.Await(ctx, from, match)
	if err != nil {
		for _, e := range v.Since(0) {
			t.Logf("%d %s %d %s", e.Seq, e.Kind, e.Conn, e.Text)
		}
		t.Fatalf("%s: %v", what, err)
	}
	return e
}

func (b *bench) await(from int, what string, match func(hub.Event) bool) hub.Event {
	b.t.Helper()
	return await(b.t, b.hub.Events(), from, what, match)
}

func kind(k hub.EventKind) func(hub.Event) bool { return func(e hub.Event) bool { return e.Kind == k } }

// files writes the root, and the device's certificate and key.
func files(t testing.TB, id tls.Certificate) (root, cert, key string) {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		f := filepath.Join(dir, name)
		if err := os.WriteFile(f, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return f
	}
	der, err := x509.MarshalPKCS8PrivateKey(id.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return write("root.pem", makePKI().root.PEM),
		write("device.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: id.Certificate[0]})),
		write("device.key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// opaque is a hub of which nothing is known but where it is: a server that does
// what a test wants of each connection.
type opaque struct {
	events  *hub.Events
	letters hub.Letters
	l       net.Listener
	served  sync.WaitGroup
}

func (o *opaque) Events() *hub.Events  { return o.events }
func (o *opaque) Letters() hub.Letters { return o.letters }
func (o *opaque) Close(context.Context) error {
	_ = o.l.Close() // a test may have closed it already
	o.served.Wait()
	return nil
}

// opens is how an opaque hub is opened.
func opens(serve func(net.Conn)) hub.Open { return opensAt("127.0.0.1:0", serve) }

func opensAt(listen string, serve func(net.Conn)) hub.Open {
	return func(ctx context.Context, s hub.Setup) (hub.Hub, string, error) {
		var lc net.ListenConfig
		l, err := lc.Listen(ctx, "tcp", listen)
		if err != nil {
			return nil, "", err
		}
		o := &opaque{events: hub.NewEvents(s.DeviceID, 0), letters: hub.OfBroker, l: l}
		o.served.Go(func() {
			for {
				c, err := l.Accept()
				if errors.Is(err, net.ErrClosed) {
					return
				}
				if err == nil {
					o.served.Go(func() {
						defer c.Close()
						serve(c)
					})
				}
			}
		})
		return o, l.Addr().String(), nil
	}
}
