//go:build unix

package cli

import "golang.org/x/sys/unix"

// mayOpen says whether this user may read and write a file, without opening it.
func mayOpen(path string) error { return unix.Access(path, unix.R_OK|unix.W_OK) }
