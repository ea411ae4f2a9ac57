package onboard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"hilrig/azure/hub"
)

// wantMessages is how many messages of telemetry are waited for: two gaps
// between them.
const wantMessages = 3

// watch sees the board connect and deliver.
func (l *learner) watch(ctx context.Context, h *watchHub, since time.Time) error {
	k := &l.known
	e, err := l.awaitSession(ctx, h, since)
	if err != nil {
		return err
	}
	if e == nil {
		if again, restarted := l.restart(ctx); restarted {
			since = again
			if e, err = l.awaitSession(ctx, h, since); err != nil {
				return err
			}
		}
	}
	if e == nil {
		k.Restart = ""
		why := l.whyNot(h)
		l.Say("  it did not connect: %s", why)
		l.note("it did not connect within " + l.Within.String() + ": " + why)
		return nil
	}
	k.Seen, k.Connect, k.From = true, e.At.Sub(since), hub.AddressOf(e.Remote)
	l.Say("  connected after %s, from %s", round(k.Connect), k.From)
	return l.interval(ctx, h, since)
}

// awaitSession waits for an accepted CONNECT after since; nil: none came.
func (l *learner) awaitSession(ctx context.Context, h *watchHub, since time.Time) (*hub.Event, error) {
	return l.await(ctx, h, 0, "waiting for it to connect to "+l.Address(), func(e hub.Event) bool {
		return e.Accepted() && e.At.After(since)
	})
}

// await is a bounded wait with a word every ten seconds; no event is no error.
func (l *learner) await(ctx context.Context, h *watchHub, from int, what string, match func(hub.Event) bool) (*hub.Event, error) {
	l.Say("%s, at most %s", what, l.Within)
	began, end := time.Now(), time.Now().Add(l.Within)
	for {
		until := min(time.Until(end), 10*time.Second)
		waiting, cancel := context.WithTimeout(ctx, until)
		e, err := h.Events().Await(waiting, from, match)
		cancel()
		switch {
		case err == nil:
			return &e, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case time.Now().After(end) || !errors.Is(err, context.DeadlineExceeded):
			return nil, nil
		}
		l.Say("  %s, not yet", time.Since(began).Round(time.Second))
	}
}

// restart makes the board begin anew, by its command or by a person's hand.
func (l *learner) restart(ctx context.Context) (since time.Time, done bool) {
	switch {
	case l.Reboot != "":
		l.Say("restarting it with %q", l.Reboot)
		if err := l.board.Command(ctx, l.Reboot); err != nil {
			l.Say("  %s", err)
			return time.Time{}, false
		}
		l.known.Restart = "command"
	case !l.Yes && l.Ask(ctx, "it has not connected. Restart it now (power, or its button); have you?"):
		l.known.Restart = "hand"
	default:
		return time.Time{}, false
	}
	return time.Now(), true
}

// interval measures the gaps between messages.
func (l *learner) interval(ctx context.Context, h *watchHub, since time.Time) error {
	k := &l.known
	a := &arrivals{since: since}
	last, err := l.await(ctx, h, 0, fmt.Sprintf("waiting for %d messages", wantMessages), a.enough)
	if err != nil {
		return err
	}
	at := a.at
	if last == nil && len(at) == 0 {
		why := l.whyNot(h)
		l.note("it delivered nothing within " + l.Within.String() + ": " + why)
		l.Say("  nothing was delivered: %s", why)
		return nil
	}
	k.Message = at[0].Sub(since)
	var gaps []time.Duration
	for i := 1; i < len(at); i++ {
		gaps = append(gaps, at[i].Sub(at[i-1]))
	}
	if len(gaps) > 0 {
		slices.Sort(gaps)
		k.Interval = gaps[len(gaps)/2]
		l.Say("  a message every %s", round(k.Interval))
	} else {
		l.note("one message within " + l.Within.String() + ": its interval is not learnt")
	}
	for _, e := range h.Events().Since(0) {
		if e.Kind == hub.KindDisconnected && e.ByDevice && !e.Takeover && h.Events().Proof(e.Conn) >= hub.ProofClientID && e.At.After(since) {
			k.Sessions++
		}
	}
	return nil
}

// arrivals are when messages came. Whoever waits in turns sees an event again
// in each: it counts once.
type arrivals struct {
	since time.Time
	last  int // hub event of the newest, and one
	at    []time.Time
}

func (a *arrivals) enough(e hub.Event) bool {
	if e.Telemetry() && e.At.After(a.since) && e.Seq >= a.last {
		a.at, a.last = append(a.at, e.At), e.Seq+1
	}
	return len(a.at) >= wantMessages
}

// whyNot is what the hub saw of a board that is not there, or tells nothing.
func (l *learner) whyNot(h *watchHub) string {
	d := h.Events().Diagnose(0, hub.Place{
		DeviceID: l.DeviceID, Name: l.Host, Addr: l.Address(), SetBoth: "--device-id and --host", SetName: "--host",
	})
	switch {
	case !d.Came:
		return "no connection came to " + l.Address() + ": are broker, port and network set in the board?"
	case d.Look == "":
		return d.Text
	}
	return d.Text + ": " + d.Look
}
