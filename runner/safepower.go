package runner

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"time"

	"hilrig/fixtures/rigfile"
	"hilrig/record"
)

// How long the power of a board may be seen to when its child is dead; hurried
// after a second interrupt.
const (
	safeWithin    = 30 * time.Second
	hurriedWithin = 900 * time.Millisecond
)

// KindSafePower says how the power of a board was left whose child could not do
// so any more.
const KindSafePower = "power.safe"

// leaveSafe leaves the power of a board as the rig file says, where its child
// died before it could: it may have died while the board was off.
func (r *run) leaveSafe(led *recorder, at Entry) {
	p := at.Power
	if p == nil || p.Safe == rigfile.SafeLeave {
		return
	}
	within := safeWithin
	if r.again.Load() {
		within = hurriedWithin
	}
	ctx, cancel := context.WithTimeoutCause(context.Background(), within, fmt.Errorf("not within %s", within))
	defer cancel()
	c, err := p.At(at.Hub.Host, strconv.Itoa(at.HubPort)).Switch(record.Environ(r.plan.Secret))
	c.Settle = 0 // nobody asks the board anything any more
	way, turn := cmp.Or(p.Safe, rigfile.SafeOn), c.On
	if way == rigfile.SafeOff {
		turn = c.Off
	}
	if err == nil {
		err = turn(ctx)
	}
	text := "power left " + way
	if err != nil {
		text = fmt.Sprintf("power not left %s: %s", way, err)
		r.Log.Warn(text, "device", at.Name)
	}
	led.note(at.Name, KindSafePower, text, nil)
}
