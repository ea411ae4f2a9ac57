//go:build unix

package cli

import (
	"bufio"
	"bytes"
	"strings"
	"testing"

	"hilrig/peers/brokers"
	"hilrig/record"
)

// The cable of the observer alone is pulled, while the device goes on at the
// broker: nobody is told, and no device is judged by what nobody
// saw. The specs behind are asked once the cable is back; where it is not, they
// are not run, for that one cause.
func TestTheObserversCableIsPulled(t *testing.T) {
	t.Parallel()
	for name, back := range map[string]bool{"and put back": true, "for good": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := brokers.Mosquitto(t, "allow_anonymous true", nil)
			cable := brokers.NewCable(t, b.Address)
			s := rigAt(t, b, `hub: {kind: broker, url: "ssl://`+cable.Address+`", root: root.pem}`+strings.Replace(quick, "emulated: {}", "path: board", 1))
			s.emulates(b.Address)
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

// emulates runs a device by itself that knows the broker by another address than
// the rig, with its line at board.
func (s *atBroker) emulates(at string) {
	s.Helper()
	c := s.hilrig("emulate", "--link", "board", "--hub", at)
	out, err := c.StdoutPipe()
	if err != nil {
		s.Fatal(err)
	}
	if err := c.Start(); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = c.Wait() }) // its context has ended
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		s.Fatalf("%q: %v", line, err)
	}
}
