//go:build !linux

package runner

import (
	"os/exec"
	"time"
)

// startCoarse is an ordinary start where timers have no slack to be set.
func startCoarse(cmd *exec.Cmd, _ time.Duration) error { return cmd.Start() }
