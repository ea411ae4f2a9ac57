//go:build unix

package labcommand

import (
	"os/exec"
	"syscall"
)

// OwnGroup keeps a terminal's Ctrl-C from a command: it reaches this process
// alone.
func OwnGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// killGroup ends a command of [OwnGroup] and everything that it started.
func killGroup(cmd *exec.Cmd) error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
