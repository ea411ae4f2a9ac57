package hub

import (
	"context"
	"testing"

	"hilrig/record"
)

type plain struct{}

func (plain) Events() *Events             { return nil }
func (plain) Letters() Letters            { return "" }
func (plain) Close(context.Context) error { return nil }

type dropping struct {
	plain
	dropped bool
}

func (d dropping) Drop(string) bool { return d.dropped }

type pushing struct{ plain }

func (pushing) Serves(string, string) bool { return true }
func (pushing) Excuse(string)              {}
func (pushing) Push(string, []byte) error  { return nil }

type front struct {
	Hub
	behind Hub
}

func (f front) Behind() Hub { return f.behind }

type droppingFront struct {
	front
	dropping
}

func (f droppingFront) Events() *Events             { return nil }
func (f droppingFront) Letters() Letters            { return "" }
func (f droppingFront) Close(context.Context) error { return nil }

// What a hub in front can do itself it does; the rest is asked of the one
// behind it.
func TestAHubInFrontHasTheAbilitiesOfTheOneBehind(t *testing.T) {
	for _, c := range []struct {
		name            string
		h               Hub
		drops, does, pk bool
	}{
		{"a plain hub", plain{}, false, false, false},
		{"one that drops", dropping{dropped: true}, true, true, false},
		{"in front of a plain one", front{plain{}, plain{}}, false, false, false},
		{"in front of one that drops", front{plain{}, dropping{dropped: true}}, true, true, false},
		{"in front of one in front of one", front{plain{}, front{plain{}, pushing{}}}, false, false, true},
		{"that drops itself", droppingFront{front{plain{}, pushing{}}, dropping{dropped: false}}, true, false, true},
	} {
		a := Of(c.h)
		if (a.Sessions != nil) != c.drops || (a.Packets != nil) != c.pk || a.Sessions != nil && a.Drop("") != c.does || a.Hub != c.h || a.Registry != nil {
			t.Errorf("%s: %+v", c.name, a)
		}
	}
}

// A thumbprint that one of the two learns both know.
func TestARecordInFrontKnowsTheDevice(t *testing.T) {
	behind := NewEvents("d", 0)
	before := behind.Front()
	behind.Know(Device{ID: "d", Thumbprints: []string{"aa"}})
	behind.Know(Device{ID: "other", Thumbprints: []string{"bb"}})
	for conn, print := range map[int64]string{1: "AA", 2: "BB"} {
		before.Add(Event{Kind: KindAccepted, Conn: conn, Remote: "10.0.0.1:1"})
		before.Add(Event{Kind: KindHandshake, Conn: conn, Handshake: &Handshake{OK: true, Thumbprints: record.Thumbprints{SHA256: print}}})
	}
	if before.Proof(1) != ProofCertificate || before.Proof(2) == ProofCertificate || len(behind.Since(0)) > 0 {
		t.Errorf("proofs: %s, %s; %d events behind", before.Proof(1), before.Proof(2), len(behind.Since(0)))
	}
}
