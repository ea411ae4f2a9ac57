//go:build unix

package labcommand_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"hilrig/record/labcommand"
)

// What a tool prints is shown line by line, percents too, and no secret with it.
func TestACommandIsWatched(t *testing.T) {
	for name, c := range map[string]struct{ script, want string }{
		"lines":          {`echo one; echo two >&2; printf three`, "one|two|three"},
		"percents":       {`printf '1 %%\r2 %%\r\n\ndone\n'`, "1 %|2 %|done"},
		"a secret":       {`echo "token $API_TOKEN!"`, "token ***!"},
		"a cut secret":   {`yes x | head -c 1994 | tr -d '\n'; echo "$API_TOKEN"`, strings.Repeat("x", 997) + "***"},
		"a setting":      {`export DB_AUTH=on A_KEY=0; echo "turned on: 100 %"`, "turned on: 100 %"},
		"one in another": {`echo "$LONG_TOKEN $API_TOKEN"`, "*** ***"},
		"a cut key":      {`yes x | head -c 1980 | tr -d '\n'; echo -----BEGIN PRIVATE KEY-----; echo MIIB; echo -----END PRIVATE KEY-----; echo b`, strings.Repeat("x", 990) + "***|b"},
		"a key":          {`echo a; echo x -----BEGIN RSA PRIVATE KEY-----; echo MIIB; echo -----END RSA PRIVATE KEY-----; echo b`, "a|x ***|b"},
		"a long line":    {`yes x | head -c 5000 | tr -d '\n'`, strings.Repeat("x", 1000)},
		"binary bytes":   {`printf 'a\000b\n'`, "a\x00b"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			err := labcommand.Watch(t.Context(), []string{"sh", "-c", c.script}, append(os.Environ(), "API_TOKEN=hunter2", "LONG_TOKEN=hunter2345", "DB_AUTH=on", "A_KEY=0"), time.Minute, func(l string) { got = append(got, l) })
			if err != nil || strings.Join(got, "|") != c.want {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestAWatchedCommandThatHangsIsEnded(t *testing.T) {
	said := ""
	err := labcommand.Watch(t.Context(), []string{"sh", "-c", "echo 12 %; exec sleep 60"}, nil, 300*time.Millisecond, func(l string) { said = l })
	if err == nil || err.Error() != "no end within 300ms" || said != "12 %" {
		t.Errorf("%v after %q", err, said)
	}
	why := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if err := labcommand.Watch(ctx, []string{"sleep", "60"}, nil, time.Minute, func(string) {}); !errors.Is(err, why) {
		t.Errorf("got %v", err)
	}
}
