package registryapi_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"hilrig/azure/hub"
	"hilrig/azure/localhub"
	"hilrig/azure/localhub/registryapi"
	"hilrig/certs"
	"hilrig/peers"
	"hilrig/record"
)

// live is a hub and its registry as `hilrig hub --registry` has them.
type live struct {
	t          *testing.T
	hub        *localhub.Hub
	server     *registryapi.Server
	key        registryapi.Key
	store      *certs.Store
	mqtt, http net.Addr
	dir        string
}

func listen(t *testing.T) *live {
	t.Helper()
	return listenAt(t, "127.0.0.1:0")
}

func listenAt(t *testing.T, address string) *live {
	t.Helper()
	l := &live{t: t, dir: t.TempDir()}
	var err error
	check := func(step string) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", step, err)
		}
	}
	l.store, err = certs.OpenStore(filepath.Join(l.dir, "pki"))
	check("store")
	certificate, err := l.store.Server(t.Context(), "localhost")
	check("certificate")
	l.hub, err = localhub.New(localhub.Config{Host: "localhost", Certificate: certificate})
	check("hub")
	l.mqtt, err = l.hub.Listen(t.Context(), "127.0.0.1:0")
	check("hub's port")
	l.key, err = registryapi.OpenKey(t.Context(), filepath.Join(l.dir, "registry"))
	check("key")
	l.server = registryapi.New(registryapi.Config{Host: "localhost", Hub: l.hub, Key: l.key, Certificate: certificate})
	l.http, err = l.server.Listen(t.Context(), address)
	check("registry's port")
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := errors.Join(l.server.Close(ctx), l.hub.Close(ctx)); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return l
}

func (l *live) roots() *x509.CertPool {
	roots := x509.NewCertPool()
	roots.AddCert(l.store.Root().Certificate)
	return roots
}

// connect is a device that answers every method with 207 {"ok":true}.
func (l *live) connect(id string, c tls.Certificate) (mqtt.Client, error) {
	o := mqtt.NewClientOptions().AddBroker("ssl://" + l.mqtt.String()).SetClientID(id).
		SetUsername("localhost/" + id + "/?api-version=2021-04-12").SetAutoReconnect(false).SetProtocolVersion(4).
		SetTLSConfig(&tls.Config{RootCAs: l.roots(), ServerName: "localhost", Certificates: []tls.Certificate{c}, MaxVersion: tls.VersionTLS12})
	client := mqtt.NewClient(o)
	l.t.Cleanup(func() { client.Disconnect(0) })
	if t := client.Connect(); !t.WaitTimeout(5*time.Second) || t.Error() != nil {
		return nil, errors.Join(errors.New("not connected"), t.Error())
	}
	t := client.Subscribe("$iothub/methods/POST/#", 0, func(c mqtt.Client, m mqtt.Message) {
		_, rid, _ := strings.Cut(m.Topic(), "?$rid=")
		c.Publish("$iothub/methods/res/207/?$rid="+rid, 0, false, `{"ok":true}`)
	})
	if !t.WaitTimeout(5*time.Second) || t.Error() != nil {
		return nil, errors.Join(errors.New("not subscribed"), t.Error())
	}
	return client, nil
}

