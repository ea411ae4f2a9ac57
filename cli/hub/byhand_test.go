package hub

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/spf13/cobra"

	"hilrig/azure/hub"
	"hilrig/azure/localhub"
	"hilrig/certs"
	"hilrig/cli/verb"
	"hilrig/runner"
)

// desk is a hub with its socket, and a device NewDevice that answers methods
// and acknowledges messages.
func desk(t *testing.T) *localhub.Hub {
	t.Helper()
	state, err := os.MkdirTemp("", "desk") // short enough for a socket's path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(state) })
	t.Setenv("HILRIG_STATE", state)
	store, err := certs.OpenStore(filepath.Join(state, "pki"))
	if err != nil {
		t.Fatal(err)
	}
	server, err := store.Server(t.Context(), "localhost")
	if err != nil {
		t.Fatal(err)
	}
	identity, err := certs.NewIdentity(t.Context(), certs.IdentitySpec{DeviceID: "NewDevice"})
	if err != nil {
		t.Fatal(err)
	}
	hub, err := localhub.New(localhub.Config{
		Host: "localhost", Certificate: server,
		Devices: []hub.Device{{ID: "NewDevice", Thumbprints: []string{certs.ThumbprintsOf(identity.Certificate).SHA256}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	addr, err := hub.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := verbs{verb.New(nil, nil, io.Discard, t.Output())}
	socket := a.openControl(t.Context(), state, "localhost", addr.String(), hub, store)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := errors.Join(closeControl(socket), hub.Close(ctx)); err != nil {
			t.Error(err)
		}
	})
	if socket == nil {
		t.Fatal("no socket")
	}
	connectDesk(t, addr.String(), store, identity)
	return hub
}

func connectDesk(t *testing.T, addr string, store *certs.Store, identity *certs.Identity) {
	t.Helper()
	pair, err := tls.X509KeyPair(identity.CertificatePEM, identity.KeyPEM)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(store.Root().Certificate)
	o := mqtt.NewClientOptions().AddBroker("ssl://" + addr).SetClientID("NewDevice").SetProtocolVersion(4).
		SetUsername("localhost/NewDevice/?api-version=2021-04-12").SetAutoReconnect(false).
		SetTLSConfig(&tls.Config{RootCAs: roots, ServerName: "localhost", Certificates: []tls.Certificate{pair}, MaxVersion: tls.VersionTLS12})
	o.SetDefaultPublishHandler(func(c mqtt.Client, m mqtt.Message) {
		if _, rid, ok := strings.Cut(m.Topic(), "?$rid="); ok {
			c.Publish("$iothub/methods/res/200/?$rid="+rid, 0, false, `{"ok":true}`)
		}
	})
	c := mqtt.NewClient(o)
	t.Cleanup(func() { c.Disconnect(0) })
	for _, do := range []func() mqtt.Token{
		c.Connect,
		func() mqtt.Token { return c.Subscribe("$iothub/methods/POST/#", 0, nil) },
		func() mqtt.Token { return c.Subscribe("devices/NewDevice/messages/devicebound/#", 1, nil) },
	} {
		if token := do(); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
			t.Fatalf("the device: %v", token.Error())
		}
	}
}

// words cuts a command as a shell does: at blanks, but not within quotes.
func words(command string) (all []string) {
	for i, part := range strings.Split(command, "'") {
		if i%2 == 1 {
			all = append(all, part)
		} else {
			all = append(all, strings.Fields(part)...)
		}
	}
	return all
}

// say runs a verb below a root as cli makes it.
func say(ctx context.Context, args ...string) (code int, out, complaint string) {
	var o, e bytes.Buffer
	root := &cobra.Command{Use: "hilrig", SilenceErrors: true, SilenceUsage: true}
	root.AddCommand(Command(verb.New(args, strings.NewReader("{}"), &o, &e)))
	root.SetArgs(args)
	if err := root.ExecuteContext(ctx); err != nil {
		return runner.ExitOf(err), o.String(), err.Error()
	}
	return runner.ExitPass, o.String(), e.String()
}

// Every example of the verbs that speak to a hub works as it stands in --help.
func TestExamplesByHandWork(t *testing.T) {
	desk(t)
	hub := Command(verb.New(nil, nil, io.Discard, io.Discard))
	for _, verb := range hub.Commands() {
		for line := range strings.Lines(verb.Example) {
			args := words(line)
			if len(args) < 3 || args[0] != "hilrig" {
				t.Errorf("%q is no example", line)
				continue
			}
			if code, out, complaint := say(t.Context(), args[1:]...); code != 0 || out == "" || complaint != "" {
				t.Errorf("%s: exit %d, %q, %q", strings.TrimSpace(line), code, out, complaint)
			}
		}
	}
}

func TestByHand(t *testing.T) {
	h := desk(t)
	for _, x := range []struct {
		command string
		code    int
		says    string
	}{
		{"hub send NewDevice hello --id m1 --wait 20s", 0, "message m1 was acknowledged by NewDevice"},
		{"hub send NewDevice - --wait 20s", 0, "acknowledged"},
		{"hub invoke NewDevice reboot '{\"in\":5}'", 0, `{"status":200,"payload":{"ok":true}}`},
		{"hub patch NewDevice '{\"a\":\"<1>\"}'", 0, `"desired":{"a":"<1>","$version":2}`},
		{"hub send Nobody hello", 2, "it has NewDevice"},
		{"hub send NewDevice", 2, "PAYLOAD is missing"},
		{"hub send NewDevice a b", 2, "nothing is expected"},
		{"hub send NewDevice a --property x", 2, "NAME=VALUE"},
		{"hub invoke NewDevice reboot {", 2, "not JSON"},
		{"hub patch NewDevice", 2, "nothing to change"},
		{"hub fault conack-3", 2, "did you mean connack-3?"},
		{"hub fault connack-3 --times -1", 2, "--times"},
		{"hub fault --times 1", 2, "NAME is missing"},
		{"hub fault no-puback --lift", 2, "not shown"},
		{"hub fault reset --device NewDevice", 0, "reset to NewDevice: over, shown 1 time"},
		{"hub fault hub-down --device NewDevice", 2, "for every device"},
		{"hub fault hub-down --for 50ms", 0, "hub-down to every device: over, shown 1 time"},
		{"hub send NewDevice hello --control nowhere", 3, "trust nowhere"},
		{"hub send NewDevice hello --state " + t.TempDir(), 3, "no hub runs"},
		{"hub --list-faults", 0, "connack-5"},
	} {
		args := words(x.command)
		if code, out, complaint := say(t.Context(), args...); code != x.code || !strings.Contains(out+complaint, x.says) {
			t.Errorf("%s: exit %d, want %d %q\n%s%s", x.command, code, x.code, x.says, out, complaint)
		}
	}
	shown := h.Events().Since(0)
	if len(shown) == 0 {
		t.Error("nothing was recorded")
	}
}
