package runner

import (
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
	KindRunHalting   = "run.halting"   // Text says why: interrupted, time over, record cannot be written
	KindRunBroke     = "run.broke"     // hilrig itself ends before the run has; Text says why
	KindStranger     = "port.stranger" // a connection of no board came to a port that boards share
	KindTurn         = "port.turn"     // a board waits until those that no address tells from it are through
	KindChildStarted = "child.started"
	KindChildDied    = "child.died"
	KindChildNoise   = "child.noise" // a line of a child that is no event
)

// Kinds that events.jsonl holds for whoever makes the record anew; they are not
// shown. The data of run.started, run.halting and run.closing is the Run as the
// record then has it.
const (
	KindRunFirmware    = "run.firmware"    // Data is the Firmware
	KindRunClosing     = "run.closing"     // Text is why it ends early; empty where it does not
	KindDeviceExpected = "device.expected" // Data is the DeviceRecord before anything was done
	KindDeviceEnded    = "device.ended"    // Data has the cause and class of the device as a whole
)

// notReached is the cause of a spec that its run has not come to yet.
const notReached = "the run has not come to it"

// recorder holds the record of one round and keeps it on disk: run.json replaced
// whole after every spec, events.jsonl appended and valid at every line end.
// It is safe for concurrent use, and what it hands to the observer comes one
// after another. The observer is called under the lock and must not wait.
type recorder struct {
	dir     string
	clock   record.Clock
	observe func(record.Event)
	broken  func(error) // told once, of the first thing that could not be written

	mu sync.Mutex
	*book
	events *diary
	err    error

	saving saving
	slow   bool // the last save took so long that events must not wait for it
	under  bool // a save is under way beside the events
}

// openRecorder writes the first record: every expected spec, not run.
func openRecorder(dir string, run record.Run, p *Plan, observe func(record.Event), broken func(error)) (*recorder, error) {
	l := &recorder{
		dir: dir, clock: record.ClockAt(run.Started), observe: observe, broken: broken,
		book: newBook(newRecord(run, p)),
	}
	if err := l.save(); err != nil {
		return nil, err
	}
	var err error
	if l.events, err = openDiary(dir); err != nil {
		return nil, err
	}
	l.saving = startSaving(l.saveNow)
	return l, nil
}

// begin publishes the beginning, with all that the first record says.
func (l *recorder) begin(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.publish(l.own("", KindRunStarted, text, l.rec.Run))
	for _, e := range opening(l.own, l.rec) {
		l.keep(l.events.write(e))
	}
}

