package doctor

import (
	"context"
	"errors"
	"fmt"

	"hilrig/record"
)

// State is how grave a result is.
type State string

// The states of a result. Only Bad makes a run fail.
const (
	OK   State = "ok"
	Warn State = "warn"
	Bad  State = "bad"
)

// Result is what one check says of one thing.
type Result struct {
	Name  string `json:"name"` // of the check
	State State  `json:"state"`
	What  string `json:"what"`
	Cure  string `json:"cure,omitempty"`
}

func fine(what string, args ...any) Result {
	return Result{State: OK, What: fmt.Sprintf(what, args...)}
}

func warn(cure, what string, args ...any) Result {
	return Result{State: Warn, What: fmt.Sprintf(what, args...), Cure: cure}
}

func bad(cure, what string, args ...any) Result {
	return Result{State: Bad, What: fmt.Sprintf(what, args...), Cure: cure}
}

// Failed is an error as a result; its cure stands apart.
func Failed(err error) Result {
	var f *record.Failure
	if !errors.As(err, &f) {
		return bad("", "%s", err)
	}
	what := *f
	what.Cure = ""
	return bad(f.Cure, "%s", what.Error())
}

// check looks at one kind of thing and gives a result for each, none where
// there is nothing to look at.
type check struct {
	name string
	look func(context.Context, *Host) []Result
}

// checks are in the order in which their results are given.
var checks = []check{
	{"port", checkPorts},
	{"lock folder", checkLockDir},
	{"state folder", checkStateDir},
	{"device", checkDevices},
	{"hub port", checkHubPorts},
	{"firewall", checkFirewall},
	{"hub host", checkHubHost},
	{"broker", checkBroker},
	{"clock", checkClock},
	{"certificates", checkCertificates},
	{"openssl", checkOpenSSL},
	{"disk", checkDisk},
	{"line", checkLine},
}

// Names are those of all checks, whether they have a result or not.
func Names() (names []string) {
	for _, c := range checks {
		names = append(names, c.name)
	}
	return names
}

// Examine makes every check; what a check says after ctx has ended is worth
// nothing.
func Examine(ctx context.Context, h *Host) []Result {
	found := []Result{}
	for _, c := range checks {
		for _, r := range c.look(ctx, h) {
			r.Name = c.name
			found = append(found, r)
		}
	}
	return found
}
