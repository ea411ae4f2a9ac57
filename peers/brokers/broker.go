package brokers

import (
	"context"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// Broker is one that runs.
type Broker struct {
	Dir     string // with root.pem, server.crt, server.key and log
	Address string // localhost:PORT
	Port    string
	Root    *Issued // signs what it presents

	t       testing.TB
	command func() *exec.Cmd
	process *exec.Cmd
}

// prepare makes all that a broker needs before it starts.
func prepare(t testing.TB, files map[string][]byte) *Broker {
	t.Helper()
	b := &Broker{t: t, Dir: t.TempDir(), Root: IssueRSA(t, "root of the broker", nil), Port: freePort(t)}
	b.Address = net.JoinHostPort("localhost", b.Port)
	server := IssueRSA(t, "localhost", b.Root)
	Write(t, b.Dir, "root.pem", b.Root.PEM())
	Write(t, b.Dir, "server.crt", server.PEM())
	Write(t, b.Dir, "server.key", server.KeyPEM(t))
	for name, data := range files {
		Write(t, b.Dir, name, data)
	}
	return b
}

// freePort is one that nobody has, of those that systems do not hand out: what
// dials meanwhile does not get it, neither before the broker starts nor while it
// is away.
func freePort(t testing.TB) string {
	t.Helper()
	var last error
	for range 100 {
		port := strconv.Itoa(firstPort + rand.IntN(ports))
		free, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
		if err == nil {
			_ = free.Close() // only to find it
			return port
		}
		last = err
	}
	t.Fatal(last)
	return ""
}

// Systems hand out ports from 32768 on (Linux) or 49152 (others, RFC 6335).
const (
	firstPort = 10000
	ports     = 20000
)

// run starts a broker by this command, now and whenever it is started again.
func (b *Broker) run(command func() *exec.Cmd) *Broker {
	b.t.Helper()
	b.command = command
	b.Start()
	b.t.Cleanup(b.Kill)
	return b
}

// Start is over once it listens.
func (b *Broker) Start() {
	b.t.Helper()
	log, err := os.OpenFile(filepath.Join(b.Dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = log.Close() }() // the process has its own
	b.process = b.command()
	b.process.Dir, b.process.Stdout, b.process.Stderr = b.Dir, log, log
	if err := b.process.Start(); err != nil {
		b.t.Fatal(err)
	}
	b.AwaitPort()
}

// AwaitPort waits until somebody listens.
func (b *Broker) AwaitPort() {
	b.t.Helper()
	awaitPort(b.t, b.Address, b.Log)
}

func awaitPort(t testing.TB, address string, log func() []byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for ctx.Err() == nil {
		if conn, err := net.Dial("tcp", address); err == nil {
			_ = conn.Close()
			return
		}
		time.Sleep(10 * time.Millisecond) // not every broker says when it listens
	}
	t.Fatalf("nobody listens at %s:\n%s", address, log())
}

// Log is what the broker has said.
func (b *Broker) Log() []byte {
	text, _ := os.ReadFile(filepath.Join(b.Dir, "log"))
	return text
}

// Kill ends it without a word, as a power failure would.
func (b *Broker) Kill() {
	_ = b.process.Process.Kill() // it may have ended by itself
	_ = b.process.Wait()
}
