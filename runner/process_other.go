//go:build !unix

package runner

import (
	"os"
	"syscall"
)

func ownGroup() *syscall.SysProcAttr { return nil }

func killTree(p *os.Process) { _ = p.Kill() } // it may be gone already

func deathOf(st *os.ProcessState) (signal, code int) { return 0, st.ExitCode() }
