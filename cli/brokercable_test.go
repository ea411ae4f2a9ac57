//go:build unix

package cli

import (
	"bytes"
	"strings"
	"testing"

	"hilrig/peers/brokers"
	"hilrig/record"
)

// The cable of the observer alone is pulled, while the device goes on at the
// broker behind a tap: nobody is told, and no device is judged by what nobody
// saw. The specs behind are asked once the cable is back; where it is not, they
// are not run, for that one cause.
func TestTheObserversCableIsPulled(t *testing.T) {
	t.Parallel()
	for name, back := range map[string]bool{"and put back": true, "for good": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := brokers.Mosquitto(t, "allow_anonymous true", nil)
			cable := brokers.NewCable(t, b.Address)
			s := rigAt(t, b, `hub: {kind: broker, url: "ssl://`+cable.Address+`", root: root.pem, tap: {to: "127.0.0.1:`+b.Port+`"}}`+
				strings.Replace(quick, "type: quick,", "type: quick, listen: 127.0.0.2,", 1))
			c := s.hilrig("run", "--rig", "rig.yaml", "--out", "runs", "--spec", "delivery/first-message", "--spec", "delivery/no-loss", "--spec", "recovery/server-disconnect")
			var out bytes.Buffer
			c.Stdout, c.Stderr = &out, &out
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			s.await(`"kind":"spec.started","spec":"delivery/no-loss"`)
			cable.Pull()
			if back {
				s.await(`"kind":"spec.finished","spec":"delivery/no-loss"`)
				cable.Plug()
			}
			_ = c.Wait() // its code says how it went
			if code := c.ProcessState.ExitCode(); code != 3 {
				t.Errorf("exit code %d\n%s", code, &out)
			}
			v := verdicts(t, s.latest(), "emu-1")
			if hit := v["delivery/no-loss"]; hit.Verdict != record.Error || hit.Class != record.RigHub || len(hit.Attempts) != 1 {
				t.Errorf("the spec that it hit: %s %s: %s", hit.Verdict, hit.Class, hit.Message)
			}
			behind := v["recovery/server-disconnect"]
			switch {
			case back && (behind.Verdict != record.Pass || len(behind.Attempts) != 1):
				t.Errorf("the spec behind: %s: %s%s", behind.Verdict, behind.Message, behind.Cause)
			case !back && (behind.Verdict != record.NotRun || behind.Class != record.RigHub || !strings.Contains(behind.Cause, "nothing is seen since")):
				t.Errorf("the spec behind: %s %s: %s", behind.Verdict, behind.Class, behind.Cause)
			}
		})
	}
}
