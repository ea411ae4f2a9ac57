package record_test

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"hilrig/record"
)

func TestAFailureIsOneLineOfStepSubjectCauseAndCure(t *testing.T) {
	f := record.NewFailure(record.RigPort, "open port", "/dev/ttyUSB0", errors.New("permission denied")).WithCure("add your user to dialout")
	for _, c := range []struct {
		err  error
		want string
	}{
		{f, "open port /dev/ttyUSB0: permission denied (add your user to dialout)"},
		{record.NewFailure(record.Usage, "no verb", "", nil), "no verb"},
		{record.NewFailure(record.Usage, "read", "x", nil), "read x"},
	} {
		if c.err.Error() != c.want {
			t.Errorf("got %q, want %q", c.err, c.want)
		}
	}
}

// Whose fault it is survives any wrapping; an error that nobody classified is
// a bug of ours and never the device's.
func TestClassOf(t *testing.T) {
	port := record.NewFailure(record.RigPort, "read", "p", io.ErrUnexpectedEOF)
	for _, c := range []struct {
		name string
		err  error
		want record.Class
	}{
		{"nil", nil, ""},
		{"unclassified", io.EOF, record.Harness},
		{"bare", port, record.RigPort},
		{"wrapped", fmt.Errorf("spec: %w", fmt.Errorf("step: %w", port)), record.RigPort},
		{"joined", errors.Join(io.EOF, port), record.RigPort},
		{"the outermost says", record.NewFailure(record.ClassDevice, "wait", "", port), record.ClassDevice},
	} {
		if got := record.ClassOf(c.err); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	if !errors.Is(fmt.Errorf("x: %w", port), io.ErrUnexpectedEOF) {
		t.Error("the cause is not found")
	}
}

func TestOnlyTheRigsClassesAreTheRigs(t *testing.T) {
	for c, want := range map[record.Class]bool{
		record.RigPort: true, record.RigPower: true, record.RigHub: true, record.RigCloud: true, record.RigHost: true, record.RigFirmware: true,
		record.ClassDevice: false, record.Usage: false, record.Harness: false, "": false, "rig:": false,
	} {
		if c.Rig() != want {
			t.Errorf("%q: rig %v, want %v", c, c.Rig(), want)
		}
	}
}

// The clock of a child, which got the run's start as text, runs with the
// supervisor's.
func TestTheClockIsOneInEveryProcess(t *testing.T) {
	start := time.Now()
	text, err := start.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var there time.Time
	if err := there.UnmarshalJSON(text); err != nil {
		t.Fatal(err)
	}
	here, child := record.ClockAt(start), record.ClockAt(there)
	moment := start.Add(1500 * time.Millisecond)
	for _, c := range []record.Clock{here, child} {
		if got := c.At(moment); got < 1.499 || got > 1.501 {
			t.Errorf("got %g s, want 1.5", got)
		}
		e := c.Stamp(moment, record.Event{Kind: "x"})
		if e.Kind != "x" || e.At < 1.499 || e.At > 1.501 || e.UTC.Sub(moment).Abs() > time.Millisecond || e.UTC.Location() != time.UTC {
			t.Errorf("got %+v", e)
		}
	}
	if d := here.Epoch().Sub(child.Epoch()).Abs(); d > time.Millisecond {
		t.Errorf("the epochs are %s apart", d)
	}
}

func TestAnEventsDataReadsBack(t *testing.T) {
	e := record.Event{Kind: record.KindTransfer, Data: record.MustData(record.Transfer{Slot: 10, Sent: 1, Total: 2})}
	var got record.Transfer
	if err := e.Decode(&got); err != nil || got != (record.Transfer{Slot: 10, Sent: 1, Total: 2}) {
		t.Errorf("got %+v, %v", got, err)
	}
	if err := (record.Event{Kind: "x"}).Decode(&got); err == nil {
		t.Error("no data: no error")
	}
}
