package verb

import (
	"errors"
	"fmt"
	"time"

	"hilrig/cli/terminal"
	"hilrig/record"
	"hilrig/record/wording"
	"hilrig/runner"
)

// How long nothing may be read, when all is done, before the rest is given up.
const (
	drainFor     = 2 * time.Second
	drainHurried = 100 * time.Millisecond // after a second interrupt
)

// End says what went wrong, lets readers have what is left, and returns the exit
// code: of the error, else of the verb. A verb whose words found no room on
// standard output has told nobody that it went well: that is no success. What it
// found to be wrong stays what it is.
func (a *App) End(path string, err error) int {
	code := a.Code
	if err != nil && !is(err, a.stdout.Lost()) {
		fmt.Fprintf(a.Err, "%s: %s\n", path, err.Error())
		code = runner.ExitOf(err)
		if errors.Is(err, ErrInterrupted) {
			code = runner.ExitInterrupted
		}
	}
	a.drainOut()
	if lost := a.stdout.Lost(); lost != nil {
		fmt.Fprintf(a.Err, "%s: %s\n", path, record.NewFailure(record.RigHost, "write", "standard output", terminal.WithoutPath(lost)).
			WithCure("what it says did not all arrive: have it go where there is room, and ask again"))
		if code == runner.ExitPass {
			code = runner.ExitRig
		}
	}
	if a.outlets != nil {
		a.outlets[1].Drain(min(a.patience(), time.Second))
	}
	return code
}

// is reports whether an error is what was lost, and nothing beside it.
func is(err, lost error) bool {
	var several interface{ Unwrap() []error }
	return lost != nil && errors.Is(err, lost) && !errors.As(err, &several)
}

func (a *App) patience() time.Duration {
	if a.twice.Load() {
		return drainHurried
	}
	return drainFor
}

// drainOut lets whoever reads standard output have what is left, and says what
// they did not take.
func (a *App) drainOut() {
	if a.outlets == nil {
		return
	}
	out := a.outlets[0]
	if lost := out.Drain(a.patience()); lost > 0 && out.Whole() {
		fmt.Fprintf(a.outlets[1], "%s of output given up: nobody read standard output\n", wording.Plural(lost, "line"))
	}
}
