package recovery

import (
	"context"

	"hilrig/fixtures"
	"hilrig/suites/backoff"
)

func serverDisconnect(ctx context.Context, b *fixtures.Trial) {
	b.Premise(b.Provisioned(ctx))
	b.Must(b.Connected(ctx)) // not run where another spec has told
	b.Step("the hub drops the next session right after CONNACK; the device is to come back by itself")
	backoff.Dropped(ctx, b)
}
