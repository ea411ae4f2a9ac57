//go:build unix

package certs_test

import "syscall"

// withoutTerminal has a tool ask on its standard streams, not on the terminal
// of whoever runs the tests.
func withoutTerminal() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
