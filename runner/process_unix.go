//go:build unix

package runner

import (
	"os"
	"syscall"
)

// killGroup kills a child that has not been waited for, with all it started.
func killGroup(p *os.Process) {
	_ = syscall.Kill(-p.Pid, syscall.SIGKILL) // it may be gone already
}

// deathOf is the signal that killed a process, or its exit code.
func deathOf(st *os.ProcessState) (signal, code int) {
	if w, ok := st.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return int(w.Signal()), 0
	}
	return 0, st.ExitCode()
}
