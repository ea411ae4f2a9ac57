package runner

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"hilrig/record"
)

// maxQueued bounds the events that wait for a supervisor; about 20 MB.
const maxQueued = 64 << 10

// stream writes events as JSON lines, in order. Whoever sends waits for the
// supervisor where a spec begins or ends, and never within one: a supervisor
// that is behind must not hold up the device's hub and console, whose answers
// are being timed. What a spec sent is written before its process can die of
// the next one.
type stream struct {
	w      io.Writer
	broken func() // the reader is gone

	mu      sync.Mutex
	changed *sync.Cond
	queue   [][]byte
	sent    int // events ever queued
	written int // events ever written
	dead    bool
}

func startStream(w io.Writer, broken func()) *stream {
	s := &stream{w: w, broken: broken}
	s.changed = sync.NewCond(&s.mu)
	go s.write()
	return s
}

func (s *stream) send(e record.Event) {
	line, err := json.Marshal(e)
	if err != nil { // one of our own structs with data that is no JSON: a bug, and the spec must not vanish with it
		line = record.MustData(record.Event{At: e.At, UTC: e.UTC, Device: e.Device, Source: e.Source, Kind: KindChildNoise,
			Spec: e.Spec, Text: fmt.Sprintf("event %s could not be encoded: %v", e.Kind, err)})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.queue) >= maxQueued && !s.dead {
		s.changed.Wait()
	}
	s.queue = append(s.queue, append(line, '\n'))
	s.sent++
	mine := s.sent
	s.changed.Broadcast()
	for isBoundary(e.Kind) && s.written < mine && !s.dead {
		s.changed.Wait()
	}
}

func isBoundary(kind string) bool {
	return kind == record.KindSpecStarted || kind == record.KindSpecFinished || kind == record.KindChildEnded
}

// write takes the queue to the supervisor until it is gone; the process's end
// ends it.
func (s *stream) write() {
	for {
		s.mu.Lock()
		for len(s.queue) == 0 {
			s.changed.Wait()
		}
		lines := s.queue
		s.queue = nil
		s.mu.Unlock()
		for _, line := range lines {
			if _, err := s.w.Write(line); err != nil {
				s.mu.Lock()
				s.dead = true
				s.changed.Broadcast()
				s.mu.Unlock()
				s.broken()
				return
			}
			s.mu.Lock()
			s.written++
			s.changed.Broadcast()
			s.mu.Unlock()
		}
	}
}
