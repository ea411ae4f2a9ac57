package tap_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"hilrig/azure/hub"
	"hilrig/azure/tap"
	"hilrig/peers"
)

// facts are what a handshake's record says of what the device did, without
// moments and without the words for why it failed.
func facts(t *testing.T, h *hub.Handshake) string {
	t.Helper()
	c := *h
	c.Duration, c.Err = 0, ""
	l := hub.LineOf(hub.Event{Handshake: &c})
	for i := range l.Handshake.Messages {
		l.Handshake.Messages[i].At = time.Time{}
	}
	b, err := json.Marshal(l.Handshake)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// clients are handshakes of every way to end, by stacks that nobody here wrote.
func clients(t *testing.T, b *bench) map[string]func(t *testing.T) {
	goes := func(change func(*tls.Config)) func(*testing.T) {
		return func(*testing.T) {
			config := b.config()
			change(config)
			if c, err := tls.DialWithDialer(&net.Dialer{Timeout: 10 * time.Second}, "tcp", b.addr, config); err == nil {
				_ = c.Close()
			}
		}
	}
	says := func(said string) func(*testing.T) {
		return func(t *testing.T) {
			c, err := net.Dial("tcp", b.addr)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = c.Write([]byte(said))
			_ = c.Close()
		}
	}
	root, cert, key := files(t, b.id)
	_, port, err := net.SplitHostPort(b.addr)
	if err != nil {
		t.Fatal(err)
	}
	runs := func(name string, args ...string) func(*testing.T) {
		return func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			out, err := exec.CommandContext(ctx, peers.Find(t, name), args...).CombinedOutput()
			t.Logf("%v: %s", err, out)
		}
	}
	mosquitto := func(more ...string) func(*testing.T) {
		return runs("mosquitto_pub", append([]string{"-h", "localhost", "-p", port, "--cert", cert, "--key", key,
			"-V", "mqttv311", "-i", deviceID, "-u", userName, "-t", topic, "-q", "1", "-m", "hello"}, more...)...)
	}
	gnutls := func(more ...string) func(*testing.T) {
		return runs("gnutls-cli", append([]string{"--port", port, "--x509cafile", root, "--x509certfile", cert, "--x509keyfile", key, "localhost"}, more...)...)
	}
	openssl := func(more ...string) func(*testing.T) {
		return runs("openssl", append([]string{"s_client", "-connect", b.addr, "-servername", "localhost", "-CAfile", root}, more...)...)
	}
	return map[string]func(*testing.T){
		"go":                            goes(func(*tls.Config) {}),
		"go without a certificate":      goes(func(c *tls.Config) { c.Certificates = nil }),
		"go, another root":              goes(func(c *tls.Config) { c.RootCAs = nil }),
		"go, another name":              goes(func(c *tls.Config) { c.ServerName = "other.test" }),
		"go, TLS 1.3 alone":             goes(func(c *tls.Config) { c.MinVersion = tls.VersionTLS13 }),
		"go, TLS 1.1 alone":             goes(func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }),
		"openssl 1.2":                   openssl("-tls1_2", "-cert", cert, "-key", key),
		"openssl 1.3":                   openssl("-tls1_3", "-cert", cert, "-key", key),
		"openssl without a certificate": openssl("-tls1_2"),
		"openssl, no suite in common":   openssl("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"),
		"openssl, a chain":              openssl("-tls1_2", "-cert", cert, "-key", key, "-cert_chain", root),
		"gnutls 1.2":                    gnutls("--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2"),
		"gnutls 1.3":                    gnutls("--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.3"),
		"mosquitto_pub":                 mosquitto("--cafile", root, "--tls-version", "tlsv1.2"),
		"mosquitto_pub 1.3":             mosquitto("--cafile", root, "--tls-version", "tlsv1.3"),
		"mosquitto_pub, another root":   mosquitto("--cafile", cert),
		"MQTT without TLS":              says("\x10\x25\x00\x04MQTT"),
		"nothing":                       says(""),
		"half a hello":                  says("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
	}
}

