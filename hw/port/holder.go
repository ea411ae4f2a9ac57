package port

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"hilrig/record"
)

// ErrBusy is what errors.Is finds in every failure to open a line that
// somebody else holds. errors.As finds the [BusyError].
var ErrBusy = errors.New("busy")

// Holder says who holds a line.
type Holder struct {
	PID     int       `json:"pid"`               // 0: not known
	Run     string    `json:"run,omitempty"`     // the run, or whatever the holder calls itself
	Since   time.Time `json:"since,omitzero"`    // UTC
	Program string    `json:"program,omitempty"` // of one that is not hilrig: a terminal program
	User    string    `json:"user,omitempty"`    // whose the lock is, where it is neither one's own nor root's
}

// String is for people: "process 4711 (run 20261122T231501Z-7f3a), since 23:15:01".
func (h Holder) String() string {
	if h.PID == 0 {
		return "another process" + h.of()
	}
	s := fmt.Sprintf("process %d", h.PID)
	switch {
	case h.Run != "":
		s += " (run " + record.Plain(h.Run) + ")"
	case h.Program != "":
		s += " (" + record.Plain(h.Program) + ")"
	}
	if !h.Since.IsZero() {
		s += ", since " + h.Since.Local().Format("15:04:05")
	}
	return s + h.of()
}

func (h Holder) of() string {
	if h.User == "" {
		return ""
	}
	return ", lock of user " + record.Plain(h.User)
}

// BusyError is the cause of a failure to open a line that somebody else holds.
type BusyError struct {
	Path   string // the line's real name
	Holder Holder
	Says   string // what the server of a line on the network says itself
}

func (e *BusyError) Error() string {
	if e.Says != "" {
		return fmt.Sprintf("busy: its server says %q", e.Says)
	}
	return "busy: held by " + e.Holder.String()
}

// Unwrap makes errors.Is(err, ErrBusy) true.
func (e *BusyError) Unwrap() error { return ErrBusy }

// heldWithin is how long a new holder may take to write its name into the lock
// that it has just got. Whoever finds the lock held waits so long for it.
const heldWithin = 100 * time.Millisecond

// readHolder reads who holds a lock. A name of a process that is no more is
// the last holder's: the present one is about to overwrite it. The zero Holder
// means that it cannot be said.
func readHolder(name string) Holder {
	tick := time.NewTicker(heldWithin / 10)
	defer tick.Stop()
	for range 10 {
		if h, err := parseHolder(name); err == nil && processAlive(h.PID) {
			return h
		}
		<-tick.C
	}
	h, _ := parseHolder(name) // whose the file is, at least
	return Holder{User: h.User}
}

func parseHolder(name string) (h Holder, err error) {
	f, err := openLockFile(name, os.O_RDONLY)
	if err != nil {
		return h, err
	}
	defer func() { _ = f.Close() }() // only read
	if info, err := f.Stat(); err == nil {
		defer func() { h.User = stranger(info) }()
	}
	// A decoder stops after the first value: what is left of a longer name
	// before it is not looked at.
	err = json.NewDecoder(io.LimitReader(f, 4096)).Decode(&h)
	return h, err
}

// writeHolder replaces the text of the lock file that this process holds. It
// must stay the same file, so it is overwritten, not replaced, with one write: a
// reader finds the new name or the old one.
func (l *Lease) writeHolder() error {
	data, err := json.Marshal(l.Holder)
	if err != nil {
		return err
	}
	return l.write(append(data, '\n'))
}

// write overwrites the text of the file that is locked, and of no other that
// has its name by now.
func (l *Lease) write(data []byte) error {
	f, err := openLockFile(l.lock.Path(), os.O_WRONLY)
	if err != nil {
		return err
	}
	held, err := l.lock.Stat()
	if err == nil {
		var info os.FileInfo
		if info, err = f.Stat(); err == nil && !os.SameFile(held, info) {
			err = fs.ErrNotExist
		}
	}
	if err == nil {
		_, err = f.WriteAt(data, 0)
	}
	if err == nil {
		err = f.Truncate(int64(len(data)))
	}
	return errors.Join(err, f.Close())
}
