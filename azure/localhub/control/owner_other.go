//go:build !unix

package control

import (
	"io/fs"
	"syscall"
)

// Of Winsock; package syscall has no names for them.
const errRefused, errInUse = syscall.Errno(10061), syscall.Errno(10048)

// checkOwner leaves it to the rights of the folder.
func checkOwner(string, fs.FileMode, fs.FileMode) error { return nil }
