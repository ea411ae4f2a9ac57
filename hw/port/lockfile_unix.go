//go:build unix

package port

import (
	"io/fs"
	"syscall"
)

// noBlock keeps the opening of a FIFO from waiting for its other end.
const noBlock = syscall.O_NONBLOCK

func ownerOf(info fs.FileInfo) (owner, bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return owner{}, false
	}
	return owner{uid: st.Uid, links: uint64(st.Nlink)}, true //nolint:unconvert // its size is the system's
}
