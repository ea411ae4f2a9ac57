package cli

import (
	"bytes"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"syscall"
	"time"

	"hilrig/cli/terminal"
	"hilrig/record"
	"hilrig/runner"
)

// breakOff ends the process where it must not go on: a panic, a SIGQUIT. The
// exit code is 3, where Go's own is 2, which promises that no device was
// touched. A run under way says so in its record.
func (a *app) breakOff(why string, stacks []byte) {
	a.breaking.Do(func() {
		word := why
		if !strings.HasPrefix(why, "panic: ") {
			word = "fatal error: " + why // as Go says it
		}
		terminal.Within(time.Second, func() { fmt.Fprint(a.rawErr, record.Plain(fmt.Sprintf("%s\n\n%s\n", word, stacks))) })
		if broke := a.onBreak.Load(); broke != nil {
			terminal.Within(2*time.Second, func() { (*broke)(why) })
		}
		os.Exit(runner.ExitRig)
	})
	select {} // somebody else is ending the process
}

// watchQuit has SIGQUIT say where everybody is, as Go does, and break off.
func (a *app) watchQuit() (stop func()) {
	quit := make(chan os.Signal, 1)
	signal.Notify(quit, syscall.SIGQUIT, syscall.SIGABRT)
	go func() {
		s, open := <-quit
		if !open {
			return
		}
		name := "SIGQUIT"
		if s == syscall.SIGABRT {
			name = "SIGABRT"
		}
		var stacks bytes.Buffer
		_ = pprof.Lookup("goroutine").WriteTo(&stacks, 2) // a buffer takes everything
		a.breakOff(name, stacks.Bytes())
	}()
	return func() { signal.Stop(quit); close(quit) }
}

// caught is deferred where a panic of this goroutine would end the process.
func (a *app) caught() {
	if what := recover(); what != nil {
		a.breakOff(fmt.Sprintf("panic: %v", what), debug.Stack())
	}
}
