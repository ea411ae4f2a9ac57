package door_test

import (
	"net/netip"
	"slices"
	"testing"

	"hilrig/azure/door"
	"hilrig/azure/hub"
)

// visitor is a connection that notes that it was closed.
type visitor struct {
	conn int64
	out  *[]int64
}

func (v visitor) Close() error { *v.out = append(*v.out, v.conn); return nil }

// A door that is full shows the oldest out of the address that has most, and
// never one that has proven whose it is; where all have, the next stays out.
func TestARoomThatIsFull(t *testing.T) {
	type comes struct {
		from   string
		proven bool
	}
	crowd := func(n int, c comes) []comes { return slices.Repeat([]comes{c}, n) }
	for _, c := range []struct {
		name   string
		before []comes // fill the room
		in     bool    // the next comes
		out    []int64
	}{
		{"strangers of one address", crowd(16, comes{"10.0.0.1", false}), true, []int64{1, 2}},
		{"the address that has most", append(crowd(7, comes{"10.0.0.1", false}), crowd(9, comes{"10.0.0.2", false})...), true, []int64{8, 9}},
		{"one stranger among the device's", append(crowd(15, comes{"10.0.0.1", true}), comes{"10.0.0.1", false}), true, []int64{16}},
		{"the device's alone", crowd(16, comes{"10.0.0.1", true}), false, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := hub.NewEvents("d", 0)
			v.Know(hub.Device{ID: "d"})
			d := door.New(len(c.before), v)
			var out []int64
			for i, x := range c.before {
				conn := int64(i + 1)
				v.Add(hub.Event{Kind: hub.KindAccepted, Conn: conn, Remote: x.from + ":1"})
				if x.proven {
					v.Add(hub.Event{Kind: hub.KindConnect, Conn: conn, DeviceID: "d", Connect: &hub.Connect{ClientID: "d", Answered: true}})
				}
				if !d.Enter(conn, netip.MustParseAddr(x.from), visitor{conn, &out}) {
					t.Fatalf("connection %d stays out", conn)
				}
			}
			from := netip.MustParseAddr("10.0.0.3")
			if in := d.Enter(99, from, visitor{99, &out}); in != c.in || !slices.Equal(out, c.out) {
				t.Errorf("the next comes in: %v; out went %v", in, out)
			}
			v.Tell()
			n := 0
			for _, e := range v.Since(0) {
				if e.Kind == hub.KindNoise {
					n += e.Noise.Evicted
				}
			}
			if want := max(1, len(c.out)); n != want {
				t.Errorf("%d are told of, want %d", n, want)
			}
		})
	}
}
