package mqttwire

import (
	"bytes"
	"errors"
	"testing"
	"time"
)

func at(second int) func() time.Time {
	return func() time.Time { return time.Unix(int64(second), 0) }
}

// TestSplitterEverySplit feeds one stream cut at every position, and byte by
// byte: the packets are the same.
func TestSplitterEverySplit(t *testing.T) {
	stream := bytes.Join([][]byte{
		Connack(0, true), Pingresp(), Publish(Packet{Topic: "a/b", Payload: bytes.Repeat([]byte{7}, 200), QoS: 1, ID: 3}),
		Suback(9, 1, 0x80), Puback(65535),
	}, nil)
	want := NewSplitter(0, at(1)).Feed(stream)
	if len(want) != 5 {
		t.Fatalf("%d packets, want 5", len(want))
	}
	for cut := 0; cut <= len(stream); cut++ {
		s := NewSplitter(0, at(1))
		sameFrames(t, want, append(s.Feed(stream[:cut]), s.Feed(stream[cut:])...))
	}
	s := NewSplitter(0, at(1))
	var got []Frame
	for _, b := range stream {
		got = append(got, s.Feed([]byte{b})...)
	}
	sameFrames(t, want, got)
}

func sameFrames(t *testing.T, want, got []Frame) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d frames, want %d", len(got), len(want))
	}
	for i := range want {
		if !bytes.Equal(got[i].Raw, want[i].Raw) || got[i].Remaining != want[i].Remaining || got[i].Size() != want[i].Size() {
			t.Fatalf("frame %d is %+v, want %+v", i, got[i], want[i])
		}
	}
}

func TestSplitterTruncatesLargePackets(t *testing.T) {
	s := NewSplitter(100, nil)
	stream := append(Publish(Packet{Topic: "t", Payload: make([]byte, 1000)}), Pingresp()...)
	frames := s.Feed(stream[:100])
	if len(frames) != 1 || !frames[0].Truncated || len(frames[0].Raw) != 100 {
		t.Fatalf("at the limit: %+v", frames)
	}
	if frames[0].Size() != len(stream)-2 {
		t.Fatalf("size is %d, want %d", frames[0].Size(), len(stream)-2)
	}
	if p, vs := Decode(frames[0], true); len(vs) != 0 || p.Topic != "t" {
		t.Fatalf("decoded %+v, %v", p, vs)
	}
	rest := s.Feed(stream[100:])
	if len(rest) != 1 || rest[0].Type() != PINGRESP {
		t.Fatalf("behind it: %+v", rest)
	}
}

func TestSplitterRemainingLength(t *testing.T) {
	tests := []struct {
		name      string
		stream    []byte
		remaining int
		err       error
	}{
		{"one byte", []byte{0xc0, 0x00}, 0, nil},
		{"not minimal, which 3.1.1 allows", []byte{0xc0, 0x80, 0x00}, 0, nil},
		{"not minimal in four bytes", []byte{0x40, 0x82, 0x80, 0x80, 0x00, 0, 1}, 2, nil},
		{"five bytes", []byte{0x30, 0xff, 0xff, 0xff, 0xff, 0x01}, 0, ErrRemainingLength},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := NewSplitter(0, nil)
			frames := s.Feed(tt.stream)
			if !errors.Is(s.Err(), tt.err) {
				t.Fatalf("error %v, want %v", s.Err(), tt.err)
			}
			if tt.err != nil {
				if len(s.Feed(Pingresp())) != 0 || len(frames) != 0 {
					t.Fatal("packets behind an error")
				}
				return
			}
			if len(frames) != 1 || frames[0].Remaining != tt.remaining || frames[0].Size() != len(tt.stream) || len(frames[0].Body()) != tt.remaining {
				t.Fatalf("frames %+v", frames)
			}
		})
	}
}

// TestSplitterMemory declares the largest packet there is and sends little of
// it.
func TestSplitterMemory(t *testing.T) {
	s := NewSplitter(0, nil)
	s.Feed([]byte{0x30, 0xff, 0xff, 0xff, 0x7f, 1, 2, 3})
	if s.Pending() != 8 || cap(s.buf) > 1024 {
		t.Fatalf("pending %d, memory %d", s.Pending(), cap(s.buf))
	}
}
