package power

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"hilrig/record"
	"hilrig/record/labcommand"
)

// Commands switches a device with two commands of the lab, each an argv list
// run without a shell.
type Commands struct {
	OnArgv, OffArgv []string
	Env             []string      // of the commands; nil is this process's own
	Settle          time.Duration // after On, before the device may be asked anything
	Within          time.Duration // bound of one command; 0 is 30 s
}

// On switches the power on and waits until it has settled.
func (c Commands) On(ctx context.Context) error {
	if err := c.run(ctx, "power on", c.OnArgv); err != nil {
		return err
	}
	select {
	case <-time.After(c.Settle):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Off switches the power off.
func (c Commands) Off(ctx context.Context) error { return c.run(ctx, "power off", c.OffArgv) }

func (c Commands) run(ctx context.Context, step string, argv []string) error {
	if len(argv) == 0 {
		return record.NewFailure(record.RigPower, step, "", errors.New("no command given")).
			WithCure("set power.on and power.off of the device in the rig file")
	}
	within := c.Within
	if within == 0 {
		within = 30 * time.Second
	}
	said, err := labcommand.Run(ctx, argv, c.Env, within)
	if err != nil { // of its arguments any may be a password
		return record.NewFailure(record.RigPower, step, argv[0], withOutput(err, said)).
			WithCure("run the command by hand")
	}
	return nil
}

func withOutput(err error, out string) error {
	if i := strings.LastIndexByte(out, '\n'); i >= 0 {
		out = out[i+1:]
	}
	if out == "" {
		return err
	}
	return fmt.Errorf("%w: %s", err, out)
}
