package recovery

import (
	"context"
	"fmt"

	"hilrig/azure/hub"
	"hilrig/fixtures"
)

// sessionPresent is a hub that comes back without the session it kept: the
// CONNACK says so, and who does not subscribe again is deaf from then on.
func sessionPresent(ctx context.Context, b *fixtures.Trial) {
	b.Premise(b.Connected(ctx))
	subscribed := func(conn int64) func(hub.Event) bool {
		return func(e hub.Event) bool { return e.Kind == hub.KindSubscribed && (conn == 0 || e.Conn == conn) }
	}
	if _, err := b.Await(ctx, 0, b.Type.Timing.PublishWithin, "a SUBSCRIBE", subscribed(0)); err != nil {
		if ctx.Err() != nil {
			b.Must(err)
		}
		b.NotApplicable("it subscribes to nothing; see session/subscribe")
	}
	b.Step("the hub has forgotten the session")
	mark := b.Mark()
	showing := b.Hub.Show(hub.Fault{Name: "session-forgotten", ForgetBefore: true}, 1)
	defer showing.Lift()
	way, err := b.Provoke(ctx)
	b.Premise(err)
	e, err := b.AwaitSession(ctx, mark, b.Type.Timing.ReconnectWithin)
	b.Premise(err)
	if e.Connect.Present || showing.Count() == 0 {
		b.NotRun("the device did not meet a hub that has forgotten its session, after " + way)
	}
	b.Step("CONNACK without session present; wait for a SUBSCRIBE")
	_, err = b.Await(ctx, e.Seq, b.Type.Timing.PublishWithin, "a SUBSCRIBE", subscribed(e.Conn))
	if err != nil && ctx.Err() == nil {
		b.Fail(fixtures.Finding{
			Expected: "a new subscription, because the hub has forgotten the session (session present 0)",
			Seen:     fmt.Sprintf("no SUBSCRIBE on the new connection within %s of its CONNACK, and %s", b.Type.Timing.PublishWithin, b.Summary(e.Seq).Text), At: e.At,
			Look: "whether the firmware looks at session present in the CONNACK, or subscribes at each connect",
		})
	}
	b.Must(err)
}
