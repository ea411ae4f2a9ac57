//go:build linux

package cli

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hilrig/azure/iothub/access"
	"hilrig/azure/iothub/events"
	"hilrig/azure/iothub/registry"
	"hilrig/certs"
)

// answers is a registry that answers everything so.
func answers(status int, code string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"Message":"ErrorCode:`+code+`;no","ExceptionMessage":"Tracking ID:a"}`)
	}
}

// then is a registry of which answer n, from 1, to requests of a method is
// another's.
func then(method string, n int, other, behind http.Handler) http.Handler {
	asked := 0 // one device asks, one thing after another
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == method {
			if asked++; asked == n {
				other.ServeHTTP(w, r)
				return
			}
		}
		behind.ServeHTTP(w, r)
	})
}

// broken is what goes wrong at a hub.
type broken struct {
	name     string
	registry http.Handler             // nil: the hub's own
	shows    *tls.Certificate         // what the registry presents; nil: the hub's own
	rig      []string                 // old and new of the rig file
	before   func(*testing.T, *cloud) // nil: nothing
	says     string
	cure     string
}

// What is wrong at the hub is told with its cure, before the device is touched.
func TestFailuresOfARegistry(t *testing.T) {
	t.Parallel()
	c := openCloud(t, "crowded")
	strangers := strangersCertificate(t)
	for _, x := range []broken{
		{name: "401", registry: answers(401, "IotHubUnauthorizedAccess"), says: "does not let us in", cure: "is the key whole"},
		{name: "a clock that is ahead", registry: answers(401, "IotHubUnauthorizedAccess", "Date", time.Now().Add(-2*time.Hour).UTC().Format(http.TimeFormat)), says: "does not let us in", cure: "ahead of the hub's: set it"},
		{name: "a clock that is behind", registry: answers(401, "IotHubUnauthorizedAccess", "Date", time.Now().Add(2*time.Hour).UTC().Format(http.TimeFormat)), says: "does not let us in", cure: "tokens run out by it"},
		{name: "403", registry: answers(403, "IotHubUnauthorized"), says: "the rights do not suffice", cure: "registry write"},
		{name: "reads and may not write", registry: then("PUT", 1, answers(403, "IotHubUnauthorized"), c.api), says: "the rights do not suffice", cure: "registry write"},
		{name: "quota", registry: answers(403, "IotHubQuotaExceeded"), says: "a quota is used up", cure: "00:00 UTC"},
		{name: "a full registry", registry: then("PUT", 1, answers(403, "TooManyDevices"), c.api), says: "a quota is used up", cure: "remove devices"},
		{name: "404", registry: answers(404, "IotHubNotFound"), says: "there is no such hub", cure: "Overview"},
		{name: "409", registry: then("PUT", 1, answers(409, "DeviceAlreadyExists"), then("GET", 2, c.othersDevice(), c.api)), says: "rig bench-2 uses it until", cure: "its own device ids"},
		{name: "412", registry: then("PUT", 1, answers(409, "DeviceAlreadyExists"), then("PUT", 1, answers(412, "PreconditionFailed"), then("GET", 2, c.somebodysDevice(), c.api))), rig: []string{"    kind: azure\n", "    kind: azure\n    adopt: true\n"}, says: "it was changed since it was read", cure: "somebody else changes it too"},
		{name: "throttled", registry: answers(429, "ThrottlingException"), says: "the hub throttles", cure: "another unit"},
		{name: "500", registry: answers(500, "ServerError"), says: "the hub is not available", cure: "azure.status"},
		{name: "a proxy", registry: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>sign in</html>") }), says: "no JSON", cure: "captive portal"},
		{name: "a wrong root", registry: c.api, shows: &strangers, says: "is not trusted", cure: "another one is a proxy that opens TLS"},
		{name: "a closed port", rig: []string{"endpoints: {", `endpoints: {registry: "127.0.0.1:1", `}, says: "nothing listens there", cure: "firewall"},
		{name: "a name of the registry that does not resolve", rig: []string{"endpoints: {", `endpoints: {registry: "no-such-hub.invalid:443", `}, says: "does not resolve", cure: "private link"},
		{name: "a hub that does not resolve", rig: []string{"host: localhost", "host: no-such-hub.invalid"}, before: hubNamed("no-such-hub.invalid"), says: "does not resolve", cure: "is the host name right"},
		{name: "no such consumer group", rig: []string{"consumer_group: hilrig", "consumer_group: nobodys"}, says: "there is no such consumer group", cure: "consumer-group create"},
		{name: "a consumer group that is taken", rig: []string{"consumer_group: hilrig", "consumer_group: crowded"}, before: fiveRead, says: "the consumer group is taken", cure: "a consumer group of its own"},
	} {
		t.Run(x.name, func(t *testing.T) { x.run(t, c) })
	}
	c.hides().below(filepath.Join(c.dir, "failures"))
}

func (x broken) run(t *testing.T, c *cloud) {
	env, rig := c.env, azureRig
	defer func() { c.env = env }()
	if x.before != nil {
		x.before(t, c)
	}
	if x.registry != nil {
		at := c.presents(x.registry, *cmp.Or(x.shows, &c.server))
		rig = strings.Replace(rig, "endpoints: {", `endpoints: {registry: "`+at+`", `, 1)
	}
	c.write("rig.yaml", strings.NewReplacer(x.rig...).Replace(rig))
	code, out := c.hilrig("run", "--rig", "rig.yaml", "--hub", "azure", "--spec", "provisioning/root", "--out", "failures")
	d := c.record("failures").Devices[0]
	if cause := d.Specs[0].Cause + d.Specs[0].Message; code != 3 || !strings.Contains(cause, x.says) || !strings.Contains(cause, x.cure) || d.Loads != 0 {
		t.Errorf("exit code %d, %d files loaded, cause %q\nwant %q, cure %q\n%s", code, d.Loads, cause, x.says, x.cure, out)
	}
	if text, err := os.ReadFile(filepath.Join(c.dir, "failures", "latest", "devices", "emu-1", "transcript.log")); err != nil || bytes.Contains(text, []byte("9270")) {
		t.Errorf("the device was touched: %v\n%s", err, text)
	}
	if left := c.hub.Devices(); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// presents has a registry by TLS with a certificate.
func (c *cloud) presents(registry http.Handler, certificate tls.Certificate) (address string) {
	server := httptest.NewUnstartedServer(registry)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // clients that do not trust it
	server.StartTLS()
	c.t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// strangersCertificate is for the hub's name, of an authority that nobody trusts.
func strangersCertificate(t *testing.T) tls.Certificate {
	store, err := certs.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := store.Server(t.Context(), "localhost")
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

// hubNamed has the hub's connection string be of another host.
func hubNamed(host string) func(*testing.T, *cloud) {
	return func(_ *testing.T, c *cloud) {
		c.env = append(c.env, "IOTHUB_SERVICE=HostName="+host+";SharedAccessKeyName=iothubowner;SharedAccessKey="+c.keys[0])
	}
}

// fiveRead reads by a consumer group as often as one can be read.
func fiveRead(t *testing.T, c *cloud) {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(c.amqp.Root)
	for range 5 {
		r, err := events.Open(t.Context(), events.Config{ConnectionString: c.amqp.Events(), Group: "crowded", Network: access.Network{Endpoint: c.amqp.Address, Roots: roots}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 10*time.Second)
			defer cancel()
			if err := r.Close(ctx); err != nil {
				t.Error(err)
			}
		})
	}
}

// somebodysDevice answers by the device as somebody has registered it.
func (c *cloud) somebodysDevice() http.HandlerFunc { return c.deviceWith("made by hand") }

// othersDevice answers by the device as another rig has it at present.
func (c *cloud) othersDevice() http.HandlerFunc {
	return c.deviceWith("hilrig bench-2 run " + time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
}

func (c *cloud) deviceWith(reason string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"deviceId":"NewDevice","etag":"MQ==","status":"%s","statusReason":"%s","authentication":{"type":"%s"}}`, registry.Enabled, reason, registry.SelfSigned)
	}
}
