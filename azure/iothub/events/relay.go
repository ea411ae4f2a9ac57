package events

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"hilrig/azure/hub"
	"hilrig/record"
)

// Relay is one reader for all devices of a run: five may read a partition by one
// consumer group (Event Hubs quotas), and a shelf has more. Each device's process
// gets what is of its device by a pipe, which it gives to [Join].
type Relay struct {
	config  Config
	running context.Context // until stop
	stop    context.CancelFunc
	reads   sync.WaitGroup

	mu        sync.Mutex
	reading   bool
	listening *hub.Event // as it was last said; nil: it does not read yet
	away      *hub.Event // the gap that goes on; nil: none does
	ways      map[*way]bool
}

// NewRelay is a relay that reads once somebody is admitted.
func NewRelay(c Config) *Relay {
	running, stop := context.WithCancel(context.Background())
	return &Relay{config: c, running: running, stop: stop, ways: map[*way]bool{}}
}

// Admit makes the way to a device's process: what arrives for the device from now
// on. The file is the process's end; the caller closes its own copy once the
// process has it. leave ends the way. Where nothing could be read the way says
// why, and the next one that is admitted has it tried again.
func (r *Relay) Admit(device string) (theirs *os.File, leave func(), err error) {
	theirs, ours, err := os.Pipe()
	if err != nil {
		return nil, nil, record.NewFailure(record.RigHost, "make the way to", device, err)
	}
	w := newWay(device)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running.Err() != nil {
		return nil, nil, errors.Join(os.ErrClosed, theirs.Close(), ours.Close())
	}
	r.ways[w] = true
	switch {
	case !r.reading:
		r.reading = true
		r.reads.Go(r.read)
	case r.listening != nil:
		w.give(letterOf(sinceNow(*r.listening)))
		if r.away != nil {
			w.give(letterOf(*r.away))
		}
	}
	r.reads.Go(func() { post(ours, w.next); r.forget(w) })
	return theirs, func() { r.forget(w); w.end(); _ = ours.Close() }, nil
}

// sinceNow says to who came late that nothing of before is seen.
func sinceNow(e hub.Event) hub.Event {
	e.At = time.Now()
	e.Gap = &hub.Gap{To: e.At, Why: notThere}
	return e
}

func (r *Relay) forget(w *way) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.ways, w)
}

// Close ends the reader and all ways.
func (r *Relay) Close(ctx context.Context) error {
	r.mu.Lock() // nobody is admitted any more
	r.stop()
	r.mu.Unlock()
	over := make(chan struct{})
	go func() { defer close(over); r.reads.Wait() }()
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return record.NewFailure(record.RigCloud, "close", "reader of events", context.Cause(ctx))
	}
}

// read reads until the relay is closed, or cannot begin.
func (r *Relay) read() {
	reader, err := Open(r.running, r.config)
	if err != nil {
		r.over(failed(err))
		return
	}
	for {
		e, err := reader.Next(r.running)
		if err != nil {
			break // it is closed
		}
		r.pass(e)
	}
	ctx, cancel := context.WithTimeout(context.Background(), openWithin)
	defer cancel()
	if err := reader.Close(ctx); err != nil && r.config.Log != nil {
		r.config.Log.Warn("the reader of events is not closed", "error", err)
	}
	r.over(letter{})
}

// over ends all ways; last says why, where there is a reason.
func (r *Relay) over(last letter) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for w := range r.ways {
		if last.Failure != nil {
			w.give(last)
		}
		w.end()
	}
	r.ways, r.reading, r.listening, r.away = map[*way]bool{}, false, nil, nil
}

// pass hands an event to whom it is of: a message to its device, all else to all.
func (r *Relay) pass(e hub.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch e.Kind {
	case hub.KindListening:
		r.listening, r.away = &e, nil
	case hub.KindGap:
		r.away = &e
	}
	for w := range r.ways {
		if e.DeviceID == "" || e.DeviceID == w.device {
			w.give(letterOf(e))
		}
	}
}
