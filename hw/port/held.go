package port

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// Held says who holds a line, or anything else with a name, without touching
// it: whom its lock file in dir names, if that process lives, else (where the
// system can tell) a program that has the line open without our lock. Nothing
// is opened or locked, so nobody finds the line busy because of it; what it
// says may be over a moment later.
func Held(dir, path string) (Holder, bool) {
	path = realName(path)
	if h, err := parseHolder(filepath.Join(dir, lockName(path))); err == nil && processAlive(h.PID) {
		return h, true
	}
	h := whoHas(path)
	return h, h.PID != 0
}

// beginsWithin is how long a process that is being started may have what its
// parent had open.
const beginsWithin = 50 * time.Millisecond

// Shared is the failure of a line that this process has open, and another program
// too, which takes no lock of it: each gets a part of what the device says. Nil
// where nobody does, and where it cannot be told.
func Shared(path string) error {
	if strings.Contains(path, "://") {
		return nil
	}
	first := whoHas(path)
	if first.PID == 0 {
		return nil
	}
	time.Sleep(beginsWithin)
	if h := whoHas(path); h.PID == first.PID {
		return failure("read port", path, &SharedError{h})
	}
	return nil
}

// SharedError is the cause of a failure to hear all that a line says.
type SharedError struct{ Holder Holder }

func (e *SharedError) Error() string {
	return fmt.Sprintf("%s has it open too, and what the device says may go there", e.Holder)
}

// LeaseName is the name of the lock that leases the device on a line for the
// whole of a run, also for the gaps in which nobody has the line open.
func LeaseName(path string) string { return "device " + realName(path) }

// HolderOf is who has a line, or leases the device on it; nil where nobody does.
func HolderOf(dir, path string) *Holder {
	for _, name := range []string{path, LeaseName(path)} {
		if h, held := Held(dir, name); held {
			return &h
		}
	}
	return nil
}
