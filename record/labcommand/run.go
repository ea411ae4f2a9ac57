package labcommand

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
)

// mostOutput is how many bytes of a command's output an error shows.
const mostOutput = 500

// Run runs a command, an argv list without a shell, to its end. Env is its
// environment; nil is this process's own. Said is the end of what it printed,
// with secrets masked.
func Run(ctx context.Context, argv, env []string, within time.Duration) (said string, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, within, fmt.Errorf("no end within %s", within))
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr, cmd.Env, cmd.WaitDelay = &out, &out, env, time.Second
	OwnGroup(cmd)
	cmd.Cancel = func() error { return killGroup(cmd) }
	err = cmd.Run()
	switch {
	case errors.Is(err, exec.ErrWaitDelay) && ctx.Err() == nil:
		err = nil // it left a daemon behind that keeps its output open
	case err != nil && ctx.Err() != nil:
		err = context.Cause(ctx)
	}
	return masked(out.String(), env), err
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
