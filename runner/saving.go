package runner

import (
	"sync"
	"time"
)

// saving writes the record in the background; callers do not wait. Changes that
// come while it is being written go with the next time.
type saving struct {
	wanted chan struct{} // one place: a save that has not begun covers every change before it
	stopped,
	done chan struct{}
	once *sync.Once
}

// A large record takes long to write: pauses between the writes leave the time
// to the run.
const (
	restPerSave = 4 // times what the save took
	longestRest = 5 * time.Second
)

func startSaving(save func()) saving {
	s := saving{wanted: make(chan struct{}, 1), stopped: make(chan struct{}), done: make(chan struct{}), once: new(sync.Once)}
	go func() {
		defer close(s.done)
		for {
			select {
			case <-s.stopped:
				return
			case <-s.wanted:
			}
			began := time.Now()
			save()
			select {
			case <-s.stopped:
				return
			case <-time.After(min(longestRest, restPerSave*time.Since(began))):
			}
		}
	}()
	return s
}

// want has the record saved soon; it does not wait.
func (s saving) want() {
	select {
	case s.wanted <- struct{}{}:
	default: // it is going to be
	}
}

// stop waits for the save that is under way; none comes after it.
func (s saving) stop() {
	s.once.Do(func() { close(s.stopped) })
	<-s.done
}
