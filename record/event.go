package record

import (
	"encoding/json"
	"fmt"
	"time"
)

// Source is the side of the timeline an event comes from.
type Source string

// The sources.
const (
	SourceRun    Source = "run"
	SourceSpec   Source = "spec"
	SourceSerial Source = "serial"
	SourcePower  Source = "power"
	SourceTLS    Source = "tls"
	SourceMQTT   Source = "mqtt"
	SourceHub    Source = "hub"
)

// The kinds that a supervisor acts on. Other kinds are evidence only.
const (
	KindSpecStarted  = "spec.started"  // Spec is set
	KindSpecStep     = "spec.step"     // Text is the step
	KindSpecFinished = "spec.finished" // Data is a SpecResult
	KindTransfer     = "transfer"      // Data is a Transfer: bytes of a file sent so far
	KindFlash        = "flash"         // Text says what becomes of a board that is flashed
	KindFlashOutput  = "flash.output"  // Text is a line of its flash tool; not each
	KindDeviceFacts  = "device.facts"  // Data is a DeviceFacts: what the child has learnt of its device
	KindDeviceLeft   = "device.left"   // Text says what of a device's run could not be cleaned up
	KindChildEnded   = "child.ended"   // the child's last word; its absence means it died
)

// Event is one thing that happened, on the run's one clock. The event stream
// of `hilrig run --json` and timeline.jsonl hold one as JSON a line.
type Event struct {
	At     float64         `json:"at"`  // seconds since the run started, monotonic
	UTC    time.Time       `json:"utc"` // wall clock
	Device string          `json:"device,omitempty"`
	Source Source          `json:"source"`
	Kind   string          `json:"kind"`
	Spec   string          `json:"spec,omitempty"`
	Text   string          `json:"text,omitempty"` // one line for people
	Data   json.RawMessage `json:"data,omitempty"`
}

// Transfer is the data of a KindTransfer event.
type Transfer struct {
	Slot  int `json:"slot"`
	Sent  int `json:"sent"`
	Total int `json:"total"`
}

// Decode reads the event's data into v.
func (e Event) Decode(v any) error {
	if err := json.Unmarshal(e.Data, v); err != nil {
		return fmt.Errorf("event %s: data: %w", e.Kind, err)
	}
	return nil
}

// Clock places moments on a run's time line. The zero Clock is not usable.
type Clock struct{ epoch time.Time }

// ClockAt makes the clock of a run that started at the wall-clock moment
// start, possibly in another process: the distance to now is taken once from
// the wall clock, everything after is monotonic.
func ClockAt(start time.Time) Clock {
	now := time.Now()
	return Clock{epoch: now.Add(-now.Round(0).Sub(start.Round(0)))}
}

// Epoch is the moment the run started, in UTC.
func (c Clock) Epoch() time.Time { return c.epoch.Round(0).UTC() }

// At is t in seconds since the run started.
func (c Clock) At(t time.Time) float64 { return t.Sub(c.epoch).Seconds() }

// Stamp fills an event's two time fields from a moment taken with time.Now.
func (c Clock) Stamp(t time.Time, e Event) Event {
	e.At = float64(t.Sub(c.epoch).Microseconds()) / 1e6
	e.UTC = t.UTC().Round(0)
	return e
}

// MustData encodes v for Event.Data; v is always one of our own plain structs,
// so a failure to encode it is a bug.
func MustData(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("record: encode %T: %v", v, err))
	}
	return b
}
