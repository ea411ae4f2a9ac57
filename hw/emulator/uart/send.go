package uart

import (
	"context"
	"sync"
	"time"
)

// pause is the least time between two writes: what the firmware says byte by
// byte, such as an echo, leaves in a few pieces.
const pause = 1500 * time.Microsecond

// sender lets bytes leave by their schedule.
type sender struct {
	byteFor time.Duration
	burst   int
	more    chan struct{}

	mu    sync.Mutex
	queue []run
	free  time.Time // when everything queued has left
}

// run is bytes that leave without a gap; the first one's start bit is at begin.
type run struct {
	begin time.Time
	data  []byte
}

// put queues bytes that the firmware has sent at a moment, and says when they
// have left.
func (s *sender) put(b []byte, at time.Time) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(b) == 0 {
		return s.free
	}
	last := len(s.queue) - 1
	switch {
	case s.free.Before(at):
		s.free = at // the line was idle
		s.queue = append(s.queue, run{begin: at, data: append([]byte(nil), b...)})
	case last >= 0:
		s.queue[last].data = append(s.queue[last].data, b...)
	default:
		s.queue = append(s.queue, run{begin: s.free, data: append([]byte(nil), b...)})
	}
	s.free = s.free.Add(time.Duration(len(b)) * s.byteFor)
	select {
	case s.more <- struct{}{}:
	default:
	}
	return s.free
}

func (s *sender) end() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.free
}

// due takes the bytes that have left by now; with none it says when to look
// again, zero if nothing is queued.
func (s *sender) due(now time.Time) (out []byte, next time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.queue) > 0 {
		r := &s.queue[0]
		n := len(r.data)
		if s.byteFor > 0 {
			n = min(n, int(max(0, now.Sub(r.begin)/s.byteFor)))
		}
		out = append(out, r.data[:n]...)
		r.data, r.begin = r.data[n:], r.begin.Add(time.Duration(n)*s.byteFor)
		if len(r.data) > 0 {
			return out, r.begin.Add(time.Duration(min(len(r.data), s.burst)) * s.byteFor)
		}
		s.queue = s.queue[1:]
	}
	return out, time.Time{}
}

func (s *sender) run(ctx context.Context, w Line) error {
	var wrote time.Time
	for sleepUntil(ctx, wrote.Add(pause)) {
		out, next := s.due(time.Now())
		if len(out) > 0 {
			if _, err := w.Write(out); err != nil {
				if ctx.Err() != nil {
					return nil
				}
				return err
			}
			wrote = time.Now()
			continue
		}
		if next.IsZero() {
			select {
			case <-s.more:
			case <-ctx.Done():
				return nil
			}
		} else if !sleepUntil(ctx, next) {
			return nil
		}
	}
	return nil
}
