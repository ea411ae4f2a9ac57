package verb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"hilrig/cli/terminal"
	"hilrig/runner"
)

// lastWithin is how long after a second interrupt the process may live: three
// seconds are promised. What is still there then hangs.
const lastWithin = 2850 * time.Millisecond

// Interrupts are the signals that end a run softly. A hang-up is one of them
// unless nohup has it ignored. The second arms a clock that ends the process
// whatever hangs, after everything in kill. When over is called all is done but
// the printing: one that comes then ends the process at once.
func (a *App) Interrupts(kill ...func()) (_ <-chan os.Signal, over func()) {
	caught, forward := make(chan os.Signal, 4), make(chan os.Signal, 4)
	signal.Notify(caught, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(caught, syscall.SIGHUP)
	}
	done := make(chan struct{})
	go func() {
		for n := 1; ; n++ {
			s := <-caught
			select {
			case forward <- s:
			default: // whoever is told has enough to do
			}
			select {
			case <-done:
				a.giveUp(nil)
			default:
			}
			if n == 2 {
				a.twice.Store(true)
				time.AfterFunc(lastWithin, func() { a.giveUp(kill) })
			}
		}
	}()
	return forward, sync.OnceFunc(func() { close(done) })
}

// UntilSignal is a context that an interrupt ends, and a second one at the
// latest three seconds later with the process.
func (a *App) UntilSignal(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(parent)
	signals, over := a.Interrupts()
	go func() {
		select {
		case <-signals:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(); over() }
}

// NotLongAfter ends the process three seconds after ctx has ended, whatever
// hangs; stop takes that back while ctx has not.
func (a *App) NotLongAfter(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() { time.AfterFunc(lastWithin, func() { a.giveUp(nil) }) })
}

// giveUp ends a process in which something hangs. What can be written has been
// written by now.
func (a *App) giveUp(kill []func()) {
	terminal.Within(100*time.Millisecond, func() {
		for _, k := range kill {
			k()
		}
	})
	if len(kill) > 0 {
		terminal.Within(50*time.Millisecond, func() {
			fmt.Fprintln(a.raw, "interrupted twice, and something hung: ended without waiting for it")
		})
	}
	os.Exit(runner.ExitInterrupted)
}

// noBrokenPipes keeps a reader that went away from ending the process: the
// write fails instead.
func (a *App) noBrokenPipes() {
	a.pipes = make(chan os.Signal, 1)
	signal.Notify(a.pipes, syscall.SIGPIPE)
}

// ErrInterrupted ends a verb that a signal ended.
var ErrInterrupted = errors.New("interrupted")

// Interruptible runs what lasts until a signal ends it, and says so.
func Interruptible(ctx context.Context, run func(context.Context) error) error {
	err := run(ctx)
	if ctx.Err() != nil {
		return ErrInterrupted
	}
	return err
}
