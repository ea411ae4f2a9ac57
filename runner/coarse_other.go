//go:build !linux

package runner

import "os/exec"

// startCoarse is an ordinary start where timers have no slack to be set.
func startCoarse(cmd *exec.Cmd) error { return cmd.Start() }
