package power

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"hilrig/record"
	"hilrig/record/labcommand"
)

// Process is the power of a device made of software. On starts its process and
// waits for the line `{"event":"ready",…}` on its standard output; Off kills
// it, in any state. The process's standard input is a pipe that ends with
// this process, so a killed harness leaves no device behind.
type Process struct {
	Argv     []string
	Env      []string      // nil is this process's own
	Terminal *os.File      // handed down as file descriptor 3; the adapter that outlives the board
	Control  *os.File      // handed down as file descriptor 4, if there is one
	Log      io.Writer     // its standard error; nil discards it
	Within   time.Duration // until it is ready; zero: half a minute

	mu      sync.Mutex
	cmd     *exec.Cmd
	stdin   io.Closer
	exited  chan struct{}
	exitErr error
}

// readyWithin is what a host needs that starts thirty at once, and does more
// besides.
const readyWithin = 30 * time.Second

// On starts the device; it is no error if it runs already.
func (p *Process) On(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running() {
		return nil
	}
	ready, err := p.start()
	if err != nil {
		return record.NewFailure(record.RigPower, "start", "emulated device", err)
	}
	within := p.Within
	if within == 0 {
		within = readyWithin
	}
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case err = <-ready:
	case <-timer.C:
		err = fmt.Errorf("not ready within %s", within)
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil {
		p.kill()
		return record.NewFailure(record.RigPower, "start", "emulated device", err)
	}
	return nil
}

// Plug gives the device's next life another terminal; the present one gets it
// by Control.
func (p *Process) Plug(terminal *os.File) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Terminal = terminal
}

// Off kills the device's process and waits until it is gone.
func (p *Process) Off(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kill()
	return nil
}

// Alive reports whether the device has power.
func (p *Process) Alive() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.running()
}

// Died reports whether the device's process ended by itself: it was switched on,
// and not off again.
func (p *Process) Died() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cmd != nil && !p.running()
}

func (p *Process) running() bool {
	if p.cmd == nil {
		return false
	}
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

func (p *Process) start() (<-chan error, error) {
	cmd := exec.Command(p.Argv[0], p.Argv[1:]...)
	if p.Terminal != nil {
		cmd.ExtraFiles = []*os.File{p.Terminal}
		if p.Control != nil {
			cmd.ExtraFiles = append(cmd.ExtraFiles, p.Control)
		}
	}
	cmd.Env = p.Env
	cmd.Stderr = p.Log
	cmd.WaitDelay = time.Second
	labcommand.OwnGroup(cmd)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	exited, ready := make(chan struct{}), make(chan error, 1)
	p.cmd, p.stdin, p.exited = cmd, stdin, exited
	go func() {
		ready <- awaitReady(stdout)
		_, _ = io.Copy(io.Discard, stdout) // the pipe must not fill up
		p.exitErr = cmd.Wait()
		close(exited)
	}()
	return ready, nil
}

func awaitReady(r io.Reader) error {
	line, err := bufio.NewReaderSize(r, 4096).ReadString('\n')
	if err != nil {
		return errors.New("it ended before it was ready; see its log")
	}
	var e struct{ Event string }
	if json.Unmarshal([]byte(line), &e) != nil || e.Event != "ready" {
		return fmt.Errorf("its first line is not the ready event: %q", strings.TrimSpace(line))
	}
	return nil
}

func (p *Process) kill() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill() // already gone is as good
	<-p.exited
	_ = p.stdin.Close()
	p.cmd = nil
}
