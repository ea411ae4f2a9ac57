package runner

import (
	"os/exec"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// startCoarse starts a process whose timers, and those of all it starts, may be
// late by so much: a process has it from the thread that started it
// (PR_SET_TIMERSLACK of prctl(2)). It is for a device that is emulated: its
// line's time is arithmetic, and a host's is not a board's.
//
// Go's monitor thread sleeps for 20 µs at a time for as long as there is
// anything to do (runtime.sysmon): with a pair of processes for each of thirty
// devices that was a fifth of the processor.
func startCoarse(cmd *exec.Cmd, late time.Duration) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(late.Nanoseconds()), 0, 0, 0) == nil {
		defer func() { _ = unix.Prctl(unix.PR_SET_TIMERSLACK, 0, 0, 0, 0) }() // 0: what this process began with
	}
	return cmd.Start()
}
