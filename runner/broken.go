package runner

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"

	"hilrig/record"
)

// brokeWithin bounds the writing of what hilrig has to say of its own end.
const brokeWithin = time.Second

// Broke says in the record of the run under way, if there is one, that hilrig
// itself ends before it: a panic, a signal that leaves no time. It returns
// within a second or so, also where the record cannot be written. The children
// see the end of their input when the process is gone, and tear down.
func (s *Supervisor) Broke(why string) {
	r := s.under.Load()
	if r == nil {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if led := r.led.Load(); led != nil {
			led.broke(why)
		}
		r.markSum(func(run *record.Run) { run.Broke = why })
	}()
	select {
	case <-done:
	case <-time.After(brokeWithin):
	}
}

// markSum has the sum of rounds say what its rounds' records say of the end; it
// is called while a round is under way, and nobody else writes the sum.
func (r *run) markSum(how func(*record.Run)) {
	if r.plan.Repeat < 2 {
		return
	}
	sum, err := record.Load(filepath.Join(r.dir, record.RecordFile))
	if err == nil {
		how(&sum.Run)
		err = saveSum(sum, r.dir)
	}
	if err != nil { // it has no end, and says so
		r.Log.Warn("sum of the rounds", "err", err)
	}
}

// guard is deferred in every goroutine of a run: a panic there is the end of
// the process, but not without a word in the record.
func (s *Supervisor) guard() {
	if s.Crashed == nil {
		return
	}
	if what := recover(); what != nil {
		s.Crashed(fmt.Sprintf("panic: %v", what), debug.Stack())
	}
}

// children are the processes that this supervisor has started and that still
// run.
type children struct {
	mu   sync.Mutex
	live map[int]*os.Process
}

func (c *children) add(p *os.Process) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.live == nil {
		c.live = map[int]*os.Process{}
	}
	c.live[p.Pid] = p
}

func (c *children) remove(p *os.Process) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.live, p.Pid)
}

// Kill kills every child with all that it started. It waits for nothing.
func (s *Supervisor) Kill() {
	s.children.mu.Lock()
	defer s.children.mu.Unlock()
	for _, p := range s.children.live {
		killTree(p)
	}
}
