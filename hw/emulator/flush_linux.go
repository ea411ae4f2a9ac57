package emulator

import (
	"os"

	"golang.org/x/sys/unix"
)

// flush discards what waits in the line in both directions.
func flush(f *os.File) { _ = unix.IoctlSetInt(int(f.Fd()), unix.TCFLSH, unix.TCIOFLUSH) }
