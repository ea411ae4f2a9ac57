package runner

import (
	"fmt"
	"os"
	"sync"

	"hilrig/fixtures"
	"hilrig/fixtures/rigfile"
	"hilrig/record"
)

// round runs the plan's specs once on every device, at most Jobs at a time,
// and leaves a whole record in dir.
func (r *run) round(dir string, head record.Run) (*record.Record, error) {
	led, err := openRecorder(dir, head, r.plan, r.show.add, r.recordBroken)
	if err != nil {
		return nil, err
	}
	r.led.Store(led)
	defer r.led.Store(nil)
	r.words.to(func(text string) {
		led.halting(text, r.howItEnds)
		r.markSum(r.howItEnds)
	})
	led.begin(fmt.Sprintf("%d specs on %d devices", len(r.plan.Specs), len(r.plan.Devices)))
	free := make(chan struct{}, r.plan.Jobs)
	var devices sync.WaitGroup
	for _, d := range r.plan.Devices {
		devices.Go(func() {
			defer r.guard()
			if text := r.takesTurns(d); text != "" {
				led.note("", KindTurn, text, nil)
			}
			defer r.waitTurn(d)() // before a place: who waits for a turn must not take one
			free <- struct{}{}
			defer func() { <-free }()
			for _, e := range r.plan.EntriesOf(d) { // in turn: one child is on a board
				led.settle(e.Name, r.device(led, dir, head, d, e))
				r.remember(led, d, e)
				r.heardBeside(led, e)
			}
		})
	}
	devices.Wait()
	if r.plan.Flash != "" {
		r.keptOld(led)
	}
	r.hush()
	rec, err := led.close(r.howItEnds)
	for _, text := range toldApart(rec) {
		r.Log.Warn(text)
	}
	return rec, err
}

// device runs the specs on one device at one hub, and says what is left without
// a result.
func (r *run) device(led *recorder, dir string, head record.Run, d rigfile.Device, at Entry) outcome {
	if why := r.halt.why(); why != "" {
		return halted(why)
	}
	if err := r.leaseDevice(d); err != nil {
		return notRun(record.ClassOf(err), err.Error())
	}
	job := fixtures.Job{
		RunID: head.ID, Rig: head.Rig, Started: head.Started, Until: head.Started.Add(r.plan.Timeout), Dir: dir, StateDir: r.StateDir, LockDir: r.LockDir,
		Executable: r.Executable, Device: at.Device, Hub: at.Hub, Secret: r.plan.Secret, Firmware: r.plan.Firmware, Specs: r.plan.ids(at.Name), Attempts: r.plan.Attempts,
	}
	job.Flash, job.Flashed = r.plan.Flash, r.flashedWith(d)
	job.Beside, job.Silent = r.besideOf(at)
	way, port, leavePort, err := r.admit(at)
	if why := r.halt.why(); err != nil && why != "" {
		return halted(why)
	}
	if err != nil {
		return notRun(record.ClassOf(err), err.Error())
	}
	defer leavePort()
	job.SharedPort = port
	fed, leave, err := r.feeds.to(at)
	if err != nil {
		closeAll(way)
		return notRun(record.ClassOf(err), err.Error())
	}
	defer leave()
	e := r.supervise(led, job, way, fed)
	if e.died() {
		r.Log.Error(e.text(), "device", at.Name)
		led.note(at.Name, KindChildDied, e.text(), nil)
		killLeft(e.pid)
		r.leaveSafe(led, at)
	}
	return e.outcome()
}

// supervise starts the job's child and stays with it to its end.
func (r *run) supervise(led *recorder, job fixtures.Job, way, fed *os.File) childExit {
	name := job.Device.Name
	c, err := r.startChild(job, way, fed, r.crowded(),
		func(e record.Event) {
			if e.Kind == record.KindDeviceLeft {
				r.Log.Warn(e.Text, "device", name)
			}
			led.receive(name, e)
		},
		func(text string) {
			r.Log.Warn(text, "device", name)
			led.note(name, KindChildNoise, text, nil)
		})
	if err != nil {
		return childExit{failed: err}
	}
	led.note(name, KindChildStarted, fmt.Sprintf("process %d", c.cmd.Process.Pid), nil)
	e := c.wait(r.halt, r.GracePeriods)
	e.running = led.current(name)
	return e
}

func (r *run) howItEnds(run *record.Run) {
	run.Interrupted, run.TimedOut = r.interrupted.Load(), r.timedOut.Load()
}