func (l *live) identity(id string) (*certs.Identity, tls.Certificate) {
	l.t.Helper()
	identity, err := certs.NewIdentity(l.t.Context(), certs.IdentitySpec{DeviceID: id})
	if err != nil {
		l.t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(identity.CertificatePEM, identity.KeyPEM)
	if err != nil {
		l.t.Fatal(err)
	}
	return identity, pair
}

func (l *live) connectionString(k registryapi.Key, dir string) string {
	l.t.Helper()
	path, err := k.WriteConnectionString(dir, "localhost", l.http)
	if err != nil {
		l.t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		l.t.Fatal(err)
	}
	return strings.TrimSpace(string(data))
}

// Microsoft's service SDK registers a device, sees it connect, patches its
// twin, calls a method of it, and takes it out: with its sockets led to a port
// that is free, and as it is at the port that it dials.
func TestServiceSDK(t *testing.T) {
	t.Run("a port that is free", func(t *testing.T) {
		listen(t).servesServiceSDK()
	})
	t.Run("IoT Hub's own port", func(t *testing.T) {
		listenAt(t, peers.Port(t, 443)).servesServiceSDK()
	})
}

func (l *live) servesServiceSDK() {
	t := l.t
	identity, pair := l.identity("NewDevice")
	root := filepath.Join(l.dir, "root.pem")
	strangers := t.TempDir()
	other, err := registryapi.OpenKey(t.Context(), strangers)
	if err := errors.Join(err, os.WriteFile(root, l.store.Root().PEM, 0o600)); err != nil {
		t.Fatal(err)
	}
	print := certs.ThumbprintsOf(identity.Certificate).SHA256
	node, modules := peers.Node(t, "../testdata/sdk", "Microsoft's service SDK (npm azure-iothub)")
	cmd := exec.CommandContext(t.Context(), node, filepath.Join("..", "testdata", "sdk", "registry.js"))
	cmd.Env = append(os.Environ(), "SDK_MODULES="+modules, "NODE_EXTRA_CA_CERTS="+root, "DEVICE_ID=NewDevice", "PRIMARY="+print, "SECONDARY="+sha256a,
		"CONNECTION_STRING="+l.connectionString(l.key, filepath.Join(l.dir, "registry")), "WRONG_STRING="+l.connectionString(other, strangers))
	var said bytes.Buffer
	cmd.Stderr = &said
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var steps []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		steps = append(steps, lines.Text())
		if lines.Text() == "connect" {
			if _, err := l.connect("NewDevice", pair); err != nil {
				t.Errorf("the device: %v", err)
			}
			if _, err := in.Write([]byte("\n")); err != nil {
				t.Error(err)
			}
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v after %v\n%s", err, steps, &said)
	}
	want := "create, create refused, get, update, list, query, connect, twin, method, delete, wrong key"
	if got := strings.Join(steps, ", "); got != want {
		t.Errorf("went %s\nwant %s", got, want)
	}
}

// One that is disabled or taken out loses its connection, and comes back when
// it is registered again.
func TestDeviceLosesItsConnection(t *testing.T) {
	l := listen(t)
	identity, pair := l.identity("d")
	print := certs.ThumbprintsOf(identity.Certificate).SHA1
	registered := device("d", print)
	for name, change := range map[string][]string{
		"disabled":  {"PUT", strings.Replace(registered, "enabled", "disabled", 1)},
		"taken out": {"DELETE", ""},
	} {
		l.do("DELETE", "/devices/d", "")
		l.do("PUT", "/devices/d", registered)
		if _, err := l.connect("d", pair); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if a := l.do("GET", "/devices/d", ""); !strings.Contains(a.body, `"connectionState":"Connected"`) {
			t.Errorf("%s: before it: %s", name, a.body)
		}
		mark := l.hub.Events().Mark()
		l.do(change[0], "/devices/d", change[1])
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		_, err := l.hub.Events().Await(ctx, mark, func(e hub.Event) bool { return e.Kind == hub.KindDisconnected && e.DeviceID == "d" })
		cancel()
		if err != nil {
			t.Errorf("%s: it is still connected", name)
		}
		if _, err := l.connect("d", pair); err == nil {
			t.Errorf("%s: it may connect", name)
		}
	}
}

// do is a request over HTTPS, by the rig's root; If-Match where there is
// something to match.
func (l *live) do(method, path, body string) answer {
	l.t.Helper()
	_, port, err := net.SplitHostPort(l.http.String())
	if err != nil {
		l.t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: l.roots(), ServerName: "localhost"}}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(l.t.Context(), method, "https://127.0.0.1:"+port+path+"?"+version, strings.NewReader(body))
	if err != nil {
		l.t.Fatal(err)
	}
	req.Header.Set("Authorization", l.key.Token("localhost", time.Now().Add(time.Hour)))
	if _, there := l.hub.Lookup("d"); there {
		req.Header.Set("If-Match", "*")
	}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		l.t.Fatal(err)
	}
	defer resp.Body.Close()
	var data bytes.Buffer
	if _, err := data.ReadFrom(resp.Body); err != nil {
		l.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, data.String()}
}

// Close ends a method that waits for its answer; so does the end of the
// context that Listen got.
func TestCloseEndsWhatIsUnderWay(t *testing.T) {
	l := listen(t)
	identity, pair := l.identity("d")
	l.hub.Register(hub.Device{ID: "d", Thumbprints: []string{certs.ThumbprintsOf(identity.Certificate).SHA1}})
	c, err := l.connect("d", pair)
	if err != nil {
		t.Fatal(err)
	}
	c.AddRoute("$iothub/methods/POST/#", func(mqtt.Client, mqtt.Message) {}) // it does not answer
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: l.roots(), ServerName: "localhost"}}
	req, err := http.NewRequestWithContext(t.Context(), "POST", "https://"+l.http.String()+"/twins/d/methods?"+version,
		strings.NewReader(`{"methodName":"m","responseTimeoutInSeconds":300}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", l.key.Token("localhost", time.Now().Add(time.Hour)))
	ended := make(chan error, 1)
	go func() {
		resp, err := (&http.Client{Transport: transport}).Do(req)
		if err == nil {
			err = errors.Join(errors.New(resp.Status), resp.Body.Close())
		}
		ended <- err
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := l.hub.Events().Await(ctx, 0, func(e hub.Event) bool { return e.Kind == hub.KindMethod }); err != nil {
		t.Fatal("no method was called")
	}
	if err := l.server.Close(ctx); err != nil {
		t.Errorf("close: %v", err)
	}
	if err := <-ended; err == nil {
		t.Error("the call was answered")
	}
}

func TestEndOfContextClosesTheRegistry(t *testing.T) {
	s := registryapi.New(registryapi.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	addr, err := s.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	cancel()
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	var timeout net.Error
	if _, err := c.Read(make([]byte, 1)); err == nil || errors.As(err, &timeout) && timeout.Timeout() {
		t.Errorf("the connection lives: %v", err)
	}
	for limit := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) { // nothing says when a port is given back
		again, err := net.Listen("tcp", addr.String())
		if err == nil {
			again.Close()
			break
		}
		if time.Now().After(limit) {
			t.Fatalf("it still listens: %v", err)
		}
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := s.Listen(t.Context(), "127.0.0.1:0"); err == nil {
		t.Error("it listens after Close")
	}
}

func TestAddressThatCannotBe(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for addr, want := range map[string]record.Class{
		"nonsense": record.Usage, ":99999": record.Usage, "192.0.2.1:0": record.Usage, taken.Addr().String(): record.RigHub,
	} {
		s := registryapi.New(registryapi.Config{})
		_, err := s.Listen(t.Context(), addr)
		var f *record.Failure
		if !errors.As(err, &f) || f.Class != want || f.Cure == "" {
			t.Errorf("%s: got %v", addr, err)
		}
	}
}
