package broker

import (
	"context"
	"errors"
	"log/slog"
	"testing"
)

// saying is a client whose broker does one thing with what is published.
type saying struct {
	client
	fate  fate
	err   error
	ended chan struct{}
}

func (s *saying) publish(context.Context, string, []byte) (fate, error) { return s.fate, s.err }
func (s *saying) done() <-chan struct{}                                 { return s.ended }
func (s *saying) why() error                                            { return errors.New("EOF") }

// Only a broker that says no leaves the observer unproven and subscribed. A
// message of which nothing is known, and a connection that is gone, are errors.
func TestAProofThatCannotBeTold(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{})
	close(gone)
	for name, c := range map[string]struct {
		said  saying
		wrong bool
	}{
		"it may not publish":     {said: saying{fate: fateForbidden}},
		"no answer":              {said: saying{err: context.DeadlineExceeded}, wrong: true},
		"an error on the way":    {said: saying{err: errors.New("broken pipe")}, wrong: true},
		"refused, and hung up":   {said: saying{fate: fateForbidden, ended: gone}, wrong: true},
		"hung up without a word": {said: saying{err: errors.New("EOF"), ended: gone}, wrong: true},
	} {
		o := &observer{topic: "t", log: slog.New(slog.DiscardHandler), own: map[sent]func(){}}
		if proven, err := o.prove(t.Context(), &c.said); proven || (err != nil) != c.wrong {
			t.Errorf("%s: proven %v, %v", name, proven, err)
		}
	}
}
