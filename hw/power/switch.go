package power

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"hilrig/record"
	"hilrig/record/labcommand"
)

// Action is one thing that the lab's power control is told or asked: a command,
// or else a request.
type Action struct {
	Argv    []string // run without a shell
	Request *Request
}

// Commands switches a device as the lab says. Both ways are read back where
// State is given.
type Commands struct {
	TurnOn, TurnOff Action
	State           *State
	Env             []string      // of the commands; nil is this process's own
	Settle          time.Duration // after On, before the device may be asked anything
	Within          time.Duration // bound of one action, and of the state's coming true; 0 is 30 s
}

// State is how the power is read back: the answer of Ask holds OnText where it
// is on, and else it is off.
type State struct {
	Ask    Action
	OnText *regexp.Regexp
}

// On switches the power on and waits until it has settled.
func (c Commands) On(ctx context.Context) error {
	if err := c.turn(ctx, "power on", c.TurnOn, true); err != nil {
		return err
	}
	return rest(ctx, c.Settle)
}

// Off switches the power off.
func (c Commands) Off(ctx context.Context) error {
	return c.turn(ctx, "power off", c.TurnOff, false)
}

// IsOn reads the power back; known is false where nothing says how.
func (c Commands) IsOn(ctx context.Context) (on, known bool, err error) {
	if c.State == nil {
		return false, false, nil
	}
	said, err := c.do(ctx, "power state", c.State.Ask)
	return err == nil && c.State.OnText.MatchString(said), err == nil, err
}

// Reach tries the servers that are asked to switch, switches nothing, and names
// them; there are none where commands switch.
func (c Commands) Reach(ctx context.Context) (servers []string, err error) {
	for _, a := range []Action{c.TurnOn, c.TurnOff} {
		if a.Request == nil || slices.Contains(servers, a.String()) {
			continue
		}
		if err := a.Request.reach(ctx); err != nil {
			return nil, err
		}
		servers = append(servers, a.String())
	}
	return servers, nil
}

// turn switches, and waits until what is read back agrees: a queue may stand
// before the switch.
func (c Commands) turn(ctx context.Context, step string, a Action, on bool) error {
	if _, err := c.do(ctx, step, a); err != nil || c.State == nil {
		return err
	}
	const again = 200 * time.Millisecond
	for end := time.Now().Add(c.within()); ; {
		is, _, err := c.IsOn(ctx)
		if err != nil || is == on {
			return err
		}
		if time.Now().After(end) {
			return record.NewFailure(record.RigPower, step, a.String(), fmt.Errorf("power.state says %s still after %s", onOff(is), c.within())).
				WithCure("switch it by hand; compare power.state.on with what power.state.ask answers")
		}
		if err := rest(ctx, again); err != nil {
			return err
		}
	}
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func (c Commands) within() time.Duration {
	if c.Within == 0 {
		return 30 * time.Second
	}
	return c.Within
}

// do gives what was said, which may hold secrets: its errors do not.
func (c Commands) do(ctx context.Context, step string, a Action) (string, error) {
	switch {
	case a.Request != nil:
		return a.Request.send(ctx, step, c.within())
	case len(a.Argv) == 0:
		return "", record.NewFailure(record.RigPower, step, "", errors.New("no command given")).
			WithCure("set power.on and power.off of the device in the rig file")
	}
	answer, said, err := labcommand.Ask(ctx, a.Argv, c.Env, c.within())
	if err != nil {
		return "", record.NewFailure(record.RigPower, step, a.String(), withOutput(err, said)).
			WithCure("run the command by hand")
	}
	return strings.TrimSpace(answer), nil
}

// String names the program or the server: of what stands behind them any part
// may be a password.
func (a Action) String() string {
	switch {
	case a.Request != nil:
		return a.Request.String()
	case len(a.Argv) > 0:
		return a.Argv[0]
	}
	return ""
}

func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
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
