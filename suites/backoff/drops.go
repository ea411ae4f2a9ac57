package backoff

import (
	"context"
	"fmt"
	"time"

	"hilrig/azure/hub"
	"hilrig/fixtures"
)

// How soon a device may come back after it was dropped (AWS Device Advisor
// asks for one second; under a fifth nobody waits at all).
const (
	polite = time.Second
	storm  = 200 * time.Millisecond
	drops  = 3 // in a row that are answered at once, before it is no chance
)

// Dropped judges how soon the device comes back when the hub drops it right
// after CONNACK: sooner than a second is a warning. One return at once is
// within many a polite backoff; a row of them is judged by the rule.
func Dropped(ctx context.Context, b *fixtures.Trial) {
	if !b.Shows(hub.AnyFault) || !b.Shows(hub.Handshakes) {
		ended(ctx, b)
		return
	}
	row, hammers, err := AtOnce(ctx, b, hub.DropAfterConnack(0))
	b.Must(err)
	b.Measure("gap after drop", row.Gaps[0].Seconds(), "s", nil, nil)
	f := fixtures.Finding{
		Expected: fmt.Sprintf("a pause of at least %s before the next connection", polite),
		Seen:     fmt.Sprintf("the next connection after %.3f s", row.Gaps[0].Seconds()), At: row.began(),
		Look: "the firmware's reconnect delay: it must also hold for a session that ends right after CONNACK",
	}
	if hammers {
		f.Seen = fmt.Sprintf("%s: %s", row.Verdict.Grade, row.Verdict.Why)
		b.Fail(f)
	}
	last := row.Tries[len(row.Tries)-1]
	_, err = b.AwaitSession(ctx, last.End.Seq+1, patience(b, row.Gaps))
	b.Must(err)
	if row.Gaps[0] < polite {
		b.WarnOf(f)
	}
}

// ended judges that the device comes back when the hub has ended its session in
// the way that it can. How soon a hub without handshakes does not show.
func ended(ctx context.Context, b *fixtures.Trial) {
	mark := b.Mark()
	way, err := b.EndSession()
	b.Must(err)
	if b.Shows(hub.Handshakes) {
		end, err := b.Await(ctx, mark, b.Type.Timing.ReconnectWithin, "the end of the session", func(e hub.Event) bool { return e.Kind == hub.KindDisconnected })
		b.Premise(err)
		next, err := b.AwaitConnection(ctx, end.Seq+1, b.Type.Timing.ReconnectWithin, "a connection after "+way)
		b.Must(err)
		b.Measure("gap after drop", next.At.Sub(end.At).Seconds(), "s", nil, nil)
	}
	_, err = b.AwaitSession(ctx, mark, b.Type.Timing.ReconnectWithin)
	b.Must(err)
	b.Step("it is back after %s", way)
}

// AtOnce follows the device through tries that the fault makes fail, as long as
// it answers each at once, until the rule has seen enough. It hammers where
// three in a row were answered so and the rule calls the gaps impolite.
func AtOnce(ctx context.Context, b *fixtures.Trial, fault hub.Fault) (row Row, hammers bool, err error) {
	row, err = follow(ctx, b, fault, Defaults.Rule(), func(r Row) bool {
		return len(r.Gaps) <= drops && longest(r.Gaps) >= storm
	})
	impolite := !row.Verdict.Passes() && !row.Verdict.Warns()
	return row, err == nil && impolite && len(row.Gaps) >= drops && longest(row.Gaps[:drops]) < storm, err
}
