//go:build unix

package cli

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"hilrig/peers"
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

// quick is a type of emulated devices that a broker knows by nothing.
const quick = `
types:
  quick:
    commands: {connect: CONNECT}
    console: {recover: {quiet: 50ms}}
    timing: {connect_within: 5s, publish_within: 5s, interval: 500ms, reconnect_within: 5s, abort_within: 2s}
devices:
  - {name: emu-1, device_id: NewDevice, type: quick, serial: {emulated: {}}}
`

// One run goes over the local hub and a broker, each with an entry of its own;
// a hub that is not there costs the others nothing.
func TestOneRunOverTheLocalHubAndABroker(t *testing.T) {
	t.Parallel()
	s := rigAt(t, brokers.Mosquitto(t, "allow_anonymous true", nil), `
hubs:
  local: {kind: local}
  gone: {kind: broker, url: "ssl://localhost:1", root: root.pem}
  mosq: {kind: broker, url: "BROKER", root: root.pem}
`+quick)
	r, out := s.run(3, "--hub", "local", "--hub", "gone", "--hub", "mosq", "--spec", "delivery/first-message", "--spec", "session/protocol")
	for entry, want := range map[string][2]record.Verdict{
		"emu-1@local": {record.Pass, record.Pass},
		"emu-1@gone":  {record.NotRun, record.NotRun},
		"emu-1@mosq":  {record.Pass, record.NotApplicable},
	} {
		v := verdicts(t, r, entry)
		if got := [2]record.Verdict{v["delivery/first-message"].Verdict, v["session/protocol"].Verdict}; got != want {
			t.Errorf("%s: %s, want %s\n%s", entry, got, want, out)
		}
	}
	if d := r.Device("emu-1@gone"); d != nil && d.Class != record.RigHub {
		t.Errorf("the hub that is not there: %s: %s", d.Class, d.Cause)
	}
	junit, err := os.ReadFile(filepath.Join(s.dir, "runs", "latest", "junit.xml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"hilrig.quick.emu-1@local.delivery", "hilrig.quick.emu-1@mosq.delivery"} {
		if !bytes.Contains(junit, []byte(`classname="`+name+`"`)) {
			t.Errorf("junit.xml has no %s", name)
		}
	}
}

// A broker that goes away in the middle is the rig's failure. The specs behind
// are asked once it is back, and where it is gone for good, not at all and for
// that one cause.
func TestABrokerGoesAwayInTheMiddle(t *testing.T) {
	t.Parallel()
	for name, back := range map[string]bool{"and is back": true, "for good": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := brokers.Mosquitto(t, "allow_anonymous true", nil)
			s := rigAt(t, b, `hub: {kind: broker, url: "BROKER", root: root.pem}`+quick)
			c := s.hilrig("run", "--rig", "rig.yaml", "--out", "runs", "--spec", "delivery/first-message", "--spec", "delivery/no-loss", "--spec", "recovery/server-disconnect", "--spec", "delivery/payload")
			var out bytes.Buffer
			c.Stdout, c.Stderr = &out, &out
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			s.await(`"kind":"spec.started","spec":"delivery/no-loss"`)
			b.Kill()
			if back {
				s.await(`"kind":"spec.finished","spec":"delivery/no-loss"`)
				b.Start()
			}
			_ = c.Wait() // its code says how it went
			if code := c.ProcessState.ExitCode(); code != 3 {
				t.Errorf("exit code %d\n%s", code, &out)
			}
			v := verdicts(t, s.latest(), "emu-1")
			if hit := v["delivery/no-loss"]; hit.Verdict != record.Error || hit.Class != record.RigHub {
				t.Errorf("the spec that it hit: %s %s: %s", hit.Verdict, hit.Class, hit.Message)
			}
			behind := v["recovery/server-disconnect"]
			switch {
			case back && behind.Verdict != record.Pass:
				t.Errorf("the spec behind: %s: %s%s", behind.Verdict, behind.Message, behind.Cause)
			case !back && (behind.Verdict != record.NotRun || behind.Class != record.RigHub || !strings.Contains(behind.Cause, "nothing is seen since")):
				t.Errorf("the spec behind: %s %s: %s", behind.Verdict, behind.Class, behind.Cause)
			}
		})
	}
}

// await waits until the run has told something.
func (s *atBroker) await(text string) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), 2*time.Minute)
	defer cancel()
	for ctx.Err() == nil {
		names, _ := filepath.Glob(filepath.Join(s.dir, "runs", "2*", "events.jsonl")) // the pattern is ours
		for _, name := range names {
			if data, err := os.ReadFile(name); err == nil && bytes.Contains(data, []byte(text)) {
				return
			}
		}
		time.Sleep(10 * time.Millisecond) // the run tells by this file alone
	}
	s.Fatalf("the run never told %s", text)
}

