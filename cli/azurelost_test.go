//go:build linux

package cli

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hilrig/record"
)

// A reader that is lost in the middle of a run is told apart from a device that
// says nothing: what is missed meanwhile is the rig's, with its cure.
func TestAReaderLostInARun(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		name string
		lost func(*cloud)
		code int
		says string
	}{
		{"somebody takes the consumer group", func(c *cloud) {
			c.amqp.Refuse("ConsumerGroups", "amqp:resource-limit-exceeded", "five read", 0)
			c.amqp.Detach("amqp:link:stolen", "a reader with a higher epoch")
		}, 3, "the consumer group is taken"},
		{"the connection is cut, and comes back", func(c *cloud) { c.amqp.Cut() }, 0, ""},
		{"the endpoint hangs", func(c *cloud) { c.amqp.Hang(15 * time.Second) }, 3, "nothing is seen since"},
	} {
		t.Run(x.name, func(t *testing.T) {
			c := openCloud(t)
			c.write("rig.yaml", azureRig)
			cmd, out := c.begun("run", "--rig", "rig.yaml", "--hub", "azure", "--label-filter", "smoke")
			c.registered()
			x.lost(c)
			_ = cmd.Wait() // the code is looked at
			var causes strings.Builder
			failed := false
			for _, s := range c.record(filepath.Join("reports", "out")).Devices[0].Specs {
				causes.WriteString(s.Cause + s.Message + "\n")
				failed = failed || s.Verdict == record.Fail
			}
			if code := cmd.ProcessState.ExitCode(); code != x.code || failed || !strings.Contains(causes.String(), x.says) {
				t.Errorf("exit code %d, want %d with %q: %s\n%s", code, x.code, x.says, causes.String(), out)
			}
			if left := c.hub.Devices(); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// since is a registry that answers requests of a method so from number n on.
func since(method string, n int, other, behind http.Handler) http.Handler {
	asked := 0 // one device asks, one thing after another
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == method {
			asked++
		}
		if r.Method == method && asked >= n {
			other.ServeHTTP(w, r)
			return
		}
		behind.ServeHTTP(w, r)
	})
}

// What goes wrong at the registry in the middle of a run, as the device gets its
// second identity, is the rig's with its cure, and nothing is left behind.
func TestARegistryLostInARun(t *testing.T) {
	t.Parallel()
	c := openCloud(t)
	cut := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	for _, x := range []struct {
		name       string
		answer     http.Handler
		says, cure string
	}{
		{"401", answers(401, "IotHubUnauthorizedAccess"), "does not let us in", "is the key whole"},
		{"403", answers(403, "IotHubUnauthorized"), "the rights do not suffice", "registry write"},
		{"quota", answers(403, "IotHubQuotaExceeded"), "a quota is used up", "00:00 UTC"},
		{"404", answers(404, "DeviceNotFound"), "there is no such device", "is it registered at this hub"},
		{"412", answers(412, "PreconditionFailed"), "it was changed since it was read", "somebody else changes it too"},
		{"throttled", answers(429, "ThrottlingException"), "the hub throttles", "another unit"},
		{"500", answers(500, "ServerError"), "the hub is not available", "azure.status"},
		{"a connection that is cut", cut, "the connection was cut", "Try again"},
	} {
		at := c.presents(since("PUT", 2, x.answer, c.api), c.server)
		c.write("rig.yaml", strings.Replace(azureRig, "endpoints: {", `endpoints: {registry: "`+at+`", `, 1))
		code, out := c.hilrig("run", "--rig", "rig.yaml", "--hub", "azure", "--spec", "provisioning/key-forms", "--out", "lost")
		s := c.record("lost").Devices[0].Specs[0]
		if cause := s.Cause + s.Message; code != 3 || s.Verdict != record.Error || !s.Class.Rig() || !strings.Contains(cause, x.says) || !strings.Contains(cause, x.cure) {
			t.Errorf("%s: exit code %d, %s (%s): %q\nwant %q, cure %q\n%s", x.name, code, s.Verdict, s.Class, cause, x.says, x.cure, out)
		}
		if left := c.hub.Devices(); len(left) > 0 {
			t.Errorf("%s: left behind: %v\n%s", x.name, left, out)
		}
	}
}
