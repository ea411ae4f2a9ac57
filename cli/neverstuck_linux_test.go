package cli

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"hilrig/record"
)

// unread is a pipe that is full, and that nobody reads.
func unread(t *testing.T) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close(); _ = w.Close() })
	fd := int(w.Fd()) // asking for it makes the pipe block
	if err := unix.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	for b := make([]byte, 4096); err == nil; {
		_, err = unix.Write(fd, b)
	}
	if err := unix.SetNonblock(fd, false); err != nil {
		t.Fatal(err)
	}
	return w
}

// process is a hilrig of its own.
type process struct {
	*exec.Cmd
	dir string
}

func start(t *testing.T, stdout, stderr *os.File, args ...string) *process {
	t.Helper()
	dir := t.TempDir()
	p := &process{exec.Command("hilrig", args...), dir}
	p.Dir, p.Env = dir, append(os.Environ(), "HILRIG_STATE="+filepath.Join(dir, "state"))
	if stdout != nil {
		p.Stdout = stdout
	}
	if stderr != nil {
		p.Stderr = stderr
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill() })
	return p
}

// ends demands that it ends by itself, with this code.
func (p *process) ends(t *testing.T, code int) {
	t.Helper()
	stuck := time.AfterFunc(60*time.Second, func() { _ = p.Process.Kill() })
	_ = p.Wait() // its code says it
	if !stuck.Stop() {
		t.Fatal("it does not end")
	}
	if got := p.ProcessState.ExitCode(); got != code {
		t.Errorf("exit code %d, want %d", got, code)
	}
}

func (p *process) signal(t *testing.T, signals ...syscall.Signal) {
	t.Helper()
	for _, s := range signals {
		if err := p.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond) // two at once are one to the kernel
	}
}

// comesTo waits until the run's events hold a text, and returns them.
func (p *process) comesTo(t *testing.T, text string) string {
	t.Helper()
	return comesTo(t, filepath.Join(p.dir, "reports/out"), text)
}

func comesTo(t *testing.T, out, text string) string {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		names, _ := filepath.Glob(filepath.Join(out, "2*/events.jsonl"))
		for _, name := range names {
			if data, err := os.ReadFile(name); err == nil && strings.Contains(string(data), text) {
				return string(data)
			}
		}
	}
	t.Fatalf("the run never came to %s", text)
	return ""
}

func (p *process) record(t *testing.T) *record.Record {
	t.Helper()
	r, err := record.Load(filepath.Join(p.dir, "reports/out/latest/run.json"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// childOf is the process of a run's one device.
func childOf(t *testing.T, events string) int {
	t.Helper()
	m := regexp.MustCompile(`"kind":"child.started","text":"process (\d+)"`).FindStringSubmatch(events)
	if m == nil {
		t.Fatal("no child was started")
	}
	pid, err := strconv.Atoi(m[1])
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func awaitGone(t *testing.T, pid int) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); syscall.Kill(pid, 0) == nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("process %d is left", pid)
		}
	}
}

// A reader that takes nothing, of either stream, keeps nothing from a run: its
// end, its time, an interrupt, SIGTERM.
func TestNobodyWhoDoesNotReadHoldsARunUp(t *testing.T) {
	long := []string{"run", "--spec", "identity/key-pair", "--repeat", "100"}
	for _, c := range []struct {
		name    string
		args    []string
		signals []syscall.Signal
		code    int
	}{
		{"to the end", []string{"run", "--json", "--spec", "identity/*"}, nil, 0},
		{"lines, to the end", []string{"run", "--spec", "identity/*"}, nil, 0},
		{"time over", append(long, "--json", "--timeout", "4s"), nil, 3},
		{"interrupt", append(long, "--json"), []syscall.Signal{syscall.SIGINT}, 130},
		{"lines, interrupt", long, []syscall.Signal{syscall.SIGINT}, 130},
		{"terminated", append(long, "--json"), []syscall.Signal{syscall.SIGTERM}, 130},
		{"two interrupts", append(long, "--json"), []syscall.Signal{syscall.SIGINT, syscall.SIGINT}, 130},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := start(t, unread(t), unread(t), c.args...)
			if c.signals != nil {
				awaitRun(t, p)
				p.signal(t, c.signals...)
			}
			p.ends(t, c.code)
			twice := len(c.signals) > 1 // then a slow host may have had no time for the end
			if r := p.record(t); r.Unended() != "" && !twice || r.Run.Interrupted != (c.signals != nil) {
				t.Errorf("%q, interrupted %t", r.Unended(), r.Run.Interrupted)
			}
		})
	}
}

