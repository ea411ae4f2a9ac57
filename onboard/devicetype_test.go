package onboard

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"hilrig/onboard/probe"
)

func span(least, most time.Duration) probe.Span { return probe.Span{Least: least, Most: most} }

// Whatever was learnt, and however little, is a type that the rig file takes.
func TestAResultIsADeviceType(t *testing.T) {
	whole := probe.Profile{
		Echo: true, Newline: "\r\n", Answer: "ERROR: \"what\"? \x1b[0m\n# {", Prompt: "file: #1>", OK: "STORED \\o/",
		AnswerIn: span(time.Millisecond, 2*time.Second), PromptIn: span(time.Second, 3*time.Second), OKIn: span(9*time.Second, 10*time.Second),
	}
	for name, c := range map[string]struct {
		result Result
		want   []string
		not    []string
	}{
		"nothing": {Result{Notes: []string{"nothing was loaded"}}, []string{"# Not learnt: nothing was loaded", "quiet: 1s"}, []string{"prompt", "timing", "newline", "from:"}},
		"all": {Result{Console: whole, Loaded: true, Seen: true, From: netip.MustParseAddr("192.0.2.21"), Connect: 40 * time.Second, Message: time.Minute, Interval: 59 * time.Second, Sessions: 4},
			[]string{`newline: "\r\n"`, `prompt: "file: #1>"`, `ok: "STORED \\o/"`, "prompt_within: 13s", "ok_within: 41s", "quiet: 25s", "connect_within: 2m41s", "interval: 1m0s", "session: periodic", "it needs no restart", "seen at the hub from 192.0.2.21. ", "type: board, from: \"192.0.2.21\"\n"},
			[]string{"commands"}},
		"restart": {Result{Console: whole, Loaded: true, Seen: true, Restart: "command"}, []string{`reboot: "AT+RST"`, `after_provision: [{send: "AT+RST"}]`, "must be restarted"}, nil},
		"by hand": {Result{Console: whole, Loaded: true, Seen: true, Restart: "hand"}, []string{"only after it was restarted by hand"}, []string{"commands:"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.result.Request = Request{Port: "/dev/tty\n: {", Baud: 115200, Reboot: "AT+RST"}
			text, err := c.result.DeviceType()
			if err != nil {
				t.Errorf("%v\n%s", err, text)
			}
			for _, w := range c.want {
				if !strings.Contains(text, w) {
					t.Errorf("no %q in\n%s", w, text)
				}
			}
			for _, w := range c.not {
				if strings.Contains(text, w) {
					t.Errorf("%q in\n%s", w, text)
				}
			}
		})
	}
}

func TestAMeasuredIntervalIsWrittenAsSomebodySetIt(t *testing.T) {
	for measured, want := range map[time.Duration]time.Duration{
		502 * time.Millisecond: 500 * time.Millisecond, 59 * time.Second: time.Minute, 61 * time.Minute: time.Hour,
		14 * time.Second: 15 * time.Second, 7 * time.Millisecond: 7 * time.Millisecond, 3100 * time.Millisecond: 3 * time.Second,
	} {
		if got := nice(measured); got != want {
			t.Errorf("%s: got %s, want %s", measured, got, want)
		}
	}
}
