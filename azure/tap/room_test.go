package tap

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"time"

	"hilrig/azure/door"
	"hilrig/azure/hub"
)

// behind is a hub that shows messages alone.
type behind struct{ events *hub.Events }

func (b behind) Events() *hub.Events       { return b.events }
func (behind) Letters() hub.Letters        { return hub.OfBroker }
func (behind) Close(context.Context) error { return nil }

// What a tap carries at once is bounded, also where there is no stranger to make
// room: then the new one stays out. Both are told.
func TestATapThatIsFull(t *testing.T) {
	for _, c := range []struct {
		name   string
		proven bool
		in     bool
	}{{"of strangers", false, true}, {"of the device's own", true, false}} {
		t.Run(c.name, func(t *testing.T) {
			x := newTap(behind{hub.NewEvents("d", 0)}, "d", "", slog.New(slog.DiscardHandler))
			defer x.end()
			x.door = door.New(1, x.events)
			x.events.Know(hub.Device{ID: "d"})
			first, second := accepted(t, x), accepted(t, x)
			if !x.adopt(first) {
				t.Fatal("no room for one")
			}
			first.add(hub.Event{Kind: hub.KindAccepted})
			if c.proven {
				first.add(hub.Event{Kind: hub.KindConnect, DeviceID: "d", Connect: &hub.Connect{ClientID: "d", Answered: true}})
			}
			if in := x.adopt(second); in != c.in {
				t.Errorf("the next comes in: %v", in)
			}
			if first.why != "" != c.in {
				t.Errorf("the first ended %q", first.why)
			}
			if _, known := x.conns[second.id]; known != c.in {
				t.Errorf("the next is known: %v", known)
			}
			x.events.Tell()
			if e, err := x.events.Await(t.Context(), 0, func(e hub.Event) bool { return e.Kind == hub.KindNoise }); err != nil || e.Noise.Evicted != 1 {
				t.Errorf("%+v %v", e, err)
			}
		})
	}
}

// accepted is a connection that has just come.
func accepted(t *testing.T, x *Tap) *conn {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	device, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = device.Close() })
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return newConn(x, x.next.Add(1), c.(*net.TCPConn))
}

// A listener that dies is the rig's trouble, and told as such; one that was
// closed is not.
func TestAListenerThatDies(t *testing.T) {
	for _, c := range []struct {
		name string
		ends func(x *Tap)
		gap  bool
	}{
		{"it dies", func(x *Tap) { _ = x.listener.Close() }, true},
		{"the hub is to be away", (*Tap).Down, false},
		{"the tap is closed", func(x *Tap) { _ = x.stop(t.Context()) }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := newTap(behind{hub.NewEvents("d", 0)}, "d", "", slog.New(slog.DiscardHandler))
			defer func() { _ = x.stop(context.Background()) }()
			if _, err := x.listen(t.Context(), "127.0.0.1:0"); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			c.ends(x)
			x.running.Wait()
			if missed := x.events.Missed(began, time.Now()); len(missed) > 0 != c.gap {
				t.Errorf("missed %v", missed)
			}
		})
	}
}
