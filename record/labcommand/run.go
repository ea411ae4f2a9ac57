package labcommand

import (
	"context"
	"errors"
	"fmt"
	"io"
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
// with secrets masked: those of its environment, and others that it may come by.
func Run(ctx context.Context, argv, env []string, within time.Duration, others ...string) (said string, err error) {
	_, said, err = Ask(ctx, argv, env, within, others...)
	return said, err
}

// Ask is [Run] for a command whose answer is read: what it printed as it stands,
// which nobody may show, beside what may be shown of it.
func Ask(ctx context.Context, argv, env []string, within time.Duration, others ...string) (answer, said string, err error) {
	var out tail
	err = run(ctx, argv, env, within, &out)
	answer = string(out.kept)
	return answer, masked(answer, append(secretsOf(env), others...)), err
}

// tail keeps the end of what is written to it: a command may print without end.
// Far more is kept than is shown, so that no secret is cut where it is shown.
type tail struct{ kept []byte }

const mostKept = 64 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.kept = append(t.kept, b...)
	if len(t.kept) > 2*mostKept {
		t.kept = append(t.kept[:0], t.kept[len(t.kept)-mostKept:]...)
	}
	return len(b), nil
}

// Watch is [Run] for a command that takes its time: see is called with each
// line as it is printed, one after another, with secrets masked. A line ends
// with CR too, as that of a tool which counts percents.
func Watch(ctx context.Context, argv, env []string, within time.Duration, see func(line string)) error {
	w := &lineWriter{see: see, masks: Masks(secretsOf(env)...)}
	err := run(ctx, argv, env, within, w)
	w.end()
	return err
}

func run(ctx context.Context, argv, env []string, within time.Duration, out io.Writer) error {
	ctx, cancel := context.WithTimeoutCause(ctx, within, fmt.Errorf("no end within %s", within))
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr, cmd.Env, cmd.WaitDelay = out, out, env, time.Second
	OwnGroup(cmd)
	cmd.Cancel = func() error { return killGroup(cmd) }
	err := cmd.Run()
	switch {
	case errors.Is(err, exec.ErrWaitDelay) && ctx.Err() == nil:
		err = nil // it left a daemon behind that keeps its output open
	case err != nil && ctx.Err() != nil:
		err = context.Cause(ctx)
	}
	return err
}

// secretName is that of a variable whose value is not shown.
var (
	secretName = regexp.MustCompile(`(?i)passw|secret|token|key|credential|auth`)
	switchWord = regexp.MustCompile(`(?i)^([a-z0-9]|on|off|yes|no|true|false|none|auto)$`) // AUTH=on: a setting, and in every other line
	keyBlock   = regexp.MustCompile(`(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY.*`)
)

// masked is the end of what a command printed, without secrets and without keys.
func masked(out string, secrets []string) string {
	out = strings.TrimSpace(keyBlock.ReplaceAllString(Masks(secrets...).Replace(out), "***"))
	if len(out) > mostOutput {
		out = "..." + out[len(out)-mostOutput:]
	}
	return out
}

// secretsOf are the values of an environment's variables that may be secrets.
func secretsOf(env []string) (secrets []string) {
	if env == nil {
		env = os.Environ()
	}
	for _, v := range env {
		if name, value, _ := strings.Cut(v, "="); secretName.MatchString(name) && !switchWord.MatchString(value) {
			secrets = append(secrets, value)
		}
	}
	return secrets
}