// awaitRun waits until a run of rounds has begun one.
func awaitRun(t *testing.T, p *process) {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if names, _ := filepath.Glob(filepath.Join(p.dir, "reports/out/2*/round-01/events.jsonl")); len(names) > 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatal("no round was begun")
		}
	}
}

const hangingPower = `devices:
  - name: board
    device_id: NewDevice
    hub_port: %s
    serial: {path: tty}
    power: {"on": [sh, -c, "trap '' TERM INT; echo $$ > power.pid; sleep 600 & wait; wait"], "off": ["true"]}
`

// Whatever hangs, a second interrupt ends the process, and what it has started
// with it; what can be written is.
func TestASecondInterruptEndsWhateverHangs(t *testing.T) {
	t.Run("the child", func(t *testing.T) {
		t.Parallel()
		p := start(t, unread(t), unread(t), "run", "--json")
		child := childOf(t, p.comesTo(t, `"kind":"spec.started"`))
		if err := syscall.Kill(child, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		p.signal(t, syscall.SIGINT, syscall.SIGINT)
		p.ends(t, 130)
		awaitGone(t, child)
		if r := p.record(t); !r.Run.Interrupted || r.Run.Verdict.Green() { // a slow host may have had no time for its end
			t.Errorf("%q, interrupted %t, %s", r.Unended(), r.Run.Interrupted, r.Run.Verdict)
		}
	})
	t.Run("a power command", func(t *testing.T) {
		t.Parallel()
		master, tty, err := pty.Open()
		if err != nil {
			t.Fatal(err)
		}
		defer master.Close()
		defer tty.Close()
		p := &process{dir: t.TempDir()}
		rig := strings.Replace(fmt.Sprintf(hangingPower, "0"), "path: tty", "path: "+tty.Name(), 1)
		rig = strings.Replace(rig, "    hub_port: 0\n", "", 1)
		if err := os.WriteFile(filepath.Join(p.dir, "rig.yaml"), []byte(rig), 0o600); err != nil {
			t.Fatal(err)
		}
		p.Cmd = exec.Command("hilrig", "run", "--json", "--rig", "rig.yaml", "--spec", "identity/key-pair")
		p.Dir, p.Env = p.dir, append(os.Environ(), "HILRIG_STATE="+filepath.Join(p.dir, "state"))
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = p.Process.Kill() })
		pid := 0
		for end := time.Now().Add(60 * time.Second); pid == 0 && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			if data, err := os.ReadFile(filepath.Join(p.dir, "power.pid")); err == nil {
				pid, _ = strconv.Atoi(strings.TrimSpace(string(data)))
			}
		}
		if pid == 0 {
			t.Fatal("the power command was never started")
		}
		p.signal(t, syscall.SIGINT, syscall.SIGINT)
		p.ends(t, 130)
		awaitGone(t, pid)
		if r := p.record(t); !r.Run.Interrupted || r.Run.Verdict.Green() {
			t.Errorf("%q, %s", r.Unended(), r.Run.Verdict)
		}
	})
	t.Run("a hub that nobody reads", func(t *testing.T) {
		t.Parallel()
		p := start(t, unread(t), unread(t), "hub", "--listen", "127.0.0.1:0", "--root-out", "root.pem")
		awaitFile(t, filepath.Join(p.dir, "root.pem"))
		p.signal(t, syscall.SIGINT, syscall.SIGINT)
		p.ends(t, 130)
	})
}

func awaitFile(t *testing.T, name string) {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(name); err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s never came", name)
		}
	}
}

