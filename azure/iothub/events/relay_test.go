package events_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"hilrig/azure/hub"
	"hilrig/azure/iothub/events"
	"hilrig/azure/iothub/standin"
	"hilrig/record"
)

func relay(t *testing.T, c events.Config) *events.Relay {
	r := events.NewRelay(c)
	closed(t, r)
	return r
}

// admitted is what a device's process has of a relay. It is there once it knows
// from when on it sees.
func admitted(t *testing.T, r *events.Relay, device string) *events.Joined {
	t.Helper()
	j, _, err := join(t, r, device)
	if err != nil {
		t.Fatal(err)
	}
	listens(t, j)
	return j
}

func join(t *testing.T, r *events.Relay, device string) (*events.Joined, *os.File, error) {
	t.Helper()
	theirs, leave, err := r.Admit(device)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(leave)
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	j, err := events.Join(ctx, theirs)
	if err == nil {
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), within)
			defer cancel()
			if err := j.Close(ctx); err != nil && !errors.Is(err, os.ErrClosed) {
				t.Error(err)
			}
		})
	}
	return j, theirs, err
}

// Five may read by a consumer group; a shelf of twenty has one reader.
func TestAShelfHasOneReader(t *testing.T) {
	t.Parallel()
	e := standin.Start(t, standin.Config{})
	e.Arrive(standin.Event{Device: "board-0", Body: []byte("of before")})
	r := relay(t, config(e))
	var all []*events.Joined
	for i := range 20 {
		all = append(all, admitted(t, r, fmt.Sprintf("board-%d", i)))
	}
	var sent []standin.Event
	for n := range 3 {
		for i := range all {
			sent = append(sent, standin.Event{Device: fmt.Sprintf("board-%d", i), Body: fmt.Appendf(nil, "%d of %d", n, i), Properties: map[string]string{"n": fmt.Sprint(n)}})
		}
	}
	e.Arrive(sent...)
	for i, j := range all {
		for n := range 3 {
			got := next(t, j)
			if want := fmt.Sprintf("%d of %d", n, i); got.DeviceID != fmt.Sprintf("board-%d", i) || got.Message == nil || string(got.Message.Payload) != want || got.Message.Properties["n"] != fmt.Sprint(n) {
				t.Errorf("board-%d has %+v, want %q", i, got, want)
			}
		}
	}
	connections := 0
	for _, s := range e.Seen() {
		if s.Connection == "opened" {
			connections++
		}
	}
	if connections != 1 {
		t.Errorf("%d connections", connections)
	}
}

// One event of each kind is in each process as the reader had it.
func TestWhatIsHandedOnIsAsItWasRead(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]standin.Event{
		"JSON":              {Body: []byte(`{"seq": 1}`)},
		"nothing":           {Body: []byte{}},
		"no text":           {Body: []byte{0xff, 0, '\n', 0xfe}},
		"its will":          {Properties: map[string]string{"iothub-MessageType": "Will"}},
		"RETAIN and DUP":    {Properties: map[string]string{"mqtt-retain": "true", "mqtt-dup": "true"}},
		"system properties": {System: map[string]string{"message_id": "ü-1", "content_type": "application/json"}, Generation: "638001"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m.Device = "d"
			e := standin.Start(t, standin.Config{})
			own, j := open(t, config(e)), admitted(t, relay(t, config(e)), "d")
			e.Arrive(m)
			want, got := message(t, own), next(t, j)
			if got.Kind != want.Kind || got.DeviceID != want.DeviceID || got.Text != want.Text || fmt.Sprint(got.Message) != fmt.Sprint(want.Message) {
				t.Errorf("handed on\n%+v\n%+v\nwant\n%+v\n%+v", got, got.Message, want, want.Message)
			}
			if off := got.At.Sub(want.At).Abs(); off > within {
				t.Errorf("at %s, want %s", got.At, want.At)
			}
		})
	}
}

