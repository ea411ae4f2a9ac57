package standin

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"embed"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"hilrig/peers"
)

//go:embed testdata/amqp
var files embed.FS

// within bounds every wait for the script.
const within = 30 * time.Second

// Test is the test that an endpoint lives in.
type Test interface {
	peers.Test
	Context() context.Context
	Cleanup(func())
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	TempDir() string
}

// Endpoint is a running stand-in.
type Endpoint struct {
	Address string // HOST:PORT
	Root    []byte // PEM: signs what it presents

	config script
	t      Test
	in     io.Writer
	errs   *buffer

	mu    sync.Mutex
	seen  []Seen
	done  int           // commands that are answered
	more  chan struct{} // closed at the next line
	ended bool

	commands int
	asking   sync.Mutex // orders commands
}

// Start runs an endpoint until the test ends.
func Start(t Test, c Config) *Endpoint {
	t.Helper()
	program, modules := Modules(t)
	config, root, err := c.script()
	if err != nil {
		t.Fatalf("stand-in: %v", err)
	}
	source, err := files.ReadFile("testdata/amqp/standin.js")
	if err != nil {
		t.Fatalf("stand-in: %v", err)
	}
	at := filepath.Join(t.TempDir(), "standin.js")
	if err := os.WriteFile(at, source, 0o600); err != nil {
		t.Fatalf("stand-in: %v", err)
	}
	node := exec.Command(program, at)
	node.Env = append(os.Environ(), "SDK_MODULES="+modules)
	e := &Endpoint{Root: root, config: config, t: t, errs: &buffer{}, more: make(chan struct{})}
	node.Stderr = e.errs
	in, err := node.StdinPipe()
	if err != nil {
		t.Fatalf("stand-in: %v", err)
	}
	out, err := node.StdoutPipe()
	if err != nil {
		t.Fatalf("stand-in: %v", err)
	}
	if err := node.Start(); err != nil {
		t.Fatalf("stand-in: %v", err)
	}
	e.in = in
	read := make(chan struct{})
	go func() { defer close(read); e.read(out) }()
	t.Cleanup(func() {
		_ = in.Close() // it ends with its standard input
		kill := time.AfterFunc(within, func() { _ = node.Process.Kill() })
		defer kill.Stop()
		<-read
		if err := node.Wait(); err != nil {
			t.Errorf("stand-in: %v\n%s", err, e.errs)
		}
	})
	e.write(config)
	listening := e.Await("listening", func(s Seen) bool { return s.Listening > 0 })
	e.Address = net.JoinHostPort("127.0.0.1", strconv.Itoa(listening.Listening))
	return e
}

// Modules are node and the folder of the packages that the scripts use.
func Modules(t Test) (program, modules string) {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "amqp")
	lock, err := files.ReadFile("testdata/amqp/package-lock.json")
	if err == nil {
		err = os.Mkdir(folder, 0o700)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, "package-lock.json"), lock, 0o600)
	}
	if err != nil {
		t.Fatalf("stand-in: %v", err)
	}
	return peers.Node(t, folder, "AMQP for Node (npm rhea)")
}

// Roots are what a client of it trusts.
func (e *Endpoint) Roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(e.Root)
	return pool
}

// Events is the connection string of its Event Hubs-compatible endpoint.
func (e *Endpoint) Events() string { return e.config.events() }

// Service is the connection string of its hub.
func (e *Endpoint) Service() string { return e.config.service() }

// Await is the next line that match takes, of those that nobody has taken.
func (e *Endpoint) Await(what string, match func(Seen) bool) Seen {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(e.t.Context(), within)
	defer cancel()
	for {
		e.mu.Lock()
		more, ended := e.more, e.ended
		for i, s := range e.seen {
			if match(s) {
				e.seen = append(e.seen[:i:i], e.seen[i+1:]...)
				e.mu.Unlock()
				return s
			}
		}
		e.mu.Unlock()
		if ended {
			e.t.Fatalf("stand-in: it has ended before %s\n%s", what, e.errs)
		}
		select {
		case <-more:
		case <-ctx.Done():
			e.t.Fatalf("stand-in: no %s within %s\n%s", what, within, e.errs)
		}
	}
}

// Seen are the lines that nobody has taken yet.
func (e *Endpoint) Seen() []Seen {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]Seen(nil), e.seen...)
}

// command has the script do something, and waits until it has.
func (e *Endpoint) command(name string, what any) {
	e.t.Helper()
	e.asking.Lock()
	defer e.asking.Unlock()
	e.write(map[string]any{name: what})
	e.commands++
	ctx, cancel := context.WithTimeout(context.WithoutCancel(e.t.Context()), within)
	defer cancel()
	for {
		e.mu.Lock()
		more, done, ended := e.more, e.done, e.ended
		e.mu.Unlock()
		switch {
		case done >= e.commands:
			return
		case ended:
			e.t.Fatalf("stand-in: it has ended before %q was done\n%s", name, e.errs)
		}
		select {
		case <-more:
		case <-ctx.Done():
			e.t.Fatalf("stand-in: %q was not done within %s\n%s", name, within, e.errs)
		}
	}
}

func (e *Endpoint) write(what any) {
	e.t.Helper()
	line, err := json.Marshal(what)
	if err == nil {
		_, err = e.in.Write(append(line, '\n'))
	}
	if err != nil {
		e.t.Fatalf("stand-in: %v\n%s", err, e.errs)
	}
}

// read takes what the script says until it ends.
func (e *Endpoint) read(out io.Reader) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var s Seen
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			continue // node's own
		}
		e.mu.Lock()
		if s.Done > 0 {
			e.done = s.Done
		} else {
			e.seen = append(e.seen, s)
		}
		e.wake()
		e.mu.Unlock()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ended = true
	e.wake()
}

// wake tells who waits. With mu held.
func (e *Endpoint) wake() {
	close(e.more)
	e.more = make(chan struct{})
}

// buffer is what the script complains of.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
