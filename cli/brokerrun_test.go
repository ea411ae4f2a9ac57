//go:build unix

package cli

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hilrig/peers/brokers"
	"hilrig/record"
)

// atBroker is a folder with a rig file whose hub is a broker.
type atBroker struct {
	*testing.T
	dir string
	env []string
}

func rigAt(t *testing.T, b *brokers.Broker, rig string, env ...string) *atBroker {
	t.Helper()
	s := &atBroker{T: t, dir: t.TempDir(), env: env}
	brokers.Write(t, s.dir, "root.pem", b.Root.PEM())
	brokers.Write(t, s.dir, "rig.yaml", []byte(strings.ReplaceAll(rig, "BROKER", "ssl://"+b.Address)))
	return s
}

// hilrig is a command in the folder.
func (s *atBroker) hilrig(args ...string) *exec.Cmd {
	c := exec.CommandContext(s.Context(), "hilrig", args...)
	c.Dir, c.Env = s.dir, append(append(os.Environ(), "HILRIG_STATE="+filepath.Join(s.dir, "state")), s.env...)
	c.Cancel, c.WaitDelay = func() error { return c.Process.Signal(os.Interrupt) }, 10*time.Second
	return c
}

// run is a run to its end, with what it has printed.
func (s *atBroker) run(code int, args ...string) (*record.Record, string) {
	s.Helper()
	c := s.hilrig(append([]string{"run", "--rig", "rig.yaml", "--out", "runs"}, args...)...)
	out, _ := c.CombinedOutput() // the code says whether it went well
	if got := c.ProcessState.ExitCode(); got != code {
		s.Fatalf("run %s: exit code %d, want %d\n%s", strings.Join(args, " "), got, code, out)
	}
	return s.latest(), string(out)
}

func (s *atBroker) latest() *record.Record {
	s.Helper()
	r, err := record.Load(filepath.Join(s.dir, "runs", "latest", "run.json"))
	if err != nil {
		s.Fatal(err)
	}
	return r
}

// nowhere demands that no file below a folder of the rig holds a text, but those
// that are meant to.
func (s *atBroker) nowhere(text string, in string) {
	s.Helper()
	err := filepath.WalkDir(filepath.Join(s.dir, in), func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(text)) {
			s.Errorf("%s holds %q", path, text)
		}
		return err
	})
	if err != nil {
		s.Error(err)
	}
}

// verdicts are those of a device, by spec.
func verdicts(t *testing.T, r *record.Record, device string) map[string]record.SpecResult {
	t.Helper()
	d := r.Device(device)
	if d == nil {
		t.Fatalf("no %s in the record", device)
	}
	all := map[string]record.SpecResult{}
	for _, s := range d.Specs {
		all[s.ID] = s
	}
	return all
}

// An emulated device with a user name and a password of its own goes through the
// core flow at brokers that nobody here wrote: what they show passes, and for the
// rest it is said why it cannot be asked there.
func TestTheCoreFlowAtOtherBrokers(t *testing.T) {
	t.Parallel()
	const rig = `
hub: {kind: broker, url: "BROKER", root: root.pem, observer: {user: board, password_file: secret}}
types:
  theirs:
    mqtt: {user_name: board, password_env: BOARD_PASSWORD}
    commands: {connect: CONNECT}
    console: {recover: {quiet: 50ms}}
    timing: {connect_within: 15s, publish_within: 15s, interval: 500ms, reconnect_within: 15s, abort_within: 2s}
devices:
  - {name: emu-1, device_id: NewDevice, type: theirs, serial: {emulated: {}}}
`
	for name, start := range map[string]func(t testing.TB, user, password string) *brokers.Broker{
		"Aedes": brokers.Aedes, "RabbitMQ": brokers.RabbitMQ,
		"mosquitto": func(t testing.TB, user, password string) *brokers.Broker {
			return brokers.Mosquitto(t, "password_file %[1]s/passwords", map[string][]byte{"passwords": brokers.Passwords(t, user, password)})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := rigAt(t, start(t, "board", "swordfish"), rig, "BOARD_PASSWORD=swordfish")
			brokers.Write(t, s.dir, "secret", []byte("swordfish\n"))
			r, out := s.run(0, "--label-filter", "core")
			passed := 0
			for id, v := range verdicts(t, r, "emu-1") {
				switch v.Verdict {
				case record.Pass:
					passed++
				case record.NotApplicable:
					if v.Cause == "" {
						t.Errorf("%s: nobody says why it is not applicable", id)
					}
				default:
					t.Errorf("%s: %s: %s%s", id, v.Verdict, v.Message, v.Cause)
				}
			}
			if passed != 18 || strings.Contains(out, "swordfish") {
				t.Errorf("%d passed\n%s", passed, out)
			}
			s.nowhere("swordfish", "runs")
			s.nowhere("swordfish", "state")
		})
	}
}
