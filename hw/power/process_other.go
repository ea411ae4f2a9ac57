//go:build !linux

package power

import "os/exec"

func ownGroup(*exec.Cmd) {}