// A process that is started later sees from then on; one that is gone, and one
// that takes nothing, keep nobody waiting.
func TestProcessesComeAndGo(t *testing.T) {
	t.Parallel()
	e := standin.Start(t, standin.Config{})
	r := relay(t, config(e))
	first := admitted(t, r, "d")
	gone, _, err := join(t, r, "gone")
	if err != nil {
		t.Fatal(err)
	}
	if err := gone.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, leave, err := r.Admit("asleep"); err != nil {
		t.Fatal(err)
	} else {
		t.Cleanup(leave)
	}
	e.Arrive(standin.Event{Device: "gone", Body: []byte("1")}, standin.Event{Device: "asleep", Body: make([]byte, 200_000)}, standin.Event{Device: "d", Body: []byte("1")})
	if got := next(t, first); string(got.Message.Payload) != "1" {
		t.Errorf("the first has %+v", got)
	}
	later := admitted(t, r, "d")
	e.Arrive(standin.Event{Device: "d", Body: []byte("2")})
	for name, j := range map[string]*events.Joined{"the first": first, "the later": later} {
		if got := next(t, j); string(got.Message.Payload) != "2" {
			t.Errorf("%s has %+v", name, got)
		}
	}
}

// A reader that is away is a gap for each device, also for one that comes then.
func TestAGapIsEachDevices(t *testing.T) {
	t.Parallel()
	e := standin.Start(t, standin.Config{})
	r := relay(t, config(e))
	a, b := admitted(t, r, "a"), admitted(t, r, "b")
	e.Down()
	for name, j := range map[string]*events.Joined{"a": a, "b": b} {
		if got := next(t, j); got.Kind != hub.KindGap || got.Gap.From.IsZero() || !got.Gap.To.IsZero() {
			t.Errorf("%s has %+v", name, got)
		}
	}
	late := admitted(t, r, "a")
	if got := next(t, late); got.Kind != hub.KindGap || !got.Gap.To.IsZero() {
		t.Errorf("who comes late has %+v", got)
	}
	e.Up()
	e.Arrive(standin.Event{Device: "a", Body: []byte("back")})
	for name, j := range map[string]*events.Joined{"a": a, "late": late} {
		got := next(t, j)
		for got.Kind == hub.KindGap { // what keeps it away is known better
			got = next(t, j)
		}
		if got.Kind != hub.KindListening || got.Gap.To.IsZero() {
			t.Errorf("%s has %+v", name, got)
		}
		if got := next(t, j); got.Message == nil || string(got.Message.Payload) != "back" {
			t.Errorf("%s has %+v", name, got)
		}
	}
}

// Why nothing can be read each process is told, with the cure; the next one has
// it tried again.
func TestAFailureIsEachDevices(t *testing.T) {
	t.Parallel()
	e := standin.Start(t, standin.Config{})
	e.Unauthorized(401, "SharedAccessKey="+standin.Key)
	r := relay(t, config(e))
	for _, device := range []string{"a", "b"} {
		_, _, err := join(t, r, device)
		if record.ClassOf(err) != record.RigCloud || !strings.Contains(fmt.Sprint(err), events.ErrToken.Error()) || strings.Contains(fmt.Sprint(err), standin.Key) {
			t.Errorf("%s: %v", device, err)
		}
	}
	e.Heal()
	admitted(t, r, "c")
}

// A run that is gone is told of, and lets nobody in.
func TestARunThatIsGoneIsAGap(t *testing.T) {
	t.Parallel()
	e := standin.Start(t, standin.Config{})
	r := events.NewRelay(config(e))
	j := admitted(t, r, "d")
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	if err := r.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if got := next(t, j); got.Kind != hub.KindGap {
		t.Errorf("it has %+v", got)
	}
	if _, err := j.Next(ctx); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	if _, _, err := r.Admit("d"); !errors.Is(err, os.ErrClosed) {
		t.Errorf("admitted: %v", err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := write.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := events.Join(ctx, read); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("joined nobody: %v", err)
	}
}