// 2 promises that no device was touched; Go itself ends so at SIGQUIT.
func TestSIGQUITEndsWithThreeAndTheRecordSaysSo(t *testing.T) {
	t.Parallel()
	log, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, nil, log, "run", "--json")
	child := childOf(t, p.comesTo(t, `"kind":"spec.started"`))
	p.signal(t, syscall.SIGQUIT)
	p.ends(t, 3)
	r := p.record(t)
	if r.Run.Broke != "SIGQUIT" || r.Run.Verdict != record.NotRun || !r.Run.Ended.IsZero() {
		t.Errorf("broke %q, verdict %s, ended %s", r.Run.Broke, r.Run.Verdict, r.Run.Ended)
	}
	said, err := os.ReadFile(log.Name())
	if err != nil || !strings.HasPrefix(string(said), "fatal error: SIGQUIT\n") || !strings.Contains(string(said), "goroutine ") {
		t.Errorf("on standard error: %v %.200s", err, said)
	}
	awaitGone(t, child)
}

func TestSIGQUITOfAChildIsTheHarnesss(t *testing.T) {
	t.Parallel()
	p := start(t, nil, nil, "run", "--json")
	if err := syscall.Kill(childOf(t, p.comesTo(t, `"kind":"spec.started"`)), syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	p.ends(t, 3)
	d := p.record(t).Devices[0]
	if d.Class != record.Harness || !strings.Contains(d.Cause, "exit code 3") || !strings.Contains(d.Cause, "SIGQUIT") {
		t.Errorf("%s: %s", d.Class, d.Cause)
	}
}

// An emulated device that is gone is no device that does not answer.
func TestADeadEmulatorIsTheHarnesss(t *testing.T) {
	t.Parallel()
	p := start(t, nil, nil, "run", "--json", "--spec", "identity/key-pair", "--spec", "provisioning/root", "--spec", "provisioning/key")
	p.comesTo(t, `"kind":"transfer"`)
	kill(t, filepath.Join(p.dir, "state", "emulated"))
	p.ends(t, 3)
	said := ""
	for _, s := range p.record(t).Devices[0].Specs {
		if s.Verdict == record.Fail || s.Class == record.ClassDevice {
			t.Errorf("%s: %s (%s) %s%s", s.ID, s.Verdict, s.Class, s.Message, s.Cause)
		}
		said += s.Message + s.Cause
	}
	if !strings.Contains(said, "run emulated device: its process ended by itself") {
		t.Errorf("said: %s", said)
	}
}

// kill kills the processes of whose command line text is a part.
func kill(t *testing.T, text string) {
	t.Helper()
	names, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	killed := 0
	for _, name := range names {
		if data, err := os.ReadFile(name); err == nil && strings.Contains(string(data), text) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			_ = syscall.Kill(pid, syscall.SIGKILL)
			killed++
		}
	}
	if killed == 0 {
		t.Fatal("nothing to kill")
	}
}

// serves makes so many handshakes with a hub at an address.
func serves(t *testing.T, address string, n int) {
	t.Helper()
	for range n {
		raw, err := net.DialTimeout("tcp", address, 20*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		_ = raw.SetDeadline(time.Now().Add(20 * time.Second))
		c := tls.Client(raw, &tls.Config{ServerName: "localhost", InsecureSkipVerify: true}) //nolint:gosec // it is served at all
		if err := c.Handshake(); err != nil {
			t.Fatalf("the hub does not serve: %v", err)
		}
		_ = c.Close()
	}
}

func TestAHubThatNobodyReadsServes(t *testing.T) {
	t.Parallel()
	port := freeAddress(t)
	p := start(t, unread(t), nil, "hub", "--listen", port, "--root-out", "root.pem")
	awaitFile(t, filepath.Join(p.dir, "root.pem"))
	serves(t, port, 20)
	p.signal(t, syscall.SIGINT)
	p.ends(t, 130)
}

// As in `hilrig hub | head -1`.
func TestAHubWhoseReaderGoesAwaySaysSoAndServes(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	port := freeAddress(t)
	p := start(t, w, log, "hub", "--listen", port)
	_ = w.Close()
	line, err := bufio.NewReaderSize(r, 64<<10).ReadString('\n')
	var ready struct{ Event string }
	if json.Unmarshal([]byte(line), &ready) != nil || ready.Event != "ready" {
		t.Fatalf("%v, %s", err, line)
	}
	_ = r.Close()
	serves(t, port, 5)
	p.signal(t, syscall.SIGINT)
	p.ends(t, 130)
	said, err := os.ReadFile(log.Name())
	if n := strings.Count(string(said), "standard output takes nothing more (write /dev/stdout: broken pipe): going on without it\n"); err != nil || n != 1 {
		t.Errorf("said %d times: %s", n, said)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
