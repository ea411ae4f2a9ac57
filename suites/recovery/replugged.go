package recovery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hilrig/fixtures"
	"hilrig/record"
)

// unpluggedFor is how long the cable is out: long enough for a driver to
// notice.
const unpluggedFor = 500 * time.Millisecond

// replugged pulls the cable and puts it back. The console goes on when a
// command gets its answer: the one for the firmware's version where the type
// has it, else the root certificate once more.
func replugged(ctx context.Context, b *fixtures.Trial) {
	b.Premise(b.Provisioned(ctx))
	b.Step("unplug")
	err := b.Unplug(ctx)
	if errors.Is(err, fixtures.ErrNotPluggable) {
		b.NotApplicable(err.Error())
	}
	b.Must(err)
	b.Must(b.Rest(ctx, unpluggedFor))
	b.Step("plug in again")
	b.Must(b.Plug(ctx))
	plugged := time.Now()
	how, err := speaks(ctx, b)
	if err != nil && record.ClassOf(err) == record.ClassDevice {
		seen := err.Error()
		// The next spec needs a console: power is what is left.
		if _, _, perr := b.PowerCycle(ctx); perr != nil {
			b.Step("not brought back: %v", perr)
		}
		b.Fail(fixtures.Finding{
			Expected: fmt.Sprintf("the console to go on once its cable was plugged in again: %s answered", how),
			Seen:     seen, Look: "what the firmware's USB or UART driver does when its host goes away and comes back",
		})
	}
	b.Must(err)
	b.Measure("plugged in to answer", time.Since(plugged).Seconds(), "s", nil, nil)
}

func speaks(ctx context.Context, b *fixtures.Trial) (how string, err error) {
	if b.Type.Commands.FirmwareVersion.Send != "" {
		_, err := b.FirmwareVersion(ctx)
		return "the firmware's version asked for and", err
	}
	return "the root certificate", b.Load(ctx, fixtures.SlotRoot, b.Root.PEM).Err
}
