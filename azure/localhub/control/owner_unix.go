//go:build unix

package control

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

var errRefused, errInUse error = syscall.ECONNREFUSED, syscall.EADDRINUSE

// checkOwner says why a file is not one to trust: another kind, another's, or
// open to others by the bits of others.
func checkOwner(path string, kind, others fs.FileMode) error {
	info, err := os.Lstat(path) // a link is another kind
	if err != nil {
		return err
	}
	if info.Mode().Type() != kind {
		return fmt.Errorf("it is %s, not what a hub makes", info.Mode())
	}
	if s, ok := info.Sys().(*syscall.Stat_t); ok && int(s.Uid) != os.Geteuid() {
		return fmt.Errorf("it belongs to user %d, you are %d", s.Uid, os.Geteuid())
	}
	if open := info.Mode().Perm() & others; open != 0 {
		return fmt.Errorf("others may use it (%s)", info.Mode())
	}
	return nil
}
