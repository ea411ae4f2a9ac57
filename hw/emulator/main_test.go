package emulator

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// TestMain lets the test binary be the device, so that its power can be cut.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "emulate" {
		if err := emulate(os.Args[2:], os.Stdin, os.Stdout, os.Stderr); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// emulate is the verb without cobra: the same flags, the same start.
func emulate(args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	var o Options
	fs := pflag.NewFlagSet("emulate", pflag.ContinueOnError)
	Flags(fs, &o)
	if err := fs.Parse(args); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return Start(ctx, o, stdin, stdout, stderr)
}

// board is a device and a person at its terminal.
type board struct {
	t    *testing.T
	port *os.File

	mu   sync.Mutex
	seen []byte
	last time.Time
	more chan struct{}
	from int // what was expected is behind here
}

// start runs a device in this process until the test ends.
func start(t *testing.T, c Config) *board {
	t.Helper()
	ctx, off := context.WithCancel(context.Background())
	ready, ended := make(chan string, 1), make(chan error, 1)
	c.Ready = func(port string) { ready <- port }
	go func() { ended <- Run(ctx, c) }()
	t.Cleanup(func() {
		off()
		if err := <-ended; err != nil {
			t.Errorf("device: %v", err)
		}
	})
	select {
	case port := <-ready:
		return attach(t, port)
	case err := <-ended:
		ended <- nil
		t.Fatalf("device: %v", err)
		return nil
	}
}

// power starts a device as a process of its own; off cuts its power.
func power(t *testing.T, args ...string) (port string, off func()) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, append([]string{"emulate"}, args...)...)
	cmd.Stderr = os.Stderr
	if !testing.Verbose() {
		cmd.Stderr = nil
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	off = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	t.Cleanup(off)
	line, err := bufio.NewReader(out).ReadString('\n')
	var e struct{ Event, Port string }
	if err != nil || json.Unmarshal([]byte(line), &e) != nil || e.Event != "ready" {
		t.Fatalf("not ready: %q %v", line, err)
	}
	return e.Port, off
}

func attach(t *testing.T, port string) *board {
	t.Helper()
	f, err := os.OpenFile(port, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := term.MakeRaw(int(f.Fd())); err != nil {
		t.Fatal(err)
	}
	b := &board{t: t, port: f, more: make(chan struct{}, 1)}
	go b.read()
	t.Cleanup(func() { _ = f.Close() })
	return b
}

func (b *board) read() {
	buf := make([]byte, 4096)
	for {
		n, err := b.port.Read(buf)
		b.mu.Lock()
		b.seen, b.last = append(b.seen, buf[:n]...), time.Now()
		b.mu.Unlock()
		select {
		case b.more <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

func (b *board) send(s string) {
	b.t.Helper()
	if _, err := io.WriteString(b.port, s); err != nil {
		b.t.Fatal(err)
	}
}

// expect waits for a text behind the last one, and gives all up to its end.
func (b *board) expect(text string) string {
	b.t.Helper()
	got, ok := b.await(text, 10*time.Second)
	if !ok {
		b.t.Fatalf("no %q; got %q", text, got)
	}
	return got
}

func (b *board) await(text string, within time.Duration) (got string, ok bool) {
	limit := time.After(within)
	for {
		b.mu.Lock()
		got = string(b.seen[b.from:])
		if i := strings.Index(got, text); i >= 0 {
			got = got[:i+len(text)]
			b.from += len(got)
			b.mu.Unlock()
			return got, true
		}
		b.mu.Unlock()
		select {
		case <-b.more:
		case <-limit:
			return got, false
		}
	}
}

// answers asks until it answers so: a command that comes before a line or a
// boot is ready is lost, as it is on a board.
func (b *board) answers(command, text string) {
	b.t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		b.send(command + "\r")
		if _, ok := b.await(text, 500*time.Millisecond); ok {
			return
		}
	}
	b.t.Fatalf("%s: no %q", command, text)
}

// silent fails if anything comes.
func (b *board) silent(d time.Duration) {
	b.t.Helper()
	if got, _ := b.await("\x00never", d); got != "" {
		b.t.Errorf("got %q, want nothing", got)
	}
}

// load sends a file the guide's way and gives the device's answer.
func (b *board) load(slot, data string) string {
	b.t.Helper()
	b.send("9270," + slot + "\r")
	b.expect("SEND FILE...")
	b.expect("\n")
	b.send(data + "*")
	b.expect("*")
	return strings.TrimSpace(b.expect("\n"))
}

func (b *board) loadOK(slot, data string) {
	b.t.Helper()
	if a := b.load(slot, data); a != okText {
		b.t.Fatalf("slot %s: %q", slot, a)
	}
}

func (b *board) provision(root string, id identity) {
	b.t.Helper()
	b.loadOK("10", root)
	b.loadOK("20", id.cert)
	b.loadOK("30", id.key)
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	want, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s:\ngot  %q\nwant %q", name, got, want)
	}
}
