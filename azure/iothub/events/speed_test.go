package events_test

import (
	"context"
	"testing"

	"hilrig/azure/iothub/events"
	"hilrig/azure/iothub/standin"
)

// How long a run waits for its reader, at a hub where the way takes no time.
func BenchmarkReady(b *testing.B) {
	e := standin.Start(b, standin.Config{})
	for d := range 16 {
		e.Arrive(standin.Event{Device: string(rune('a' + d)), Body: []byte("of before")})
	}
	for b.Loop() {
		r, err := events.Open(b.Context(), config(e))
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := r.Close(context.Background()); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// From the arrival of a message to its event.
func BenchmarkRead(b *testing.B) {
	e := standin.Start(b, standin.Config{})
	r, err := events.Open(b.Context(), config(e))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = r.Close(context.Background()) }()
	if _, err := r.Next(b.Context()); err != nil { // it listens
		b.Fatal(err)
	}
	for b.Loop() {
		e.Arrive(standin.Event{Device: "d", Body: []byte("{}")})
		if _, err := r.Next(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
