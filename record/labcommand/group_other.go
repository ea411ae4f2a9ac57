//go:build !unix

package labcommand

import "os/exec"

// OwnGroup does nothing here: there are no process groups.
func OwnGroup(*exec.Cmd) {}

func killGroup(cmd *exec.Cmd) error { return cmd.Process.Kill() }
