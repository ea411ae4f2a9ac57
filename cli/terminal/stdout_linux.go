package terminal

import (
	"io"
	"os"

	"golang.org/x/sys/unix"

	"hilrig/record"
)

// OwnStdout takes standard output away from everybody else in this process and
// from what it starts: a library that prints goes to the log, and the event
// stream holds events alone.
func OwnStdout(out io.Writer) (io.Writer, error) {
	if f, ok := fileOf(out); !ok || f != os.Stdout {
		return out, nil
	}
	fd, err := unix.FcntlInt(os.Stdout.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, record.NewFailure(record.RigHost, "copy", "standard output", err)
	}
	if err := unix.Dup3(2, 1, 0); err != nil {
		return nil, record.NewFailure(record.RigHost, "redirect", "standard output", err)
	}
	return os.NewFile(uintptr(fd), "events"), nil
}
