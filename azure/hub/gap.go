package hub

import (
	"fmt"
	"time"
)

// Gap is a stretch of time in which messages could arrive that the hub did not
// see. Of what could have been missed nothing is judged.
type Gap struct {
	From time.Time `json:"from,omitzero"` // zero: from the beginning
	To   time.Time `json:"to,omitzero"`   // zero: it goes on
	Why  string    `json:"why"`

	Unproven bool `json:"unproven,omitzero"` // who listens is there: the first message ends it
}

// String is one line for people.
func (g Gap) String() string {
	const clock = "15:04:05.000"
	switch {
	case g.From.IsZero() && g.To.IsZero():
		return "nothing is seen: " + g.Why
	case g.From.IsZero():
		return fmt.Sprintf("nothing was seen before %s: %s", g.To.Format(clock), g.Why)
	case g.To.IsZero():
		return fmt.Sprintf("nothing is seen since %s: %s", g.From.Format(clock), g.Why)
	}
	return fmt.Sprintf("nothing was seen from %s to %s: %s", g.From.Format(clock), g.To.Format(clock), g.Why)
}

// Listening is how an observer sees what arrives.
type Listening struct {
	Protocol string `json:"protocol"` // "MQTT 5", "MQTT 3.1.1"
	QoS      byte   `json:"qos"`      // granted: of a message no more can be seen
	Retain   bool   `json:"retain"`   // RETAIN is seen as it was published
}

// Listening is how messages are seen at present; false at a hub that sees them
// as they were published.
func (v *Events) Listening() (Listening, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.listens == nil {
		return Listening{}, false
	}
	return *v.listens, true
}

// mostGaps are kept apart; of more the oldest become one.
const mostGaps = 1000

// withGap adds a gap to those before it, in the order of their beginnings. One
// that went on is replaced by how it is now.
func withGap(gaps []Gap, g Gap) []Gap {
	if n := len(gaps); n > 0 && gaps[n-1].To.IsZero() {
		gaps = gaps[:n-1]
	}
	gaps = append(gaps, g)
	if len(gaps) > mostGaps {
		gaps[1].From = gaps[0].From
		gaps = gaps[1:]
	}
	return gaps
}

// Missed are the stretches between two moments in which what arrived could go
// unseen; none at a hub that sees everything.
func (v *Events) Missed(from, to time.Time) (missed []Gap) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, g := range v.gaps {
		if g.From.Before(to) && (g.To.IsZero() || g.To.After(from)) {
			missed = append(missed, g)
		}
	}
	return missed
}
