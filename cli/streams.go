package cli

import (
	"encoding/json"
	"fmt"
	"time"

	"hilrig/cli/terminal"
	"hilrig/record/wording"
)

// encoder writes what a program reads.
func (a *app) encoder() *json.Encoder { return terminal.NewEncoder(a.out) }

// Bounds in bytes of what waits for whoever reads, and how long nothing may be
// read, when all is done, before the rest is given up.
const (
	mostText     = 4 << 20
	mostEvents   = 16 << 20
	drainFor     = 2 * time.Second
	drainHurried = 100 * time.Millisecond // after a second interrupt
)

// behind puts queues between a verb that lasts and whoever reads what it
// prints. The log has one of its own before the screen that the live view may
// own. Main drains them.
func (a *app) behind(verb string, most int, mark func(int) []byte) {
	if a.outlets != nil {
		return
	}
	noBrokenPipes(a)
	err := terminal.NewOutlet(a.logTo, mostText, lineMark, nil)
	out := terminal.NewOutlet(terminal.Unfiltered(a.out), most, mark, func(e error, _ int) {
		fmt.Fprintf(err, "hilrig %s: standard output takes nothing more (%v): going on without it\n", verb, e)
	})
	a.out, a.err, a.outlets = terminal.NewText(out), terminal.NewText(err), []*terminal.Outlet{out, err}
	a.openLog(err)
}

func lineMark(n int) []byte {
	return []byte(wording.Plural(n, "line") + " not shown: nobody read them\n")
}

// drain lets readers have what is left, and says what they did not take.
func (a *app) drain() {
	if a.outlets == nil {
		return
	}
	patience := drainFor
	if a.twice.Load() {
		patience = drainHurried
	}
	out, err := a.outlets[0], a.outlets[1]
	if lost := out.Drain(patience); lost > 0 && out.Whole() {
		fmt.Fprintf(err, "%s of output given up: nobody read standard output\n", wording.Plural(lost, "line"))
	}
	err.Drain(min(patience, time.Second))
}
