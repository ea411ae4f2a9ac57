package events_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"hilrig/azure"
	"hilrig/azure/hub"
	"hilrig/azure/iothub/access"
	"hilrig/azure/iothub/events"
	"hilrig/azure/iothub/standin"
	"hilrig/azure/link"
	"hilrig/record"
)

const within = 30 * time.Second

func config(e *standin.Endpoint) events.Config {
	return events.Config{ConnectionString: e.Events(), Network: access.Network{Endpoint: e.Address, Roots: e.Roots()}}
}

func open(t *testing.T, c events.Config) *events.Reader {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	r, err := events.Open(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	closed(t, r)
	listens(t, r)
	return r
}

// closed has it end with the test, without an error.
func closed(t *testing.T, r interface {
	Close(ctx context.Context) error
}) {
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), within)
		defer cancel()
		if err := r.Close(ctx); err != nil {
			t.Error(err)
		}
	})
}

// listens takes the first event, which says from when on is read.
func listens(t *testing.T, r reads) {
	t.Helper()
	if e := next(t, r); e.Kind != hub.KindListening || e.Gap == nil || !e.Gap.From.IsZero() || e.Gap.To.IsZero() {
		t.Fatalf("the first event is %+v", e)
	}
}

// reads is a reader, or what a process has of one.
type reads interface {
	Next(ctx context.Context) (hub.Event, error)
}

func next(t *testing.T, r reads) hub.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	e, err := r.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// message is the next event, which is to be a message.
func message(t *testing.T, r *events.Reader) hub.Event {
	t.Helper()
	e := next(t, r)
	if e.Kind != hub.KindMessage {
		t.Fatalf("%s: %s", e.Kind, e.Text)
	}
	return e
}

func TestAMessageIsReadAsTheHubHasIt(t *testing.T) {
	t.Parallel()
	e := standin.Start(t, standin.Config{})
	e.Arrive(standin.Event{Device: "d", Body: []byte("of before")})
	r := open(t, config(e))
	enqueued := time.Now().UTC().Truncate(time.Millisecond)
	e.Arrive(
		standin.Event{Device: "d", Source: "deviceConnectionStateEvents", Body: []byte("{}")},
		standin.Event{
			Device: "d", Body: []byte(`{"seq":1}`), Enqueued: &enqueued, Generation: "638001",
			Properties: map[string]string{"kind": "a&b", "mqtt-retain": "true"},
			System:     map[string]string{"message_id": "m-1", "content_type": "application/json"},
		},
		standin.Event{Device: "d", Properties: map[string]string{"iothub-MessageType": "Will", "mqtt-dup": "true"}},
	)
	got := message(t, r)
	m := got.Message
	if got.DeviceID != "d" || string(m.Payload) != `{"seq":1}` || m.Properties["kind"] != "a&b" || !m.Retain || m.Dup || m.Will {
		t.Errorf("read %+v, %+v", got, m)
	}
	for name, want := range map[string]string{
		azure.SystemConnectionDeviceID: "d", azure.SystemGeneration: "638001", azure.SystemAuthMethod: azure.AuthMethodX509,
		azure.SystemMessageID: "m-1", azure.SystemContentType: "application/json", azure.SystemEnqueued: enqueued.Format(azure.EnqueuedForm),
	} {
		if m.System[name] != want {
			t.Errorf("%s is %q, want %q", name, m.System[name], want)
		}
	}
	if !m.Enqueued.Equal(enqueued) || got.At.Before(enqueued) {
		t.Errorf("enqueued at %s, want %s; read at %s", m.Enqueued, enqueued, got.At)
	}
	if will := message(t, r); !will.Message.Will || !will.Message.Dup || will.Telemetry() {
		t.Errorf("the will is %+v", will.Message)
	}
}

func TestOnlyTheDevicesAskedForAreRead(t *testing.T) {
	t.Parallel()
	e := standin.Start(t, standin.Config{})
	c := config(e)
	c.Devices = []string{"ours"}
	r := open(t, c)
	e.Arrive(standin.Event{Device: "theirs", Body: []byte("1")}, standin.Event{Device: "ours", Body: []byte("2")})
	if got := message(t, r); got.DeviceID != "ours" {
		t.Errorf("read of %s", got.DeviceID)
	}
}

