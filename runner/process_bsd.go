//go:build unix && !linux

package runner

import (
	"os"
	"syscall"
)

// killTree is killGroup where the processes of others cannot be listed.
func killTree(p *os.Process) { killGroup(p) }

// killLeft does nothing where they cannot.
func killLeft(int) {}

func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
