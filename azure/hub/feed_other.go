//go:build !unix

package hub

import (
	"errors"
	"os"

	"hilrig/record"
)

// Feeds says that a process can be handed what another one reads for it.
const Feeds = false

// InheritedFeed is the [Setup.Feed] that this process was started with: none is
// here.
func InheritedFeed(int) (*os.File, error) {
	return nil, record.NewFailure(record.Harness, "take", "the feed of the run", errors.New("no process is handed one on this system"))
}
