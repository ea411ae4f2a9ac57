package link

import (
	"sync/atomic"
	"time"

	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/Shopify/toxiproxy/v2/toxics"
)

// stalling is a toxic that toxiproxy does not have.
type stalling struct {
	Stalls
	segments *atomic.Int64 // of the connection so far
}

// Pipe holds segments up. Nobody interrupts the toxics of a link: it is what
// it was when its connection began.
func (s stalling) Pipe(stub *toxics.ToxicStub) {
	defer stub.Close()
	for {
		c := <-stub.Input
		if c == nil {
			return
		}
		if n := int(s.segments.Add(1)) - s.First; n >= 0 && n%s.Every == 0 {
			time.Sleep(s.For)
		}
		stub.Output <- c
	}
}

// window is how many segments wait in front of a toxic before their sender
// does: about the 64 kB of a TCP window. It bounds too for how long a link that
// is closed still works off what it holds.
const window = 45

// toxics are the shape's, for both directions of a connection, in the order in
// which bytes meet them: distance first, then the narrow place, where they
// queue.
func (s Shape) toxics() (all []toxics.Toxic) {
	if s.Stalls.Every > 0 {
		all = append(all, stalling{s.Stalls, new(atomic.Int64)})
	}
	if s.Latency > 0 || s.Jitter > 0 {
		all = append(all, &toxics.LatencyToxic{Latency: max(s.Latency, s.Jitter).Milliseconds(), Jitter: s.Jitter.Milliseconds()})
	}
	if s.Rate > 0 {
		all = append(all, &toxics.BandwidthToxic{Rate: max(1, int64(s.Rate)/1000)})
	}
	return all
}

// run starts one direction's toxics and returns both of its ends.
func run(all []toxics.Toxic) (*stream.ChanWriter, *stream.ChanReader) {
	first := make(chan *stream.StreamChunk, window)
	last := first
	for _, t := range all {
		next := make(chan *stream.StreamChunk, window)
		stub := toxics.NewToxicStub(last, next)
		go stub.Run(&toxics.ToxicWrapper{Toxic: t, Toxicity: 1})
		last = next
	}
	return stream.NewChanWriter(first), stream.NewChanReader(last)
}