// What is wrong at the broker is named, and is never the device's fault.
func TestABrokerThatIsWronglySetUp(t *testing.T) {
	t.Parallel()
	other := brokers.Issue(t, "another root", nil)
	for name, c := range map[string]struct {
		lines, acl, observer string
		root                 []byte
		says                 string
	}{
		"a root that does not sign": {lines: "allow_anonymous true", root: other.PEM(), says: `the root "CN=another root" does not sign it`},
		"an observer with another password": {lines: "password_file %[1]s/passwords", observer: "observer: {user: stranger, password_file: secret}",
			says: "the broker does not know the observer"},
		"an ACL that hides the topic": {lines: "password_file %[1]s/passwords\nacl_file %[1]s/acl", acl: "user rig\ntopic write #\n", observer: "observer: {user: rig, password_file: secret}",
			says: "ACL must let the observer read devices/NewDevice/messages/events/"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := brokers.Mosquitto(t, c.lines, map[string][]byte{"passwords": brokers.Passwords(t, "rig", "swordfish"), "acl": []byte(c.acl)})
			s := rigAt(t, b, "hub: {kind: broker, url: \"BROKER\", root: root.pem, "+c.observer+"}"+quick)
			brokers.Write(t, s.dir, "secret", []byte("swordfish"))
			if c.root != nil {
				brokers.Write(t, s.dir, "root.pem", c.root)
			}
			r, out := s.run(3, "--label-filter", "smoke")
			if d := r.Device("emu-1"); d.Class != record.RigHub || !strings.Contains(d.Cause, c.says) || strings.Contains(out, "swordfish") {
				t.Errorf("%s: %s, want %q\n%s", d.Class, d.Cause, c.says, out)
			}
		})
	}
}

// What was retained yesterday is told apart: a device that sends nothing is red
// with it on its topic as without, and it is on the timeline.
func TestWhatLiesOnTheTopicIsNoMessage(t *testing.T) {
	t.Parallel()
	b := brokers.Mosquitto(t, "allow_anonymous true", nil)
	s := rigAt(t, b, `hub: {kind: broker, url: "BROKER", root: root.pem}`+quick)
	pub := exec.CommandContext(t.Context(), peers.Find(t, "mosquitto_pub"), "-h", "localhost", "-p", b.Port, "--cafile", "root.pem",
		"-t", "devices/NewDevice/messages/events/", "-m", "of yesterday", "-r", "-q", "1")
	pub.Dir = b.Dir
	if out, err := pub.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	r, out := s.run(1, "--spec", "delivery/first-message", "--fault", "no-publish")
	if v := verdicts(t, r, "emu-1")["delivery/first-message"]; v.Verdict != record.Fail {
		t.Errorf("%s\n%s", v.Verdict, out)
	}
	s.await(`"kind":"leftover"`)
}

// Somebody else who publishes on the device's topic is named, and nothing that is
// found then is the device's.
func TestAnotherDevicePublishesOnTheTopic(t *testing.T) {
	t.Parallel()
	b := brokers.Mosquitto(t, "allow_anonymous true", nil)
	s := rigAt(t, b, `hub: {kind: broker, url: "BROKER", root: root.pem}`+strings.Replace(quick, "    commands:", "    payload: {sequence: /seq}\n    commands:", 1))
	anotherSends(t, b, `{"seq": %d}`, 500*time.Millisecond)
	r, out := s.run(3, "--label-filter", "core")
	named := false
	for _, v := range r.Device("emu-1").Specs {
		named = named || v.Class == record.RigHub && strings.Contains(v.Message+v.Cause, "two devices publish there")
		if v.Verdict == record.Fail || v.Verdict == record.NotRun && v.Class == record.ClassDevice {
			t.Errorf("%s is booked on the device: %s%s", v.ID, v.Message, v.Cause)
		}
	}
	if !named {
		t.Errorf("nobody names it:\n%s", out)
	}
}

// anotherSends has somebody else publish on the device's topic until the test
// ends; %d in a message is its number.
func anotherSends(t *testing.T, b *brokers.Broker, message string, every time.Duration) {
	t.Helper()
	pub := exec.CommandContext(t.Context(), peers.Find(t, "mosquitto_pub"), "-h", "localhost", "-p", b.Port, "--cafile", "root.pem",
		"-t", "devices/NewDevice/messages/events/", "-l", "-q", "1")
	pub.Dir = b.Dir
	lines, err := pub.StdinPipe()
	if err == nil {
		err = pub.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := 5000; ; n++ {
			if _, err := fmt.Fprintln(lines, strings.ReplaceAll(message, "%d", strconv.Itoa(n))); err != nil {
				return // it was ended
			}
			time.Sleep(every)
		}
	}()
	t.Cleanup(func() { _ = pub.Process.Kill(); _ = pub.Wait(); <-done })
}

