package power

import (
	"os/exec"
	"syscall"
)

// ownGroup keeps a terminal's Ctrl-C from the device: it reaches the
// supervisor alone.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
