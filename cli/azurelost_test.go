//go:build linux

package cli

import (
	"path/filepath"
	"strings"
	"testing"

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