// What the tap reads of a handshake is what the hub itself reports of it.
func TestAHandshakeIsWhatTheHubItselfSees(t *testing.T) {
	b := start(t)
	for name, dial := range clients(t, b) {
		t.Run(name, func(t *testing.T) {
			mark, behind := b.hub.Events().Mark(), b.inner.Events().Mark()
			dial(t)
			seen := await(t, b.hub.Events(), mark, "the handshake at the tap", kind(hub.KindHandshake))
			own := await(t, b.inner.Events(), behind, "the handshake at the hub", kind(hub.KindHandshake))
			if got, want := facts(t, seen.Handshake), facts(t, own.Handshake); got != want {
				t.Errorf("the tap saw\n%s\nthe hub\n%s", got, want)
			}
			if seen.Handshake.OK != (seen.Handshake.Err == "") || seen.Handshake.Duration < 0 {
				t.Errorf("OK %v, %q in %s", seen.Handshake.OK, seen.Handshake.Err, seen.Handshake.Duration)
			}
			end := await(t, b.hub.Events(), seen.Seq, "the end", func(e hub.Event) bool { return e.Ends(seen.Conn) })
			n := map[hub.EventKind]int{}
			for _, e := range b.hub.Events().Since(mark) {
				if e.Conn == end.Conn {
					n[e.Kind]++
				}
			}
			if n[hub.KindAccepted] != 1 || n[hub.KindHandshake] != 1 || n[hub.KindDisconnected] != 1 {
				t.Errorf("events of the connection: %v", n)
			}
		})
	}
}

// A device is known by its certificate, in the tap's record as in the hub's.
func TestTheDeviceIsKnownByItsCertificate(t *testing.T) {
	b := start(t)
	b.connected()
	e := b.await(0, "the session", hub.Event.Accepted)
	if p := b.hub.Events().Proof(e.Conn); p != hub.ProofCertificate {
		t.Errorf("known by %s", p)
	}
	if got := b.hub.Events().Thumbprint(e.Conn); got != sha256Of(b.id) {
		t.Errorf("thumbprint %s", got)
	}
	if at, behind := hub.AddressOf(e.Remote), b.hub.Events().Since(0)[0]; !strings.Contains(behind.Text, "and not the device's") || !at.IsLoopback() {
		t.Errorf("from %s; the record begins %q", at, behind.Text)
	}
}

// In TLS 1.3 the wire shows the hellos, and when the handshake must be over.
func TestWhatTLS13Shows(t *testing.T) {
	for _, c := range []struct {
		name   string
		server tls.ClientAuthType
		client func(*tls.Config)
		ok     bool
	}{
		{"a certificate", tls.RequestClientCert, func(*tls.Config) {}, true},
		{"no certificate", tls.RequestClientCert, func(c *tls.Config) { c.Certificates = nil }, true},
		{"another root", tls.RequestClientCert, func(c *tls.Config) { c.RootCAs = nil }, false},
		{"another group at first", tls.RequestClientCert, func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveP384} }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := &tls.Config{Certificates: []tls.Certificate{makePKI().server}, MinVersion: tls.VersionTLS13, ClientAuth: c.server, CurvePreferences: []tls.CurveID{tls.CurveP384}}
			b := open(t, opens(func(raw net.Conn) {
				server := tls.Server(raw, config)
				connack := make([]byte, 4)
				for server.SetDeadline(time.Now().Add(10*time.Second)) == nil {
					if _, err := server.Read(connack); err != nil {
						return
					}
					_, _ = server.Write(connack)
				}
			}), tap.Config{})
			own := b.config()
			c.client(own)
			if d, err := tls.Dial("tcp", b.addr, own); err == nil {
				for range 2 {
					_, _ = d.Write([]byte("ping"))
					_, _ = d.Read(make([]byte, 4))
				}
				_ = d.Close()
			}
			e := b.await(0, "the handshake", kind(hub.KindHandshake))
			if h := e.Handshake; h.OK != c.ok || h.Version != tls.VersionTLS13 || h.ServerName != "localhost" || len(h.Certificates) > 0 {
				t.Errorf("%+v", h)
			}
		})
	}
}
