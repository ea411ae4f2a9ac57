package runner

import (
	"fmt"
	"time"

	"hilrig/record"
)

// book is a record as its run's events make it. The recorder of a run under way
// and the rebuilding of a record enter the same events into it.
type book struct {
	rec     *record.Record
	running map[string]running // by device
	settled map[string]map[string]bool
}

func newBook(rec *record.Record) *book {
	return &book{rec: rec, running: map[string]running{}, settled: map[string]map[string]bool{}}
}

// enter books what an event says and returns it as it goes into events.jsonl.
// An error says that it cannot be: nothing is changed then.
func (b *book) enter(e record.Event) (record.Event, error) {
	if e.Device != "" {
		return b.enterDevice(e)
	}
	switch e.Kind {
	case KindRunStarted, KindRunHalting, KindRunClosing:
		if len(e.Data) == 0 {
			return e, nil
		}
		var head record.Run
		if err := e.Decode(&head); err != nil {
			return e, err
		}
		b.rec.Run = head
	case KindRunBroke:
		b.rec.Run.Broke = e.Text
	case KindRunFirmware:
		var f record.Firmware
		if err := e.Decode(&f); err != nil {
			return e, err
		}
		b.rec.Firmware = f
	}
	return e, nil
}

func (b *book) enterDevice(e record.Event) (record.Event, error) {
	if e.Kind == KindDeviceExpected {
		var dev record.DeviceRecord
		if err := e.Decode(&dev); err != nil {
			return e, err
		}
		if b.rec.Device(dev.Name) == nil {
			b.rec.Devices = append(b.rec.Devices, dev)
		}
		return e, nil
	}
	dev := b.rec.Device(e.Device)
	if dev == nil {
		return e, fmt.Errorf("an event of a device that is not in the run: %s", e.Device)
	}
	switch e.Kind {
	case record.KindSpecStarted:
		b.running[e.Device] = running{id: e.Spec, since: e.UTC}
	case record.KindSpecFinished:
		return b.finish(dev, e)
	case record.KindDeviceFacts:
		var facts record.DeviceFacts
		if err := e.Decode(&facts); err != nil {
			return e, err
		}
		dev.DeviceFacts = facts
	case KindDeviceEnded:
		var end deviceEnd
		if err := e.Decode(&end); err != nil {
			return e, err
		}
		dev.Cause, dev.Class = end.Cause, end.Class
	}
	return e, nil
}

// finish books a spec's result. Its text and labels are those of the spec that
// was asked for.
func (b *book) finish(dev *record.DeviceRecord, e record.Event) (record.Event, error) {
	var res record.SpecResult
	if err := e.Decode(&res); err != nil {
		return e, err
	}
	if res.ID == "" {
		res.ID = e.Spec
	}
	e.Spec = res.ID
	asked := specOf(dev, res.ID)
	switch {
	case asked == nil:
		return e, fmt.Errorf("a result for a spec that was not asked for: %s", res.ID)
	case !res.Verdict.Valid():
		return e, fmt.Errorf("a result for %s without a verdict: %q", res.ID, res.Verdict)
	}
	res.Text, res.Labels = asked.Text, asked.Labels
	e.Data = record.MustData(res)
	dev.Put(res)
	if b.settled[dev.Name] == nil {
		b.settled[dev.Name] = map[string]bool{}
	}
	b.settled[dev.Name][res.ID] = true
	if b.running[dev.Name].id == res.ID {
		delete(b.running, dev.Name)
	}
	return e, nil
}

func specOf(d *record.DeviceRecord, id string) *record.SpecResult {
	for i := range d.Specs {
		if d.Specs[i].ID == id {
			return &d.Specs[i]
		}
	}
	return nil
}

// running is the spec that a child is in.
type running struct {
	id    string
	since time.Time
}

// deviceEnd is the data of a KindDeviceEnded event: why the device as a whole
// has no verdict; empty where it has one.
type deviceEnd struct {
	Cause string       `json:"cause,omitempty"`
	Class record.Class `json:"class,omitempty"`
}
