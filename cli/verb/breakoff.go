package verb

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

// BreakOff ends the process where it must not go on: a panic, a SIGQUIT. The
// exit code is 3, where Go's own is 2, which promises that no device was
// touched. A run under way says so in its record.
func (a *App) BreakOff(why string, stacks []byte) {
	a.breaking.Do(func() {
		word := why
		if !strings.HasPrefix(why, "panic: ") {
			word = "fatal error: " + why // as Go says it
		}
		terminal.Within(time.Second, func() { fmt.Fprint(a.raw, record.Plain(fmt.Sprintf("%s\n\n%s\n", word, stacks))) })
		if broke := a.onBreak.Load(); broke != nil {
			terminal.Within(2*time.Second, func() { (*broke)(why) })
		}
		os.Exit(runner.ExitRig)
	})
	select {} // somebody else is ending the process
}

// OnBreak has say told why, at most two seconds long, should the process have to
// break off.
func (a *App) OnBreak(say func(why string)) { a.onBreak.Store(&say) }

// WatchQuit has SIGQUIT say where everybody is, as Go does, and break off.
func (a *App) WatchQuit() (stop func()) {
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
		a.BreakOff(name, stacks.Bytes())
	}()
	return func() { signal.Stop(quit); close(quit) }
}

// Caught is deferred where a panic of this goroutine would end the process.
func (a *App) Caught() {
	if what := recover(); what != nil {
		a.BreakOff(fmt.Sprintf("panic: %v", what), debug.Stack())
	}
}
