package runner

import "syscall"

// ownGroup starts a child in a process group of its own. The lifeline tells a
// child that its supervisor is gone; the signal does so too should a
// grandchild hold the lifeline open.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
