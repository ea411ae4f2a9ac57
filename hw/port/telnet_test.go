package port

import (
	"bytes"
	"slices"
	"testing"
)

func TestTelnetIsTakenApartHoweverItIsCutUp(t *testing.T) {
	stream := []byte{'a', iac, iac, 'b', iac, do, optComPort, iac, sb, optComPort, 101, 0, iac, iac, 194, 0, iac, se, 'c', iac, 241, 'd'}
	want := []telnetCommand{{verb: do, option: optComPort}, {verb: sb, option: optComPort, data: []byte{101, 0, 255, 194, 0}}}
	for cut := range stream {
		var r telnetReader
		var data []byte
		var said []telnetCommand
		for _, piece := range [][]byte{stream[:cut], stream[cut:]} {
			d, s, err := r.parse(piece)
			if err != nil {
				t.Fatal(err)
			}
			data, said = append(data, d...), append(said, s...)
		}
		if string(data) != "a\xffbcd" {
			t.Errorf("cut at %d: data %q", cut, data)
		}
		same := func(a, b telnetCommand) bool {
			return a.verb == b.verb && a.option == b.option && bytes.Equal(a.data, b.data)
		}
		if !slices.EqualFunc(said, want, same) {
			t.Errorf("cut at %d: said %v", cut, said)
		}
	}
}

func TestParametersWithoutEndAreAnError(t *testing.T) {
	var r telnetReader
	_, _, err := r.parse(append([]byte{iac, sb}, make([]byte, 10_000)...))
	if err == nil {
		t.Error("taken")
	}
}

func TestBytesTakenAreCountedAsTheCallerHasThem(t *testing.T) {
	b := []byte{1, iac, 2}
	for taken, want := range map[int]int{0: 0, 1: 1, 2: 1, 3: 2, 4: 3} {
		if got := unescapedLen(b, taken); got != want {
			t.Errorf("%d of the escaped: got %d, want %d", taken, got, want)
		}
	}
}

// Whatever a server sends, what was data before it was escaped comes out as it
// was, and nothing panics or grows without bound.
func FuzzTelnet(f *testing.F) {
	f.Add([]byte("SEND FILE..."), 3)
	f.Add([]byte{iac, iac, iac, sb, 44, 1, iac, se}, 1)
	f.Add([]byte{iac, do}, 0)
	f.Fuzz(func(t *testing.T, b []byte, cut int) {
		var any telnetReader
		_, _, _ = any.parse(b)
		if len(any.sub) > maxParameters {
			t.Errorf("%d bytes of parameters kept", len(any.sub))
		}
		var r telnetReader
		stream := escaped(b)
		cut = max(0, min(cut, len(stream)))
		first, _, err := r.parse(stream[:cut])
		if err != nil {
			t.Fatal(err)
		}
		second, said, err := r.parse(stream[cut:])
		if err != nil || len(said) > 0 {
			t.Fatal(said, err)
		}
		if got := append(slices.Clone(first), second...); !bytes.Equal(got, b) {
			t.Errorf("%q came out as %q", b, got)
		}
	})
}
