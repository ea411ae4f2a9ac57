package tlsclient

import (
	"context"

	"hilrig/azure/hub"
	"hilrig/certs"
	"hilrig/fixtures"
)

// rootRotation is what happened to every hub in 2023: another root, and the
// devices that had it went on.
func rootRotation(ctx context.Context, b *fixtures.Trial) {
	id, err := b.Identity(ctx)
	b.Premise(err)
	b.Premise(b.Connected(ctx))
	second, err := b.Store.SecondRoot()
	b.Must(err)
	server, err := b.Store.WrongServer(ctx, b.HubName, certs.SecondRoot)
	b.Must(err)
	hub := hub.Fault{Name: string(certs.SecondRoot), Certificate: &server}

	b.Step("the hub moves to its second root, which the device does not have")
	m := meet(ctx, b, hub, 1)
	b.That(!m.completed(), fixtures.Finding{
		Expected: "no handshake with a hub of the second root, which was not loaded", Seen: "a handshake completed (alert: none)",
		Look: noChainCheck, At: m.last().At,
	})

	defer func() {
		b.Step("load the first root again")
		if err := b.ProvisionRoot(ctx, id, nil); err != nil && ctx.Err() == nil {
			b.Step("the device did not take its root back: %v", err)
		}
	}()
	b.Step("load the second root in its place")
	b.Must(b.ProvisionRoot(ctx, id, second.PEM))
	m = meet(ctx, b, hub, tries)
	b.That(m.completed(), fixtures.Finding{
		Expected: "a handshake with a hub of the second root, which was loaded in slot 10", Seen: spoke(m.handshakes), At: m.last().At,
		Look: "whether slot 10 is read at each connect, or the root is kept from before",
	})
	keepsOld(ctx, b)
}

// keepsOld warns of a device that goes on with a hub of the root that was
// replaced. One that does not come back now is put right with its root.
func keepsOld(ctx context.Context, b *fixtures.Trial) {
	b.Step("the hub is back at its first root, which was replaced")
	mark := b.Mark()
	way, err := b.Provoke(ctx)
	b.Premise(err)
	e, err := b.Await(ctx, mark, b.Type.Timing.ReconnectWithin, "a handshake after "+way, func(e hub.Event) bool {
		return e.Kind == hub.KindHandshake && e.Fault == ""
	})
	switch {
	case ctx.Err() != nil:
		b.Premise(err)
	case err != nil:
		b.Step("no handshake at the first root to judge: %v", err)
	case e.Handshake.OK:
		b.WarnOf(fixtures.Finding{
			Expected: "no handshake with a hub of the first root, which was replaced in slot 10", Seen: "a handshake completed (alert: none)", At: e.At,
			Look: "whether the root before is kept as a fallback, or files in slot 10 are added up: a root is replaced because it is not to be trusted any more",
		})
	}
}
