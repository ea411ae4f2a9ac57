package broker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"hilrig/record"
)

const (
	commandWithin = 30 * time.Second
	mostOutput    = 500 // bytes of it in an error
)

// fill puts values into the places of a command. Braces around anything else
// are the command's own.
func fill(argv []string, values map[string]string) (filled []string) {
	var pairs []string
	for name, v := range values {
		pairs = append(pairs, "{"+name+"}", v)
	}
	r := strings.NewReplacer(pairs...)
	for _, a := range argv {
		filled = append(filled, r.Replace(a))
	}
	return filled
}

// run runs a command of the lab to its end. step is what the rig file calls it.
func run(ctx context.Context, step string, argv, env []string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, commandWithin, fmt.Errorf("no end within %s", commandWithin))
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr, cmd.Env, cmd.WaitDelay = &out, &out, env, time.Second
	ownGroup(cmd)
	cmd.Cancel = func() error { return killGroup(cmd) }
	err := cmd.Run()
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay) && ctx.Err() == nil: // a daemon that it left keeps its output open
		return nil
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	}
	if said := masked(out.String(), env); said != "" {
		err = fmt.Errorf("%w: %s", err, said)
	}
	return record.NewFailure(record.RigHub, "run "+step, argv[0], err).WithCure("run the command by hand")
}

// secretName is that of a variable whose value is not shown.
var (
	secretName = regexp.MustCompile(`(?i)passw|secret|token|key|credential|auth`)
	keyBlock   = regexp.MustCompile(`(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY.*`)
)

// masked is the end of what a command printed, without the values of variables
// that may be secrets and without keys.
func masked(out string, env []string) string {
	if env == nil {
		env = os.Environ()
	}
	for _, v := range env {
		if name, value, _ := strings.Cut(v, "="); value != "" && secretName.MatchString(name) {
			out = strings.ReplaceAll(out, value, "***")
		}
	}
	out = strings.TrimSpace(keyBlock.ReplaceAllString(out, "***"))
	if len(out) > mostOutput {
		out = "..." + out[len(out)-mostOutput:]
	}
	return out
}
