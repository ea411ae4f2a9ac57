package runner

import (
	"bufio"
	"encoding/json"
	"io"
	"testing"
	"time"

	"hilrig/record"
)

// A supervisor that does not read holds a spec up at its end, not within.
func TestStreamNeverHoldsUpASpec(t *testing.T) {
	r, w := io.Pipe()
	defer r.Close()
	s := startStream(w, func() { t.Error("broken") })
	within := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		for range 1000 {
			s.send(record.Event{Source: record.SourceMQTT, Kind: "packet"})
		}
		close(within)
		s.send(record.Event{Source: record.SourceSpec, Kind: record.KindSpecFinished})
		close(ended)
	}()
	select {
	case <-within:
	case <-time.After(10 * time.Second):
		t.Fatal("events within a spec wait for their reader")
	}
	select {
	case <-ended:
		t.Fatal("a result was not waited for")
	case <-time.After(50 * time.Millisecond):
	}
	lines := bufio.NewScanner(r)
	var last record.Event
	for n := 0; n < 1001 && lines.Scan(); n++ {
		if err := json.Unmarshal(lines.Bytes(), &last); err != nil {
			t.Fatal(err)
		}
	}
	if last.Kind != record.KindSpecFinished {
		t.Errorf("the last of them is %q", last.Kind)
	}
	<-ended
}

func TestStreamEndsWithItsReader(t *testing.T) {
	r, w := io.Pipe()
	gone := make(chan struct{})
	s := startStream(w, func() { close(gone) })
	_ = r.Close()
	s.send(record.Event{Source: record.SourceSpec, Kind: record.KindSpecFinished})
	<-gone
	s.send(record.Event{Source: record.SourceSpec, Kind: record.KindSpecFinished})
}
