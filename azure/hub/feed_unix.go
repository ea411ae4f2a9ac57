//go:build unix

package hub

import (
	"fmt"
	"os"
	"syscall"

	"hilrig/record"
)

// Feeds says that a process can be handed what another one reads for it.
const Feeds = true

// InheritedFeed is the [Setup.Feed] that this process was started with, by its
// number. The programs that it starts in turn do not get it.
func InheritedFeed(fd int) (*os.File, error) {
	syscall.CloseOnExec(fd)
	if err := syscall.SetNonblock(fd, true); err != nil { // whoever waits for more is woken by Close
		return nil, record.NewFailure(record.RigHost, "take the feed of the run from", fmt.Sprintf("file %d", fd), err)
	}
	return os.NewFile(uintptr(fd), "feed of the run"), nil
}
