package hub_test

import (
	"slices"
	"testing"

	"hilrig/azure/hub"
	"hilrig/record"
)

// besides is the record of a hub for "mine", with "other" at the same address.
type besides struct{ *hub.Events }

func newBesides() besides {
	v := hub.NewEvents("mine", 0)
	v.Know(hub.Device{ID: "mine", Thumbprints: []string{"AA"}})
	v.Beside([]string{"other"})
	return besides{v}
}

func (v besides) begins(conn int64) {
	v.Add(hub.Event{Kind: hub.KindAccepted, Conn: conn, Remote: "192.0.2.1:1000"})
}

func (v besides) fails(conn int64, fault string) {
	v.begins(conn)
	if fault != "" {
		v.Add(hub.Event{Kind: hub.KindFaultShown, Conn: conn, Fault: fault})
	}
	v.Add(hub.Event{Kind: hub.KindHandshake, Conn: conn, Handshake: &hub.Handshake{Fault: fault}})
	v.ends(conn)
}

func (v besides) ends(conn int64) { v.Add(hub.Event{Kind: hub.KindDisconnected, Conn: conn}) }

func (v besides) connects(conn int64, id, print string, code byte) {
	v.begins(conn)
	v.Add(hub.Event{Kind: hub.KindHandshake, Conn: conn, Handshake: &hub.Handshake{OK: true, Thumbprints: record.Thumbprints{SHA256: print}}})
	v.Add(hub.Event{Kind: hub.KindConnect, Conn: conn, DeviceID: id, Connect: &hub.Connect{ClientID: id, ReturnCode: code}})
}

func TestWhoseAConnectionIsBesideANeighbour(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do       func(besides)
		whose    map[int64]string
		dialling []string
	}{
		"by its certificate": {
			func(v besides) {
				v.connects(1, "mine", "AA", 0)
				v.connects(2, "other", "BB", 5)
				v.connects(3, "mine", "AA", 0)
				v.begins(4)
				v.Add(hub.Event{Kind: hub.KindHandshake, Conn: 4, Handshake: &hub.Handshake{OK: true, Thumbprints: record.Thumbprints{SHA256: "BB"}}})
			},
			map[int64]string{1: "mine", 2: "other's", 3: "mine", 4: "other's"}, []string{"other"},
		},
		"without one, while the other may dial": {
			func(v besides) { v.connects(1, "other", "BB", 5); v.ends(1); v.fails(2, "expired") },
			map[int64]string{1: "other's", 2: "unclear"}, []string{"other"},
		},
		"without one, while the other has a session": {
			func(v besides) {
				v.connects(1, "mine", "AA", 0)
				v.ends(1)
				v.connects(2, "other", "BB", 0)
				v.fails(3, "expired")
			},
			map[int64]string{2: "other's", 3: "mine"}, nil,
		},
		"without one, behind the end of the other's session": {
			func(v besides) { v.connects(1, "other", "BB", 0); v.ends(1); v.fails(2, "expired") },
			map[int64]string{2: "unclear"}, []string{"other"},
		},
		"without one, while the device itself has a session": {
			func(v besides) { v.connects(1, "mine", "AA", 0); v.fails(2, ""); v.ends(1); v.fails(3, "expired") },
			map[int64]string{2: "other's", 3: "unclear"}, []string{""},
		},
		"its own certificate without its key's word": {
			func(v besides) {
				v.connects(1, "other", "BB", 5)
				v.begins(2)
				v.Add(hub.Event{Kind: hub.KindHandshake, Conn: 2, Handshake: &hub.Handshake{Thumbprints: record.Thumbprints{SHA256: "AA"}}})
			},
			map[int64]string{2: "mine"}, []string{"other"},
		},
		"the other's name with the device's certificate": {
			func(v besides) { v.connects(1, "other", "AA", 5) },
			map[int64]string{1: "mine"}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newBesides()
			c.do(v)
			for conn, want := range c.whose {
				got := "mine"
				switch {
				case v.Others(conn):
					got = "other's"
				case v.Unclear(conn):
					got = "unclear"
				}
				if mine := v.Proof(conn) > hub.ProofNone; got != want || mine != (want == "mine") {
					t.Errorf("connection %d is %s (%s), want %s", conn, got, v.Proof(conn), want)
				}
				if want != "other's" && v.Stranger(conn) {
					t.Errorf("what is shown would not be shown to connection %d", conn)
				}
			}
			if got := v.Dialling(); !slices.Equal(got, c.dialling) {
				t.Errorf("%q may dial, want %q", got, c.dialling)
			}
		})
	}
}