// Whatever arrives while the reader is away is read later, once, and the gap is
// told.
func TestAReaderComesBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lose func(e *standin.Endpoint)
		back func(e *standin.Endpoint)
	}{
		"a connection that is cut":      {lose: (*standin.Endpoint).Cut},
		"an endpoint that is away":      {lose: (*standin.Endpoint).Down, back: (*standin.Endpoint).Up},
		"a reader with a higher epoch":  {lose: func(e *standin.Endpoint) { e.Detach("amqp:link:stolen", "New receiver with higher epoch") }},
		"a token that is taken no more": {lose: func(e *standin.Endpoint) { e.Unauthorized(401, "ExpiredToken"); e.Cut() }, back: (*standin.Endpoint).Heal},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := standin.Start(t, standin.Config{})
			r := open(t, config(e))
			e.Arrive(standin.Event{Device: "d", Body: []byte("before")})
			if m := message(t, r); string(m.Message.Payload) != "before" {
				t.Fatalf("read %q", m.Message.Payload)
			}
			c.lose(e)
			gap := next(t, r)
			if gap.Kind != hub.KindGap || gap.Gap.From.IsZero() || !gap.Gap.To.IsZero() || gap.Gap.Why == "" {
				t.Fatalf("%+v, %+v", gap, gap.Gap)
			}
			e.Arrive(standin.Event{Device: "d", Body: []byte("in the gap")})
			if c.back != nil {
				c.back(e)
			}
			back := next(t, r)
			for back.Kind == hub.KindGap && back.Gap.From.Equal(gap.Gap.From) { // what keeps it away is known better
				back = next(t, r)
			}
			if back.Kind != hub.KindListening || !back.Gap.From.Equal(gap.Gap.From) || back.Gap.To.IsZero() {
				t.Fatalf("%+v, %+v", back, back.Gap)
			}
			e.Arrive(standin.Event{Device: "d", Body: []byte("after")})
			for _, want := range []string{"in the gap", "after"} {
				if m := message(t, r); string(m.Message.Payload) != want {
					t.Errorf("read %q, want %q", m.Message.Payload, want)
				}
			}
		})
	}
}

// To an endpoint that hangs the connection stays: it is noticed all the same.
func TestAnEndpointThatHangsIsNoticed(t *testing.T) {
	t.Parallel()
	e := standin.Start(t, standin.Config{})
	r := open(t, config(e))
	e.Hang(events.NoticedWithin + 4*time.Second)
	gap := next(t, r)
	if gap.Kind != hub.KindGap || !strings.Contains(gap.Gap.Why, access.ErrSilent.Error()) {
		t.Fatalf("%+v, %+v", gap, gap.Gap)
	}
	for back := gap; back.Kind != hub.KindListening; back = next(t, r) {
		if back.Kind != hub.KindGap {
			t.Fatalf("%+v", back)
		}
	}
}

// What keeps a reader away is told, and not only how it was lost; it says that it
// reads once it does.
func TestWhatKeepsAReaderAway(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		lose func(e *standin.Endpoint)
		back func(e *standin.Endpoint)
		want error
	}{
		"an endpoint that is away":      {(*standin.Endpoint).Down, (*standin.Endpoint).Up, access.ErrRefused},
		"a token that is taken no more": {func(e *standin.Endpoint) { e.Unauthorized(401, "ExpiredToken"); e.Cut() }, (*standin.Endpoint).Heal, events.ErrToken},
		"a consumer group that is taken": {func(e *standin.Endpoint) {
			e.Refuse("ConsumerGroups", "amqp:resource-limit-exceeded", "five read", 0)
			e.Detach("amqp:link:stolen", "New receiver with higher epoch")
		}, (*standin.Endpoint).Heal, events.ErrTaken},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := standin.Start(t, standin.Config{})
			r := open(t, config(e))
			x.lose(e)
			for told := false; !told; {
				got := next(t, r)
				if got.Kind != hub.KindGap || !got.Gap.To.IsZero() {
					t.Fatalf("%+v, %+v", got, got.Gap)
				}
				told = strings.Contains(got.Gap.Why, x.want.Error())
			}
			x.back(e)
			if got := next(t, r); got.Kind != hub.KindListening {
				t.Errorf("%+v, %+v", got, got.Gap)
			}
		})
	}
}

// A link that the endpoint moves is attached again where it was, by the client
// or by the reader.
func TestALinkThatIsMovedLosesNothing(t *testing.T) {
	t.Parallel()
	e := standin.Start(t, standin.Config{})
	r := open(t, config(e))
	for _, want := range []string{"1", "2", "3"} {
		e.Arrive(standin.Event{Device: "d", Body: []byte(want)})
		m := next(t, r)
		for m.Kind != hub.KindMessage {
			m = next(t, r)
		}
		if string(m.Message.Payload) != want {
			t.Errorf("read %q, want %q", m.Message.Payload, want)
		}
		e.Detach("amqp:link:detach-forced", "The link is force detached")
	}
}

