package recovery

import (
	"context"

	"hilrig/fixtures"
	"hilrig/suites/backoff"
)

func serverDisconnect(ctx context.Context, b *fixtures.Trial) {
	b.Premise(b.Provisioned(ctx))
	// What an order of before begins late would meet the fault, and what ours
	// begins be taken for a return at once.
	if err := b.Obeyed(ctx); err != nil {
		b.Step("the console does not answer, which is not judged here: %v", err)
	}
	b.Must(b.Connected(ctx)) // not run where another spec has told
	b.Step("the hub drops the next session right after CONNACK; the device is to come back by itself")
	backoff.Dropped(ctx, b)
}
