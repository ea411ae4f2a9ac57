package backoff

import (
	"context"
	"fmt"
	"time"

	"hilrig/azure/localhub"
	"hilrig/fixtures"
)

// Row is a row of tries that a fault made fail, and the gaps between them.
type Row struct {
	Tries []Try
	Gaps  []time.Duration // from the end of a try to the connection after it
}

// Try is a connection that met the fault.
type Try struct {
	Conn    int64
	Connect localhub.Event
	End     localhub.Event
}

// enough gaps are not added to: a fifth that has grown costs more than it tells.
const enough = 4

// Fail shows the fault to the next n connections of the device, which is made
// to connect now, and follows it through them to the connection after the
// last, or until it has gaps enough. What it has seen when the device stays
// away is returned with the error.
func Fail(ctx context.Context, b *fixtures.Bench, fault localhub.Fault, n int) (Row, error) {
	var r Row
	from := b.Mark()
	showing := b.Hub.Show(fault, n)
	defer showing.Lift()
	way, err := b.Provoke(ctx)
	if err != nil {
		return r, err
	}
	within := 2 * b.Type.Timing.ReconnectWithin // gaps that grow may pass the ordinary limit
	for i := range n {
		what := fmt.Sprintf("try %d of %d to meet the fault %s", i+1, n, fault.Name)
		if i == 0 {
			what += " after " + way
		}
		t := Try{}
		t.Connect, err = b.Await(ctx, from, within, what, func(e localhub.Event) bool {
			return e.Kind == localhub.KindConnect && e.Fault == fault.Name
		})
		if err != nil {
			return r, err
		}
		t.Conn = t.Connect.Conn
		t.End, err = b.Await(ctx, t.Connect.Seq, within, "the end of a connection that met the fault "+fault.Name, func(e localhub.Event) bool {
			return e.Kind == localhub.KindDisconnected && e.Conn == t.Conn
		})
		if err != nil {
			return r, err
		}
		r.Tries = append(r.Tries, t)
		if len(r.Gaps) == enough {
			break
		}
		next, err := b.AwaitConnection(ctx, t.End.Seq+1, within, "a connection after "+fault.Name)
		if err != nil {
			return r, err
		}
		r.Gaps = append(r.Gaps, next.At.Sub(t.End.At))
		from = next.Seq
	}
	return r, nil
}

// Spec judges the gaps between n tries that the fault made fail. A row that
// does not pass is looked at again, after a session that was good for
// something.
func Spec(ctx context.Context, b *fixtures.Bench, fault localhub.Fault, n int) {
	b.Step("the hub shows %s %d times in a row", fault.Name, n)
	first, err := Fail(ctx, b, fault, n)
	b.Premise(err)
	Judge(ctx, b, fault, first)
}

// Judge grades a row, and looks again where it does not pass.
func Judge(ctx context.Context, b *fixtures.Bench, fault localhub.Fault, first Row) {
	rows := [][]time.Duration{first.Gaps}
	v := Defaults.Judge(rows...)
	settle(ctx, b)
	if !v.Passes() {
		b.Step("%s: once more, to be sure", v.Why)
		second, err := Fail(ctx, b, fault, len(first.Tries))
		b.Premise(err)
		rows = append(rows, second.Gaps)
		v = Defaults.Judge(rows...)
		settle(ctx, b)
	}
	for i, g := range rows[0] {
		b.Measure(fmt.Sprintf("gap %d", i+1), g.Seconds(), "s", nil, nil)
	}
	switch {
	case v.Passes():
		b.Step("%s", v.Why)
	case v.Warns():
		b.WarnOf(fixtures.Finding{
			Expected: fmt.Sprintf("gaps that grow, with jitter, between %d tries that end in %s", len(first.Tries), fault.Name),
			Seen:     v.Why + "; a fleet that does so comes back all at once", Look: delayLook, At: first.began(),
		})
	default:
		b.Fail(fixtures.Finding{
			Expected: fmt.Sprintf("gaps that grow, with jitter, between %d tries that end in %s", len(first.Tries), fault.Name),
			Seen:     fmt.Sprintf("%s: %s", v.Grade, v.Why),
			Look:     delayLook, At: first.began(),
		})
	}
}

const delayLook = "the firmware's reconnect delay: it doubles up to a ceiling, plus a random part, and starts over only after a session that was good for something"

// began is when the first of the tries ended, which is where its gaps begin.
func (r Row) began() (at time.Time) {
	if len(r.Tries) > 0 {
		at = r.Tries[0].End.At
	}
	return at
}

// settle brings the device back to work, so that its backoff starts over.
func settle(ctx context.Context, b *fixtures.Bench) {
	mark := b.Mark()
	if _, _, live := b.Session(); !live {
		b.Must(b.Hasten(ctx))
		_, err := b.AwaitSession(ctx, mark, 2*b.Type.Timing.ReconnectWithin)
		b.Premise(err)
	}
	_, err := b.AwaitUseful(ctx, mark)
	b.Premise(err)
}
