//go:build !unix

package certs_test

import "syscall"

func withoutTerminal() *syscall.SysProcAttr { return nil }