// newRecord is the record of a run that has not begun.
func newRecord(run record.Run, p *Plan) *record.Record {
	r := &record.Record{Schema: record.Schema, Run: run, Firmware: p.Firmware}
	ports := p.sharedPorts()
	for _, d := range p.Entries() {
		dev := record.DeviceRecord{Name: d.Name, Type: d.TypeName, DeviceID: d.DeviceID, Emulated: d.Serial.Emulated != nil}
		dev.Shared = ports.sharing(d)
		dev.Port, dev.Hub, dev.Faults = portName(d.Device), d.Hub.Recorded(), d.Faults()
		dev.Running, dev.Hardware = p.Firmware.Claimed(), d.Claimed()
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

// receive books an event of a device's child. One that cannot be booked is
// published as noise: its spec then ends without a result, which is never green.
func (l *recorder) receive(device string, e record.Event) {
	e.Device = device
	l.mu.Lock()
	defer l.mu.Unlock()
	left := l.rec.Device(device).LeftWith
	switch e.Kind {
	case record.KindSpecStarted, record.KindSpecFinished, record.KindDeviceFacts:
		booked, err := l.enter(e)
		if err != nil {
			l.noise(device, booked.Spec, err.Error())
			return
		}
		e = booked
	}
	if e.Kind == record.KindSpecFinished || l.rec.Device(device).LeftWith != left {
		l.saveSoon() // also what whoever finds the device must be told, whatever becomes of this run
	}
	l.publish(e)
}

// state enters an event of the supervisor's own; the caller holds the lock.
func (l *recorder) state(e record.Event) record.Event {
	e, err := l.enter(e)
	l.keep(err) // our own events can be booked, or this is a bug that must not be silent
	return e
}

// quickSave is what events may wait for: then the record is on disk before
// anybody hears of the result. A large record, or a slow disk, is saved beside
// them.
const quickSave = 20 * time.Millisecond

// saveSoon saves at once where that is quick. The caller holds the lock.
func (l *recorder) saveSoon() {
	if l.slow || l.under {
		l.saving.want()
		return
	}
	began := time.Now()
	l.keep(l.save())
	l.slow = time.Since(began) > quickSave
}

// note publishes an event of the supervisor's own; device may be empty.
func (l *recorder) note(device, kind, text string, data any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.publish(l.own(device, kind, text, data))
}

func (l *recorder) own(device, kind, text string, data any) record.Event {
	return ownEvent(l.clock, device, kind, text, data)
}

func ownEvent(clock record.Clock, device, kind, text string, data any) record.Event {
	e := clock.Stamp(time.Now(), record.Event{Device: device, Source: record.SourceRun, Kind: kind, Text: text})
	if data != nil {
		e.Data = record.MustData(data)
	}
	return e
}

func (l *recorder) noise(device, spec, text string) {
	e := l.own(device, KindChildNoise, text, nil)
	e.Spec = spec
	l.publish(e)
}

// publish appends an event to events.jsonl and shows it. The caller holds the
// lock.
func (l *recorder) publish(e record.Event) {
	l.keep(l.events.write(e))
	if l.observe != nil {
		l.observe(e)
	}
}

// keep remembers the first thing that could not be written and says so once.
func (l *recorder) keep(err error) {
	if err == nil || l.err != nil {
		return
	}
	l.err = err
	if l.broken != nil {
		l.broken(err)
	}
}

func (l *recorder) save() error {
	l.rec.Conclude()
	return l.rec.Save(filepath.Join(l.dir, record.RecordFile))
}

// saveNow is save while events go on: they wait for the record to be encoded,
// not for the disk.
func (l *recorder) saveNow() {
	began := time.Now()
	l.mu.Lock()
	l.under = true
	l.rec.Conclude()
	data, err := l.rec.Encode()
	l.mu.Unlock()
	if err == nil {
		err = record.WriteFile(filepath.Join(l.dir, record.RecordFile), data, 0o644)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keep(err)
	l.under, l.slow = false, time.Since(began) > quickSave
}

// settle ends a device: whatever has no result yet gets one. The spec that was
// running is judged by r.running, the others by r.left.
func (l *recorder) settle(device string, r outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.device.Cause != "" {
		l.keep(l.events.write(l.state(l.own(device, KindDeviceEnded, r.device.Cause, deviceEnd{r.device.Cause, r.device.Class}))))
	}
	dev := l.rec.Device(device)
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
		e := l.own(device, record.KindSpecFinished, string(s.Verdict)+": "+s.Message+s.Cause, s)
		e.Source, e.Spec = record.SourceSpec, s.ID
		l.publish(l.state(e))
	}
	delete(l.running, device)
	l.saveSoon()
}

// halting has the record say how the run is being ended, should it not come to
// its end.
func (l *recorder) halting(text string, how func(*record.Run)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	head := l.rec.Run
	how(&head)
	l.publish(l.state(l.own("", KindRunHalting, text, head)))
	l.saveSoon()
}

// broke says in the record that hilrig itself ends before the run has.
func (l *recorder) broke(why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.publish(l.state(l.own("", KindRunBroke, why, nil)))
	l.keep(l.save())
}

// current names the spec that a device's child is in; empty between specs.
func (l *recorder) current(device string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.running[device].id
}

// close writes the last record. What could not be written on the way is
// returned: a run without its record has failed.
func (l *recorder) close(run func(*record.Run)) (*record.Record, error) {
	l.saving.stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	head := l.rec.Run
	run(&head)
	head.Ended = time.Now().UTC().Round(0)
	last := []record.Event{l.state(l.own("", KindRunClosing, "", head))}
	if l.err != nil { // what was found after that cannot be proved
		end := deviceEnd{"the record could not be written: " + l.err.Error(), record.ClassOf(l.err)}
		for _, d := range l.rec.Devices {
			last = append(last, l.state(l.own(d.Name, KindDeviceEnded, end.Cause, end)))
		}
	}
	l.rec.Conclude()
	l.keep(l.save()) // before anybody hears of the end
	for _, e := range last {
		l.keep(l.events.write(e))
	}
	l.publish(l.own("", KindRunEnded, string(l.rec.Run.Verdict), l.rec.Count()))
	l.keep(l.events.close())
	return l.rec, l.err
}
