package runner

import (
	"context"
	"log/slog"
	"os"
	"sync"
	"time"

	"hilrig/record"
)

// Supervisor runs plans. Its fields say where it stands; none may change while
// it runs.
type Supervisor struct {
	Command    []string // that starts a child: this binary and its hidden verb
	Executable string   // this binary, for what children start in turn
	Env        []string // of the children; nil: this process's
	Out        string   // folder of run folders
	StateDir   string   // what outlives a run
	LockDir    string   // locks of ports and devices
	Host       string
	Version    string
	Arguments  []string // as typed, for the record
	Graces     Graces
	Log        *slog.Logger

	Signals   <-chan os.Signal                        // the first stops the run softly, the second at once
	Observe   func(record.Event)                      // every event, one after another; must not block
	RoundDone func(dir string, r *record.Record)      // after each round of several
	lease     func(name, run string) (release, error) // for tests; nil: the host's locks
}

// release gives a lease back.
type release func() error

// Result is what a run left.
type Result struct {
	Dir    string // the run folder
	Record *record.Record
}

// Run executes a plan. Its error, of class rig:host, says that the run could
// not begin (then there is no result) or that its record could not be written
// (then there is one). Whatever devices and children did is in the record.
//
// A cancelled ctx ends the run like a second interrupt.
func (s *Supervisor) Run(ctx context.Context, p *Plan) (*Result, error) {
	started := time.Now()
	id, dir, err := makeRunFolder(s.Out, started)
	if err != nil {
		return nil, err
	}
	head := record.Run{
		ID: id, Rig: p.Rig, Host: s.Host, Version: s.Version, Started: started.UTC().Round(0),
		Arguments: append([]string{}, s.Arguments...), Hub: p.Hub.Kind, Verdict: record.NotRun,
		Selection: p.Selected,
	}
	r := &run{Supervisor: s, plan: p, dir: dir, head: head, halt: newHalt(), leases: map[string]lease{}}
	defer r.releaseAll()
	done := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() { r.watch(ctx, done) })
	defer func() { close(done); watching.Wait() }()

	if p.Repeat > 1 {
		return r.rounds()
	}
	rec, err := r.round(dir, head)
	if rec == nil {
		return nil, err
	}
	return &Result{Dir: dir, Record: rec}, err
}

// run is one run under way.
type run struct {
	*Supervisor
	plan *Plan
	dir  string
	head record.Run // of its records, without what is known at the end only
	halt *halt

	mu          sync.Mutex
	leases      map[string]lease // by device, held until the run is over
	interrupted bool
	timedOut    bool
	tellHalt    func(text string) // puts it into the current round's events
}

// watch turns interrupts and time over into orders, and an order that is not
// followed into a harsher one.
func (r *run) watch(ctx context.Context, done <-chan struct{}) {
	limit := time.NewTimer(time.Until(r.head.Started.Add(r.plan.Timeout)))
	defer limit.Stop()
	signals, cancelled := r.Signals, ctx.Done()
	stop, now := r.halt.at(orderStop), r.halt.at(orderNow)
	var harsher <-chan time.Time
	next := orderNow
	for {
		select {
		case <-done:
			return
		case _, open := <-signals:
			if !open {
				signals = nil
				continue
			}
			r.interrupt()
		case <-cancelled:
			cancelled = nil
			r.interrupt()
			r.halt.raise(orderNow, interrupted)
		case <-limit.C:
			r.timeIsOver()
		case <-stop:
			stop, harsher = nil, time.After(r.Graces.Stop)
		case <-now:
			now, next, harsher = nil, orderKill, time.After(r.Graces.Now)
		case <-harsher:
			harsher = nil
			r.halt.raise(next, "")
		}
	}
}

func (r *run) interrupt() {
	r.mu.Lock()
	again := r.interrupted
	r.interrupted = true
	r.mu.Unlock()
	if again {
		r.say("interrupted twice: tearing down now")
		r.halt.raise(orderNow, interrupted)
		return
	}
	r.say("interrupted: finishing the step, then tearing down; again to tear down now")
	r.halt.raise(orderStop, interrupted)
}

func (r *run) timeIsOver() {
	r.mu.Lock()
	r.timedOut = true
	r.mu.Unlock()
	cause := timeOver(r.plan.Timeout)
	r.say(cause)
	r.halt.raise(orderStop, cause)
}

// recordBroken ends a run whose record cannot be written: nothing that it
// still finds could be proved.
func (r *run) recordBroken(err error) {
	r.Log.Error("the record cannot be written", "err", err)
	r.halt.raise(orderStop, "the record could not be written: "+err.Error())
}

func (r *run) say(text string) {
	r.Log.Info(text)
	r.mu.Lock()
	tell := r.tellHalt
	r.mu.Unlock()
	if tell != nil {
		tell(text)
	}
}

func (r *run) onHalt(tell func(string)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tellHalt = tell
}
