package port

import (
	"path/filepath"
	"strings"
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
	if strings.HasPrefix(path, "/dev/pts/") {
		return Holder{}, false // who made a pseudo-terminal has it open all the time, and is in nobody's way
	}
	h := whoHas(path)
	return h, h.PID != 0
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
