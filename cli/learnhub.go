package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"hilrig/azure/hub"
	"hilrig/azure/localhub"
	"hilrig/certs"
	"hilrig/record"
	"hilrig/runner"
)

// learnHub is the hub that a board is watched at, and what is loaded for it.
type learnHub struct {
	*localhub.Hub
	root      []byte
	identity  *certs.Identity
	what      string // is loaded, for people
	elsewhere bool   // the root is another hub's: nothing will be seen here
	shut      func()
}

// messages of telemetry that are waited for: two gaps between them.
const wantMessages = 3

func (l *learner) address() string { return net.JoinHostPort(l.f.host, strconv.Itoa(l.f.hubPort)) }

// openHub starts the hub before the board is touched: a port that is taken, or
// a file that is wrong, is found here.
func (l *learner) openHub(ctx context.Context) (*learnHub, error) {
	state, err := runner.StateDir()
	if err != nil {
		return nil, err
	}
	store, err := certs.OpenStore(filepath.Join(state, "pki"))
	if err != nil {
		return nil, err
	}
	h := &learnHub{shut: func() {}, what: "this machine's test root and a fresh identity"}
	if h.root, h.identity, err = l.filesToLoad(ctx, store); err != nil {
		return nil, err
	}
	server, err := store.Server(ctx, l.f.host)
	if err != nil {
		return nil, err
	}
	switch {
	case l.f.root != "":
		h.what = fmt.Sprintf("%s, %s and %s", l.f.root, l.f.certificate, l.f.key)
		h.elsewhere = string(h.root) != string(store.Root().PEM)
	case l.f.certificate != "":
		h.what = fmt.Sprintf("this machine's test root, %s and %s", l.f.certificate, l.f.key)
	}
	if h.elsewhere {
		return h, nil
	}
	print := certs.ThumbprintsOf(h.identity.Certificate).SHA256
	h.Hub, err = localhub.New(localhub.Config{
		Host: l.f.host, For: l.f.deviceID, Certificate: server, Log: l.log, Devices: []hub.Device{{ID: l.f.deviceID, Thumbprints: []string{print}}},
	})
	if err != nil {
		return nil, record.NewFailure(record.RigHub, "start", "local hub", err)
	}
	h.shut = func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := h.Close(ctx); err != nil {
			l.log.Warn("close hub", "err", err)
		}
	}
	if _, err := h.Listen(ctx, net.JoinHostPort(l.f.listen, strconv.Itoa(l.f.hubPort))); err != nil {
		h.shut()
		return nil, err
	}
	return h, nil
}

// watch sees the board connect and deliver.
func (l *learner) watch(ctx context.Context, h *learnHub, since time.Time) error {
	k := &l.known
	at, seen, err := l.awaitSession(ctx, h, since)
	if err != nil {
		return err
	}
	if !seen {
		if since, seen = l.restart(ctx); seen {
			if at, seen, err = l.awaitSession(ctx, h, since); err != nil {
				return err
			}
		}
	}
	if !seen {
		k.restart = ""
		why := l.whyNot(h)
		l.say("  it did not connect: %s", why)
		k.notes = append(k.notes, "it did not connect within "+l.f.connectWithin.String()+": "+why)
		return nil
	}
	k.seen, k.connect = true, at.Sub(since)
	l.say("  connected after %s", round(k.connect))
	return l.interval(ctx, h, since)
}

// awaitSession waits for an accepted CONNECT after since.
func (l *learner) awaitSession(ctx context.Context, h *learnHub, since time.Time) (time.Time, bool, error) {
	e, err := l.await(ctx, h, 0, "waiting for it to connect to "+l.address(), func(e hub.Event) bool {
		return e.Accepted() && e.At.After(since)
	})
	if err != nil || e == nil {
		return time.Time{}, false, err
	}
	return e.At, true, nil
}

// await is a bounded wait with a word every ten seconds; no event is no error.
func (l *learner) await(ctx context.Context, h *learnHub, from int, what string, match func(hub.Event) bool) (*hub.Event, error) {
	l.say("%s, at most %s", what, l.f.connectWithin)
	began, end := time.Now(), time.Now().Add(l.f.connectWithin)
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
		l.say("  %s, not yet", time.Since(began).Round(time.Second))
	}
}

// restart makes the board begin anew, by its command or by a person's hand.
func (l *learner) restart(ctx context.Context) (since time.Time, done bool) {
	switch {
	case l.f.reboot != "":
		l.say("restarting it with %q", l.f.reboot)
		if err := l.board.Command(ctx, l.f.reboot); err != nil {
			l.say("  %s", err)
			return time.Time{}, false
		}
		l.known.restart = "command"
	case !l.f.yes && l.ask(ctx, "it has not connected. Restart it now (power, or its button); have you?"):
		l.known.restart = "hand"
	default:
		return time.Time{}, false
	}
	return time.Now(), true
}

// interval measures the gaps between messages.
func (l *learner) interval(ctx context.Context, h *learnHub, since time.Time) error {
	k := &l.known
	a := &arrivals{since: since}
	last, err := l.await(ctx, h, 0, fmt.Sprintf("waiting for %d messages", wantMessages), a.enough)
	if err != nil {
		return err
	}
	at := a.at
	if last == nil && len(at) == 0 {
		k.notes = append(k.notes, "it delivered nothing within "+l.f.connectWithin.String()+": "+l.whyNot(h))
		l.say("  nothing was delivered: %s", l.whyNot(h))
		return nil
	}
	k.message = at[0].Sub(since)
	var gaps []time.Duration
	for i := 1; i < len(at); i++ {
		gaps = append(gaps, at[i].Sub(at[i-1]))
	}
	if len(gaps) > 0 {
		slices.Sort(gaps)
		k.interval = gaps[len(gaps)/2]
		l.say("  a message every %s", round(k.interval))
	} else {
		k.notes = append(k.notes, "one message within "+l.f.connectWithin.String()+": its interval is not learnt")
	}
	for _, e := range h.Events().Since(0) {
		if e.Kind == hub.KindDisconnected && e.ByDevice && !e.Takeover && h.Events().Proof(e.Conn) >= hub.ProofClientID && e.At.After(since) {
			k.sessions++
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

// whyNot is the last thing that the hub has to say of a board that is not
// there.
func (l *learner) whyNot(h *learnHub) string {
	none := "no connection came to " + l.address() + ": are broker, port and network set in the board?"
	said := none
	for _, e := range h.Events().Since(0) {
		switch {
		case e.Conn != 0 && h.Events().Proof(e.Conn) == hub.ProofNone: // a stranger's
		case e.Kind == hub.KindAccepted && said == none:
			said = "it opens connections and begins no TLS: is Use SSL ticked?"
		case e.Kind == hub.KindHandshake && e.Handshake != nil && !e.Handshake.OK && !e.Handshake.Wordless(),
			e.Kind == hub.KindConnect, e.Kind == hub.KindDisconnected && e.DeviceID != "":
			said = e.Text
		}
	}
	return said
}
