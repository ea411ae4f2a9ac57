package control

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"hilrig/record"
)

const (
	suffix       = ".sock"
	mostPath     = 107 // bytes of a socket's path that the kernel takes (Linux: sun_path of 108)
	lockWithin   = 10 * time.Second
	dialWithin   = 2 * time.Second
	ownFolder    = 0o700
	ownSocket    = 0o600
	foreignCure  = "it must be yours and nobody else's to write: remove it, or --state names another folder"
	tooLongCause = "a path of %d bytes, a unix socket has %d at most"
)

// Dir is the folder of a state folder in which this user's hubs have their
// sockets: users may share a state folder.
func Dir(state string) string {
	return filepath.Join(state, fmt.Sprintf("hub-%d", max(0, os.Getuid())))
}

// bind makes the socket of this process, once those of hubs that were killed
// are away. Hubs that start at once do so one after the other.
func bind(ctx context.Context, dir string) (net.Listener, string, error) {
	failed := func(step string, err error) (net.Listener, string, error) {
		return nil, "", record.NewFailure(record.RigHost, step, dir, err).WithCure(foreignCure)
	}
	if err := os.MkdirAll(dir, ownFolder); err != nil {
		return failed("make", err)
	}
	if err := checkOwner(dir, os.ModeDir, 0o077); err != nil {
		return failed("use", err)
	}
	path := filepath.Join(dir, fmt.Sprintf("%d%s", os.Getpid(), suffix))
	if len(path) > mostPath {
		return nil, "", record.NewFailure(record.RigHost, "make", path, fmt.Errorf(tooLongCause, len(path), mostPath)).
			WithCure("--state names a folder with a shorter path")
	}
	within, cancel := context.WithTimeout(ctx, lockWithin)
	defer cancel()
	lock := flock.New(filepath.Join(dir, ".lock"), flock.SetPermissions(ownSocket))
	if _, err := lock.TryLockContext(within, 5*time.Millisecond); err != nil {
		return failed("lock", err)
	}
	defer func() { _ = lock.Unlock() }()
	sweep(dir)
	l, err := net.Listen("unix", path)
	if errors.Is(err, errInUse) { // two hubs of one process
		path = filepath.Join(dir, fmt.Sprintf("%d-%d%s", os.Getpid(), time.Now().UnixNano(), suffix))
		l, err = net.Listen("unix", path)
	}
	if err != nil {
		return failed("listen in", err)
	}
	if err := os.Chmod(path, ownSocket); err != nil {
		return failed("make private", errors.Join(err, l.Close()))
	}
	return l, path, nil
}

// sweep takes away what hubs left behind that did not end by themselves.
func sweep(dir string) {
	for _, path := range sockets(dir) {
		if checkOwner(path, os.ModeSocket, 0) == nil && !answers(path) {
			_ = os.Remove(path)
		}
	}
}

func sockets(dir string) []string { return record.Found(dir, "*"+suffix) }

// answers reports whether somebody listens at a socket. One that does not
// accept in time lives all the same.
func answers(path string) bool {
	c, err := net.DialTimeout("unix", path, dialWithin)
	if err != nil {
		return !errors.Is(err, errRefused) && !errors.Is(err, os.ErrNotExist)
	}
	_ = c.Close()
	return true
}
