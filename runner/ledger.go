package runner

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"hilrig/fixtures"
	"hilrig/fixtures/rigfile"
	"hilrig/record"
)

// Kinds of events that the supervisor itself adds to the stream. A child's
// kinds are in package record.
const (
	KindRunStarted   = "run.started"
	KindRunEnded     = "run.ended"
	KindRunHalting   = "run.halting" // Text says why: interrupted, time over, record cannot be written
	KindRunBroke     = "run.broke"   // hilrig itself ends before the run has; Text says why
	KindChildStarted = "child.started"
	KindChildDied    = "child.died"
	KindChildNoise   = "child.noise" // a line of a child that is no event
)

// notReached is the cause of a spec that its run has not come to yet.
const notReached = "the run has not come to it"

// ledger holds the record of one round and keeps it on disk: run.json replaced
// whole after every spec, events.jsonl appended and valid at every line end.
// It is safe for concurrent use, and what it hands to the observer comes one
// after another. The observer is called under the lock and must not wait.
type ledger struct {
	dir     string
	clock   record.Clock
	specs   map[string]fixtures.Spec
	observe func(record.Event)
	broken  func(error) // told once, of the first thing that could not be written

	mu      sync.Mutex
	rec     *record.Record
	events  *os.File
	written int64 // length of events.jsonl up to its last whole line
	err     error
	running map[string]running // by device
	settled map[string]map[string]bool

	saving saving
	slow   bool // the last save took so long that events must not wait for it
	under  bool // a save is under way beside the events
}

// running is the spec that a child is in.
type running struct {
	id    string
	since time.Time
}

// openLedger writes the first record: every expected spec, not run.
func openLedger(dir string, run record.Run, p *Plan, observe func(record.Event), broken func(error)) (*ledger, error) {
	l := &ledger{
		dir: dir, clock: record.ClockAt(run.Started), observe: observe, broken: broken,
		specs: map[string]fixtures.Spec{}, running: map[string]running{}, settled: map[string]map[string]bool{},
		rec: newRecord(run, p),
	}
	for _, d := range p.Devices {
		for _, s := range p.SpecsOf(d.Name) {
			l.specs[s.ID] = s
		}
		l.settled[d.Name] = map[string]bool{}
	}
	if err := l.save(); err != nil {
		return nil, err
	}
	name := filepath.Join(dir, "events.jsonl")
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, hostFailure("open", name, err)
	}
	l.events = f
	l.saving = startSaving(l.saveNow)
	return l, nil
}

// newRecord is the record of a run that has not begun.
func newRecord(run record.Run, p *Plan) *record.Record {
	r := &record.Record{Schema: record.Schema, Run: run, Firmware: p.Firmware}
	for _, d := range p.Devices {
		dev := record.DeviceRecord{Name: d.Name, Type: d.TypeName, DeviceID: d.DeviceID, Emulated: d.Serial.Emulated != nil}
		dev.Port, dev.Faults = portName(d), d.Faults()
		for _, s := range p.SpecsOf(d.Name) {
			dev.Specs = append(dev.Specs, record.SpecResult{
				ID: s.ID, Text: s.Text, Labels: labelsOf(s), Verdict: record.NotRun, Cause: notReached,
			})
		}
		r.Devices = append(r.Devices, dev)
	}
	return r
}

func labelsOf(s fixtures.Spec) []string { return append([]string{}, s.Labels...) } // never null in the record

func portName(d rigfile.Device) string {
	if d.Serial.Emulated != nil {
		return "" // a pseudo-terminal that the child opens, and names
	}
	return d.Serial.String()
}

// take books an event of a device's child.
func (l *ledger) take(device string, e record.Event) {
	e.Device = device
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.Kind == record.KindSpecFinished {
		var ok bool
		if e, ok = l.finish(device, e); !ok {
			return
		}
	}
	l.publish(e)
	switch e.Kind {
	case record.KindSpecStarted:
		l.running[device] = running{id: e.Spec, since: e.UTC}
	case record.KindDeviceFacts:
		l.learn(device, e)
	}
}

// finish books a spec's result. A result that cannot be one is published as
// noise: the spec then ends without a result, which is never green.
func (l *ledger) finish(device string, e record.Event) (record.Event, bool) {
	var res record.SpecResult
	if err := e.Decode(&res); err != nil {
		l.noise(device, e.Spec, err.Error())
		return e, false
	}
	if res.ID == "" {
		res.ID = e.Spec
	}
	spec, expected := l.specs[res.ID]
	switch {
	case !expected:
		l.noise(device, res.ID, "a result for a spec that was not asked for: "+res.ID)
		return e, false
	case !res.Verdict.Valid():
		l.noise(device, res.ID, fmt.Sprintf("a result for %s without a verdict: %q", res.ID, res.Verdict))
		return e, false
	}
	res.Text, res.Labels = spec.Text, labelsOf(spec)
	e.Spec, e.Data = res.ID, record.MustData(res)
	l.put(device, res)
	return e, true
}

// put books a result and has it saved. The caller holds the lock.
func (l *ledger) put(device string, res record.SpecResult) {
	l.rec.Device(device).Put(res)
	l.settled[device][res.ID] = true
	if l.running[device].id == res.ID {
		delete(l.running, device)
	}
	l.saveSoon()
}

// quickSave is what events may wait for: then the record is on disk before
// anybody hears of the result. A large record, or a slow disk, is saved beside
// them.
const quickSave = 20 * time.Millisecond