func TestNothingIsLostUnderLoad(t *testing.T) {
	t.Parallel()
	const devices, each = 10, 100
	e := standin.Start(t, standin.Config{})
	r := open(t, config(e))
	var all []standin.Event
	for i := range each {
		for d := range devices {
			all = append(all, standin.Event{Device: fmt.Sprint("d", d), Body: fmt.Append(nil, i)})
		}
	}
	for i := 0; i < len(all); i += 100 {
		e.Arrive(all[i : i+100]...)
		if i == 500 {
			e.Cut()
		}
	}
	read := map[string]int{}
	for n := 0; n < len(all); {
		m := next(t, r)
		if m.Kind != hub.KindMessage {
			continue
		}
		if got := string(m.Message.Payload); got != fmt.Sprint(read[m.DeviceID]) {
			t.Fatalf("%s: read %s, want %d", m.DeviceID, got, read[m.DeviceID])
		}
		read[m.DeviceID]++
		n++
	}
}

// Each cause is told from the others, with its own cure.
func TestFailuresAreToldApart(t *testing.T) {
	t.Parallel()
	cures := map[string]string{}
	for _, c := range []struct {
		name string
		of   func(e *standin.Endpoint, c *events.Config)
		want error
	}{
		{"another key", func(e *standin.Endpoint, c *events.Config) {
			c.ConnectionString = standin.Config{Policies: map[string]string{standin.Policy: "YW5vdGhlciBrZXkgb2Ygbm8gaHViLCAzMiBieXRlcw=="}}.Events()
		}, events.ErrToken},
		{"a policy without the right", func(e *standin.Endpoint, _ *events.Config) {
			e.Refuse("Partitions", "amqp:unauthorized-access", "Unauthorized access. 'Listen' claim(s) are required", 0)
		}, events.ErrRights},
		{"another Event Hub", func(_ *standin.Endpoint, c *events.Config) {
			c.ConnectionString = standin.Config{Entity: "nobodys"}.Events()
		}, events.ErrEntity},
		{"an unknown consumer group", func(_ *standin.Endpoint, c *events.Config) { c.Group = "nobodys" }, events.ErrGroup},
		{"five other readers", func(e *standin.Endpoint, _ *events.Config) {
			e.Refuse("Partitions", "amqp:resource-limit-exceeded", "Exceeded the maximum number of allowed receivers per partition in a consumer group which is 5.", 0)
		}, events.ErrTaken},
		{"a busy endpoint", func(e *standin.Endpoint, _ *events.Config) { e.Unauthorized(503, "busy") }, events.ErrBusy},
		{"a closed port", func(_ *standin.Endpoint, c *events.Config) { c.Network.Endpoint = "127.0.0.1:1" }, access.ErrRefused},
		{"another root", func(_ *standin.Endpoint, c *events.Config) { c.Network.Roots = nil }, access.ErrUntrusted},
		{"a name that does not resolve", func(_ *standin.Endpoint, c *events.Config) { c.Network.Endpoint = "nobody.invalid:5671" }, access.ErrName},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := standin.Start(t, standin.Config{})
			e.Arrive(standin.Event{Device: "d"})
			config := config(e)
			c.of(e, &config)
			ctx, cancel := context.WithTimeout(t.Context(), within)
			defer cancel()
			_, err := events.Open(ctx, config)
			var f *record.Failure
			if !errors.Is(err, c.want) || !errors.As(err, &f) || f.Class != record.RigCloud || f.Cure == "" {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if other, twice := cures[f.Cure]; twice {
				t.Errorf("the cure is that of %s: %s", other, f.Cure)
			}
			cures[f.Cure] = c.name
			t.Log(err)
		})
	}
}

// A refusal that is long under way is waited for, also where nothing of before
// is there that could be read again.
func TestARefusalFromFarAwayIsWaitedFor(t *testing.T) {
	t.Parallel()
	e := standin.Start(t, standin.Config{})
	e.Refuse("Partitions", "amqp:resource-limit-exceeded", "Exceeded the maximum number of allowed receivers per partition in a consumer group which is 5.", 0)
	config := config(e)
	config.Network.Endpoint = farFrom(t, e.Address)
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	if r, err := events.Open(ctx, config); !errors.Is(err, events.ErrTaken) {
		if err == nil {
			_ = r.Close(ctx)
		}
		t.Errorf("got %v, want %v", err, events.ErrTaken)
	}
}

// farFrom listens, and an address is 100 ms behind it, each way.
func farFrom(t *testing.T, address string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			raw, err := l.Accept()
			if err != nil {
				return // the test is over
			}
			near := link.New(raw, link.Shape{Latency: 100 * time.Millisecond})
			far, err := net.Dial("tcp", address)
			if err != nil {
				_ = near.Close()
				continue
			}
			go func() { _, _ = io.Copy(far, near); _ = far.Close() }()
			go func() { _, _ = io.Copy(near, far); _ = near.Close() }()
		}
	}()
	return l.Addr().String()
}
