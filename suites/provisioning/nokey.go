package provisioning

import (
	"context"
	"fmt"
	"strings"
	"time"

	"hilrig/azure/hub"
	"hilrig/fixtures"
)

// settle is how long a console is given to say something it was not asked.
const settle = 300 * time.Millisecond

// noKeyOnConsole judges what came over the console since the run began: every
// key that was sent, in whatever coding, is the echo of it or the device's own
// doing. A device that has not connected twice with its key is made to: a
// stack reads its key then, and may say so.
func noKeyOnConsole(ctx context.Context, b *fixtures.Trial) {
	err := b.Provisioned(ctx)
	if err == nil {
		awaitConnections(ctx, b)
		b.Must(b.Console.Quiet(ctx, settle, 10*settle)) // it may be printing still
	}
	shown := b.KeysShown()
	if len(shown) == 0 {
		b.Premise(err)
		return
	}
	var codings []string
	for _, x := range shown {
		if text := fmt.Sprintf("%s at %.2f s", x.Coding, b.At(x.From)); len(codings) < 4 {
			codings = append(codings, text)
		}
	}
	times := "once"
	if len(shown) > 1 {
		times = fmt.Sprintf("%d times", len(shown))
	}
	b.Fail(fixtures.Finding{
		Expected: "no private key on the console but as the echo of what was sent",
		Seen:     fmt.Sprintf("a private key %s (%s): printed by the device, masked in the transcript", times, strings.Join(codings, ", ")),
		Look:     "debug output of the firmware's certificate store and TLS stack, and what its log level is in production",
		At:       shown[0].From,
	})
}

func awaitConnections(ctx context.Context, b *fixtures.Trial) {
	if _, err := b.Messages(ctx, 1); err != nil {
		b.Step("no telemetry; judging what the console printed so far")
		return
	}
	connects := b.Since(b.ProvisionMark(), func(e hub.Event) bool { return e.Kind == hub.KindConnect })
	if len(connects) > 1 {
		return
	}
	b.Step("connect once more: the key is read for it")
	if _, err := b.Reconnect(ctx); err != nil {
		b.Step("it did not come back; judging what the console printed so far")
	}
}