// saveSoon saves at once where that is quick. The caller holds the lock.
func (l *ledger) saveSoon() {
	if l.slow || l.under {
		l.saving.want()
		return
	}
	began := time.Now()
	l.keep(l.save())
	l.slow = time.Since(began) > quickSave
}

func (l *ledger) learn(device string, e record.Event) {
	var facts record.DeviceFacts
	if err := e.Decode(&facts); err != nil {
		l.noise(device, "", err.Error())
		return
	}
	d := l.rec.Device(device)
	left := d.LeftWith
	d.DeviceFacts = facts
	if d.LeftWith != left { // whoever finds the device must be told, whatever becomes of this run
		l.saveSoon()
	}
}

// note publishes an event of the supervisor's own; device may be empty.
func (l *ledger) note(device, kind, text string, data any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.publish(l.own(device, kind, text, data))
}

func (l *ledger) own(device, kind, text string, data any) record.Event {
	e := l.clock.Stamp(time.Now(), record.Event{Device: device, Source: record.SourceRun, Kind: kind, Text: text})
	if data != nil {
		e.Data = record.MustData(data)
	}
	return e
}

func (l *ledger) noise(device, spec, text string) {
	e := l.own(device, KindChildNoise, text, nil)
	e.Spec = spec
	l.publish(e)
}

// publish appends an event to events.jsonl and shows it. The caller holds the
// lock.
func (l *ledger) publish(e record.Event) {
	line, err := json.Marshal(e)
	if err != nil {
		l.keep(record.NewFailure(record.Harness, "encode event", e.Kind, err))
		return
	}
	n, err := l.events.Write(append(line, '\n'))
	if err != nil {
		_ = l.events.Truncate(l.written) // half a line must not stay; the write's own error is the one to report
		l.keep(hostFailure("write", l.events.Name(), err))
	} else {
		l.written += int64(n)
	}
	if l.observe != nil {
		l.observe(e)
	}
}

// keep remembers the first thing that could not be written and says so once.
func (l *ledger) keep(err error) {
	if err == nil || l.err != nil {
		return
	}
	l.err = err
	if l.broken != nil {
		l.broken(err)
	}
}

func (l *ledger) save() error {
	l.rec.Conclude()
	return l.rec.Save(filepath.Join(l.dir, RecordFile))
}

// saveNow is save while events go on: they wait for the record to be encoded,
// not for the disk.
func (l *ledger) saveNow() {
	began := time.Now()
	l.mu.Lock()
	l.under = true
	l.rec.Conclude()
	data, err := l.rec.Encode()
	l.mu.Unlock()
	if err == nil {
		err = record.WriteFile(filepath.Join(l.dir, RecordFile), data, 0o644)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keep(err)
	l.under, l.slow = false, time.Since(began) > quickSave
}

// settle ends a device: whatever has no result yet gets one. The spec that was
// running is judged by r.running, the others by r.left.
func (l *ledger) settle(device string, r remains) {
	l.mu.Lock()
	defer l.mu.Unlock()
	dev := l.rec.Device(device)
	if r.device.Cause != "" {
		dev.Cause, dev.Class = r.device.Cause, r.device.Class
	}
	now := time.Now()
	for _, s := range append([]record.SpecResult{}, dev.Specs...) {
		if l.settled[device][s.ID] {
			continue
		}
		if at := l.running[device]; at.id == s.ID {
			s = r.running.result(s)
			s.Started, s.Seconds = at.since, now.Sub(at.since).Seconds()
			if s.Verdict != record.NotRun {
				s.Attempts = []record.Attempt{{Started: s.Started, Seconds: s.Seconds, Verdict: s.Verdict, Class: s.Class, Message: s.Message}}
			}
		} else {
			s = r.left.result(s)
		}
		dev.Put(s)
		l.settled[device][s.ID] = true
		e := l.own(device, record.KindSpecFinished, string(s.Verdict)+": "+s.Message+s.Cause, s)
		e.Source, e.Spec = record.SourceSpec, s.ID
		l.publish(e)
	}
	delete(l.running, device)
	l.saveSoon()
}

// mark has the record say how the run is being ended, should it not come to its
// end.
func (l *ledger) mark(how func(*record.Run)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	how(&l.rec.Run)
	l.saveSoon()
}

// broke says in the record that hilrig itself ends before the run has.
func (l *ledger) broke(why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rec.Run.Broke = why
	l.publish(l.own("", KindRunBroke, why, nil))
	l.keep(l.save())
}

// current names the spec that a device's child is in; empty between specs.
func (l *ledger) current(device string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.running[device].id
}

// close writes the last record. What could not be written on the way is
// returned: a run without its record has failed.
func (l *ledger) close(run func(*record.Run)) (*record.Record, error) {
	l.saving.stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	run(&l.rec.Run)
	l.rec.Run.Ended = time.Now().UTC().Round(0)
	if l.err != nil { // what was found after that cannot be proved
		for i := range l.rec.Devices {
			l.rec.Devices[i].Cause, l.rec.Devices[i].Class = "the record could not be written: "+l.err.Error(), record.ClassOf(l.err)
		}
	}
	l.rec.Conclude()
	l.keep(l.save()) // before anybody hears of the end
	l.publish(l.own("", KindRunEnded, string(l.rec.Run.Verdict), l.rec.Count()))
	if err := l.events.Close(); err != nil {
		l.keep(hostFailure("close", l.events.Name(), err))
	}
	return l.rec, l.err
}
