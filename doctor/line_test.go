package doctor

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"hilrig/fixtures/rigfile"
	"hilrig/hw/console"
	"hilrig/hw/port"
)

func TestJudgeEcho(t *testing.T) {
	sent := []string{"#hilrig-00-abcdefghijklmnopqrst", "#hilrig-01-abcdefghijklmnopqrst"}
	for _, c := range []struct {
		name, got string
		state     State
		says      string
	}{
		{"whole", sent[0] + "\r\nERROR\r\n" + sent[1] + "\r\n", OK, "62 bytes sent and echoed"},
		{"one byte lost", sent[0] + "\r\n" + sent[1][:5] + sent[1][6:] + "\r\n", Bad, "1 of 62 bytes lost"},
		{"a line lost", sent[0] + "\r\n", Bad, "31 of 62 bytes lost"},
		{"silent", "", Warn, "says nothing"},
		{"no echo", "ERROR\r\nERROR\r\n", Warn, "no echo to compare"},
	} {
		f := judgeEcho("tty", 115200, sent, []byte(c.got))
		if f.State != c.state || !strings.Contains(f.What, c.says) {
			t.Errorf("%s: %+v", c.name, f)
		}
	}
}

// board answers on a line as a device would, until the line is closed.
func board(t *testing.T, answer func(line string) string) func(context.Context, port.Config) (console.Line, error) {
	t.Helper()
	return func(context.Context, port.Config) (console.Line, error) {
		here, there := net.Pipe()
		done := make(chan struct{})
		go func() {
			defer close(done)
			lines := bufio.NewReader(there)
			for {
				text, err := lines.ReadString('\r')
				if err != nil {
					return
				}
				if _, err := io.WriteString(there, answer(text)); err != nil {
					return
				}
			}
		}()
		t.Cleanup(func() { _ = there.Close(); <-done })
		return here, nil
	}
}

func TestALineIsTriedByItsEcho(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(string) string
		state  State
		says   string
	}{
		{"echoes", func(s string) string { return s + "\nERROR\r\n" }, OK, "none lost"},
		{"loses bytes", func(s string) string { return strings.ReplaceAll(s, "k", "") }, Bad, "12 of 372 bytes lost"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rig := rigAt("localhost", 1)
			rig.Devices[0].Type = rigfile.Infinite()
			h := lab(Host{Rig: rig, Line: "/dev/ttyNowhere", Open: board(t, c.answer)})
			state, words := worst(checkLine(t.Context(), h))
			if state != c.state || !strings.Contains(words, c.says) {
				t.Errorf("%s, want %s with %q:\n%s", state, c.state, c.says, words)
			}
		})
	}
}

// A line that goes away while it is tried is the line's trouble.
func TestALineThatGoesAwayIsBad(t *testing.T) {
	gone := func(context.Context, port.Config) (console.Line, error) {
		here, there := net.Pipe()
		return here, there.Close()
	}
	found := checkLine(t.Context(), lab(Host{Line: "tty", Open: gone}))
	if state, words := worst(found); state != Bad {
		t.Errorf("%s\n%s", state, words)
	}
	if r := Failed(errors.New("x")); r.State != Bad || r.What != "x" {
		t.Errorf("%+v", r)
	}
}
