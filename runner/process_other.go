//go:build !unix

package runner

import (
	"os"
	"syscall"
)

func ownGroup() *syscall.SysProcAttr { return nil }

func killTree(p *os.Process) { _ = p.Kill() } // it may be gone already

func killLeft(int) {} // a session is not known here

func deathOf(st *os.ProcessState) (signal, code int) { return 0, st.ExitCode() }
