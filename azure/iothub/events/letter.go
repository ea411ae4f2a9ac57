package events

import (
	"encoding/gob"
	"errors"
	"io"
	"time"

	"hilrig/azure/hub"
	"hilrig/record"
)

// letter is an event of a reader on its way to another process of this binary.
type letter struct {
	At           time.Time
	Kind         hub.EventKind
	Device, Text string
	Message      *hub.Message
	Gap          *hub.Gap
	Listening    *hub.Listening
	Failure      *failure // in place of all: nothing is read
}

// failure is a [record.Failure] as text.
type failure struct {
	Class                      record.Class
	Step, Subject, Cause, Cure string
}

func letterOf(e hub.Event) letter {
	return letter{At: e.At, Kind: e.Kind, Device: e.DeviceID, Text: e.Text, Message: e.Message, Gap: e.Gap, Listening: e.Listening}
}

// size is what a letter takes while it waits, but for its frame.
func (l letter) size() int {
	if l.Message == nil {
		return 0
	}
	n := len(l.Message.Payload)
	for _, bag := range []map[string]string{l.Message.Properties, l.Message.System} {
		for name, value := range bag {
			n += len(name) + len(value)
		}
	}
	return n
}

// event has this process's monotonic clock, which says the same of now.
func (l letter) event() hub.Event {
	now := time.Now()
	return hub.Event{At: now.Add(l.At.Sub(now)), Kind: l.Kind, DeviceID: l.Device, Text: l.Text, Message: l.Message, Gap: l.Gap, Listening: l.Listening}
}

// failed is the letter that says why nothing is read.
func failed(err error) letter {
	var f *record.Failure
	if !errors.As(err, &f) {
		return letter{Failure: &failure{Class: record.ClassOf(err), Step: string(stepRead), Subject: "events", Cause: err.Error()}}
	}
	says := &failure{Class: f.Class, Step: f.Step, Subject: f.Subject, Cure: f.Cure}
	if f.Cause != nil {
		says.Cause = f.Cause.Error()
	}
	return letter{Failure: says}
}

func (f failure) err() error {
	return record.NewFailure(f.Class, f.Step, f.Subject, errors.New(f.Cause)).WithCure(f.Cure)
}

// post writes letters until there are none, or nobody takes them.
func post(to io.WriteCloser, next func() (letter, bool)) {
	defer func() { _ = to.Close() }() // what is lost with it is lost to a process that is gone
	all := gob.NewEncoder(to)
	for {
		l, more := next()
		if !more || all.Encode(l) != nil {
			return
		}
	}
}
