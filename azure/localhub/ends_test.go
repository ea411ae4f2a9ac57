package localhub_test

import (
	"io"
	"testing"
	"time"

	"hilrig/azure/hub"
)

// A connection that the hub ends has ended when it is closed, and not when a
// busy host has come to record it: the device's pause would look shorter.
func TestAnEndIsAsOldAsItIs(t *testing.T) {
	b := start(t)
	d := &device{bench: b, t: t, config: b.tls(b.id)}
	d.connects(0)
	held, goOn := make(chan struct{}), make(chan struct{})
	stop := b.hub.Events().Watch(func(e hub.Event) {
		if e.Text == "something takes its time" {
			close(held)
			<-goOn
		}
	})
	defer stop()
	from := b.hub.Events().Mark()
	go b.hub.Events().Add(hub.Event{Kind: hub.KindViolation, Text: "something takes its time"})
	<-held
	if !b.hub.Drop(deviceID) {
		t.Fatal("not connected")
	}
	d.loses(io.EOF)
	seen := time.Now()
	close(goOn)
	if e := b.await(from, "the end", kind(hub.KindDisconnected)); e.At.After(seen) {
		t.Errorf("it ended %s after the device saw it", e.At.Sub(seen))
	}
}
