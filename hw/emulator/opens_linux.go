package emulator

import (
	"os"

	"golang.org/x/sys/unix"

	"hilrig/record"
)

// opens tells when somebody opens the device's port, as a USB adapter tells its
// board by a control line (DTR). Stop ends it.
func (t *terminal) opens() (opened <-chan struct{}, stop func(), err error) {
	fail := func(err error) (<-chan struct{}, func(), error) {
		return nil, nil, record.NewFailure(record.RigHost, "watch", t.name, err)
	}
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return fail(err)
	}
	f := os.NewFile(uintptr(fd), "inotify") // of the runtime's poller: Close ends a Read
	if _, err := unix.InotifyAddWatch(fd, t.name, unix.IN_OPEN); err != nil {
		_ = f.Close()
		return fail(err)
	}
	events := make(chan struct{}, 1)
	go func() {
		for b := make([]byte, 4096); ; {
			if n, err := f.Read(b); n <= 0 || err != nil {
				return
			}
			select {
			case events <- struct{}{}:
			default:
			}
		}
	}()
	return events, func() { _ = f.Close() }, nil
}