// A second board that sends no counter nobody can tell from the first, and what is
// found wrong in their messages says so.
func TestAnotherDeviceWithoutACounter(t *testing.T) {
	t.Parallel()
	b := brokers.Mosquitto(t, "allow_anonymous true", nil)
	s := rigAt(t, b, `hub: {kind: broker, url: "BROKER", root: root.pem}`+strings.Replace(quick, "    commands:", "    payload: {sequence: /seq}\n    commands:", 1))
	anotherSends(t, b, `{"temperature": 21.5}`, 20*time.Millisecond)
	r, out := s.run(1, "--spec", "delivery/payload")
	if v := verdicts(t, r, "emu-1")["delivery/payload"]; v.Verdict != record.Fail || !strings.Contains(v.Look, "a second board on the topic") {
		t.Errorf("%s: %s\n%s", v.Verdict, v.Look, out)
	}
}

// What the run has made a broker know and cannot make it forget is told, and
// the next run removes it by the command as it was mended.
func TestWhatCannotBeRemovedIsTold(t *testing.T) {
	t.Parallel()
	b := brokers.Mosquitto(t, "allow_anonymous true", nil)
	at := func(remove string) string {
		return strings.ReplaceAll(`hub: {kind: broker, url: "BROKER", root: root.pem, register: {add: [touch, "{thumbprint}.in"], remove: [`+remove+`, "{thumbprint}.in"]}}`+quick, "BROKER", "ssl://"+b.Address)
	}
	s := rigAt(t, b, at(`"false"`))
	_, out := s.run(0, "--spec", "delivery/first-message")  // the device is judged all the same
	known, _ := filepath.Glob(filepath.Join(s.dir, "*.in")) // the pattern is ours
	if len(known) != 1 {
		t.Fatalf("added %q\n%s", known, out)
	}
	if thumbprint := strings.TrimSuffix(filepath.Base(known[0]), ".in"); !strings.Contains(out, thumbprint) {
		t.Errorf("nobody says that the broker still knows %s\n%s", thumbprint, out)
	}
	brokers.Write(t, s.dir, "rig.yaml", []byte(at("rm")))
	s.run(0, "--spec", "delivery/first-message")
	if known, _ := filepath.Glob(filepath.Join(s.dir, "*.in")); len(known) != 0 {
		t.Errorf("left: %q", known)
	}
}

// A device with an identity that nobody may replace is tested with it: nothing
// is added at the broker, and nothing removed.
func TestAFixedIdentityAtABroker(t *testing.T) {
	t.Parallel()
	me, own := brokers.Issue(t, "observer", nil), brokers.IssueRSA(t, "NewDevice", nil)
	b := brokers.Mosquitto(t, "cafile %[1]s/clients.pem\nrequire_certificate true\nuse_identity_as_username true", map[string][]byte{"clients.pem": append(me.PEM(), own.PEM()...)})
	s := rigAt(t, b, `
hub: {kind: broker, url: "BROKER", root: root.pem, observer: {certificate: observer.pem, key: observer.key}, register: {add: [touch, added], remove: [touch, removed]}}
`+strings.Replace(quick, "type: quick,", "type: quick, identity: {certificate: own.pem, key: own.key},", 1))
	for name, data := range map[string][]byte{"observer.pem": me.PEM(), "observer.key": me.KeyPEM(t), "own.pem": own.PEM(), "own.key": own.KeyPEM(t)} {
		brokers.Write(t, s.dir, name, data)
	}
	r, out := s.run(0, "--spec", "provisioning/key", "--spec", "identity/registered", "--spec", "delivery/first-message", "--spec", "recovery/server-disconnect")
	for id, want := range map[string]record.Verdict{
		"provisioning/key": record.Pass, "delivery/first-message": record.Pass, "recovery/server-disconnect": record.Pass, "identity/registered": record.NotApplicable,
	} {
		if v := verdicts(t, r, "emu-1")[id]; v.Verdict != want {
			t.Errorf("%s: %s, want %s: %s%s\n%s", id, v.Verdict, want, v.Message, v.Cause, out)
		}
	}
	for _, name := range []string{"added", "removed"} {
		if _, err := os.Stat(filepath.Join(s.dir, name)); err == nil {
			t.Errorf("the command of the rig ran: %s", name)
		}
	}
}
