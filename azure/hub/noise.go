package hub

import (
	"net/netip"
	"time"
)

// How much of what strangers do is recorded one by one, for each address, and
// how much of what may be the device's own. The rest is counted: whoever knocks
// for hours must not push the device's evidence out of the record.
const (
	strangerBurst, strangerRate = 20, 10 // connections, and so many a second
	ownBurst, ownRate           = 200, 50
	noiseEvery                  = time.Second
	mostSources                 = 1024
)

// bucket lets so many through at once, and so many a second.
type bucket struct {
	burst, perSecond float64
	left             float64
	at               time.Time
}

func (b *bucket) take(now time.Time) bool {
	if b.at.IsZero() {
		b.left = b.burst
	} else {
		b.left = min(b.burst, b.left+now.Sub(b.at).Seconds()*b.perSecond)
	}
	b.at = now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}

// source is an address that connections come from.
type source struct {
	bucket
	pending Noise // not yet told
}

func (a *attribution) sourceOf(at netip.Addr) *source {
	s := a.sources[at]
	if s == nil {
		s = &source{}
		a.sources[at] = s
	}
	return s
}

// loud reports whether a connection comes from an address that has had more
// than its share of the record.
func (a *attribution) loud(p *party, e Event) bool {
	s := a.sourceOf(p.from)
	if s.burst, s.perSecond = ownBurst, ownRate; a.proofOf(p) == ProofNone {
		s.burst, s.perSecond = strangerBurst, strangerRate
		return !s.take(e.At) || !a.crowd.take(e.At)
	}
	return !s.take(e.At)
}

// evicted notes that connections from an address were closed to make room.
func (a *attribution) evicted(at netip.Addr, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sourceOf(at).pending.Evicted += n
}

// noise is what is to be told of loud sources by now: at most once a second,
// and what is left of it at the end.
func (a *attribution) noise(now time.Time, last bool) (events []Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !last && now.Sub(a.told) < noiseEvery {
		return nil
	}
	a.told = now
	for at, s := range a.sources {
		n := s.pending
		if n == (Noise{}) {
			if len(a.sources) > mostSources && now.Sub(s.at) > time.Minute {
				delete(a.sources, at)
			}
			continue
		}
		n.Address, n.AtDevice = at.String(), a.homes[at]
		events = append(events, Event{Kind: KindNoise, At: now, Remote: n.Address, Text: n.describe(), Noise: &n})
		s.pending = Noise{}
	}
	return events
}
