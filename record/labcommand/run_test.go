//go:build unix

package labcommand_test

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"hilrig/record/labcommand"
)

// A command's end, and what is shown of its output.
func TestRun(t *testing.T) {
	t.Parallel()
	env := []string{"PATH=/usr/bin:/bin", "LAB_TOKEN=hunter2", "ROOM=lab"}
	for name, c := range map[string]struct {
		argv   []string
		said   string
		failed func(error) bool // nil: it went well
	}{
		"it goes well":          {argv: []string{"sh", "-c", "echo on; echo off >&2"}, said: "on\noff"},
		"it has its variables":  {argv: []string{"sh", "-c", "echo $ROOM"}, said: "lab"},
		"it fails":              {argv: []string{"sh", "-c", "echo no; exit 3"}, said: "no", failed: exits(3)},
		"it is not there":       {argv: []string{"no-such-program"}, failed: func(err error) bool { return errors.Is(err, exec.ErrNotFound) }},
		"it prints a secret":    {argv: []string{"sh", "-c", "echo $LAB_TOKEN; exit 1"}, said: "***", failed: exits(1)},
		"it prints a key":       {argv: []string{"sh", "-c", "echo '-----BEGIN EC PRIVATE KEY-----'; echo MHc"}, said: "***"},
		"it prints much":        {argv: []string{"sh", "-c", "yes a | head -c 100000; echo; echo last"}, said: "..." + strings.Repeat("\na", 247) + "\n\nlast"},
		"it prints without end": {argv: []string{"yes", "a"}, said: strings.Repeat("\na", 300), failed: late},
		"it prints the other":   {argv: []string{"sh", "-c", "echo the password is sesame"}, said: "the password is ***"},
		"it takes no end":       {argv: []string{"sh", "-c", "echo begun; sleep 600"}, said: "begun", failed: late},
		"what it began goes on": {argv: []string{"sh", "-c", "sleep 600 & sleep 600"}, failed: late},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			within := time.Minute
			if c.failed != nil && c.failed(errLate) {
				within = time.Second
			}
			said, err := labcommand.Run(t.Context(), c.argv, env, within, "sesame")
			if (c.failed == nil) != (err == nil) || err != nil && !c.failed(err) {
				t.Errorf("ended with %v", err)
			}
			if len(said) > 503 || !strings.HasSuffix(c.said, strings.TrimPrefix(said, "...")) || c.said != "" && said == "" {
				t.Errorf("said %q, want %q", said, c.said)
			}
		})
	}
}

// Who ends the wait gets its own reason back.
func TestRunIsEndedFromOutside(t *testing.T) {
	t.Parallel()
	why := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if _, err := labcommand.Run(ctx, []string{"sleep", "600"}, nil, time.Minute); !errors.Is(err, why) {
		t.Errorf("%v", err)
	}
}

func exits(code int) func(error) bool {
	return func(err error) bool {
		var exit *exec.ExitError
		return errors.As(err, &exit) && exit.ExitCode() == code
	}
}

var errLate = errors.New("no end within 1s")

func late(err error) bool { return err.Error() == errLate.Error() }
