package onboard

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"hilrig/fixtures/rigfile"
	"hilrig/onboard/probe"
	"hilrig/record"
	"hilrig/record/wording"
)

// Result is what was learnt of a board.
type Result struct {
	Request  Request
	When     time.Time
	Console  probe.Profile
	Loaded   bool          // it holds what it was given
	Seen     bool          // at the hub
	From     netip.Addr    // where it dialled from, as the hub saw it
	Connect  time.Duration // until it connected, from when it was loaded or restarted
	Restart  string        // what it took to connect: "" nothing, "command", "hand"
	Message  time.Duration // until its first message
	Interval time.Duration // between messages; 0: not learnt
	Sessions int           // that it ended itself
	Notes    []string      // what could not be learnt, and why
}

// DeviceType is the type as a file of its own that the rig file's checks take.
func (k Result) DeviceType() (string, error) {
	text := k.yaml()
	return text, checkType(text)
}

// Device is what a device of the rig file says of a board of this type: its
// address is the board's and not the type's.
func (k Result) Device() string {
	if !k.From.IsValid() {
		return "type: board"
	}
	return "type: board, from: " + strconv.Quote(k.From.String())
}

// checkType holds a type against the rig file's rules.
func checkType(text string) error {
	rig := "devices: [{name: board, type: board, device_id: NewDevice, serial: {path: /dev/null}}]\ntypes:\n  board:\n"
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		rig += "    " + line + "\n"
	}
	if _, problems := rigfile.Parse("type", []byte(rig)); len(problems) > 0 {
		return record.NewFailure(record.Harness, "check", "the learnt type", problems)
	}
	return nil
}

// Bounds are generous: four times what was measured, and never below these. A
// board is not red for a slow day.
const (
	slack       = 4
	leastPrompt = 5 * time.Second
	leastOK     = 15 * time.Second
	leastNet    = 30 * time.Second
	leastQuiet  = 300 * time.Millisecond
)

func bound(measured, least time.Duration) time.Duration {
	return max(least, (slack*measured).Truncate(time.Second)+time.Second).Round(time.Second)
}

// yaml is the type as a file of its own. What was not learnt is left out: it
// then has the guide's value.
func (k Result) yaml() string {
	p := k.Console
	var b strings.Builder
	line := func(indent int, key, value, why string) {
		text := strings.Repeat("  ", indent) + key + ": " + value
		if why != "" {
			text = fmt.Sprintf("%-44s # %s", text, why)
		}
		b.WriteString(text + "\n")
	}
	fmt.Fprintf(&b, "# Learnt by hilrig learn at %s on %s. What is not here has the guide's value.\n", plainText(k.Request.Port), k.When.UTC().Format(time.DateOnly))
	fmt.Fprintf(&b, "# The board %s\n", k.habits())
	if k.From.IsValid() {
		fmt.Fprintf(&b, "# It was seen at the hub from %s. Of a board that no other shares it with: %s\n", k.From, k.Device())
	}
	for _, n := range k.Notes {
		fmt.Fprintf(&b, "# Not learnt: %s\n", plainText(n))
	}
	line(0, "baud", strconv.Itoa(k.Request.Baud), "")
	b.WriteString("console:\n")
	if p.Newline != "" {
		line(1, "newline", strconv.Quote(p.Newline), "")
	}
	line(1, "recover", fmt.Sprintf("{send: \"*\", quiet: %s}", k.quiet()), answered(p))
	if k.Loaded {
		line(1, "prompt", strconv.Quote(p.Prompt), "came in "+between(p.PromptIn))
		line(1, "prompt_within", bound(p.PromptIn.Most, leastPrompt).String(), "")
		line(1, "ok", strconv.Quote(p.OK), "came in "+between(p.OKIn))
		line(1, "ok_within", bound(p.OKIn.Most, leastOK).String(), "")
	}
	if k.Restart == "command" {
		b.WriteString("commands:\n")
		line(1, "reboot", strconv.Quote(k.Request.Reboot), "")
		line(1, "after_provision", "[{send: "+strconv.Quote(k.Request.Reboot)+"}]", "it connected only after a restart")
	}
	if !k.Seen {
		return b.String()
	}
	b.WriteString("timing:\n")
	line(1, "connect_within", bound(k.Connect, leastNet).String(), "took "+round(k.Connect).String())
	line(1, "reconnect_within", bound(k.Connect, leastNet).String(), "")
	if k.Message > 0 {
		line(1, "publish_within", bound(max(k.Message, k.Interval), leastNet).String(), "first message after "+round(k.Message).String())
	}
	if k.Interval > 0 {
		line(1, "interval", nice(k.Interval).String(), "measured "+round(k.Interval).String())
	}
	if k.Sessions >= wantMessages-1 {
		b.WriteString("behaviour:\n")
		line(1, "session", "periodic", fmt.Sprintf("it ended %d sessions itself", k.Sessions))
	}
	return b.String()
}

func (k Result) habits() string {
	p := k.Console
	habits := "does not echo"
	if p.Echo {
		habits = "echoes"
	}
	if p.Sound.Lines > 0 {
		habits += fmt.Sprintf("; it says %d lines unasked in %s", p.Sound.Lines, p.Sound.For)
	}
	switch {
	case k.Restart == "hand":
		habits += "; it connected only after it was restarted by hand: set commands.reboot, or power of the device"
	case k.Restart == "command":
		habits += "; it must be restarted after it was provisioned"
	case k.Seen:
		habits += "; it needs no restart after it was provisioned"
	}
	return habits + "."
}

// quiet is how long a console must be silent to be back: longer than it thinks
// before it answers.
func (k Result) quiet() time.Duration {
	slowest := max(k.Console.AnswerIn.Most, k.Console.PromptIn.Most, k.Console.OKIn.Most)
	if slowest == 0 {
		return time.Second // the guide's type
	}
	return max(leastQuiet, (5 * slowest / 2).Round(100*time.Millisecond))
}

func answered(p probe.Profile) string {
	if p.Answer == "" {
		return ""
	}
	return fmt.Sprintf("answered %s in %s", strconv.QuoteToASCII(p.Answer), between(p.AnswerIn))
}

// nice is a measured interval as somebody would have set it: within a tenth of
// it, the roundest.
func nice(d time.Duration) time.Duration {
	for _, unit := range []time.Duration{time.Hour, time.Minute, 10 * time.Second, 5 * time.Second, time.Second, 500 * time.Millisecond, 100 * time.Millisecond, 10 * time.Millisecond} {
		if r := d.Round(unit); r > 0 && (r-d).Abs()*10 <= d {
			return r
		}
	}
	return max(d.Round(time.Millisecond), time.Millisecond)
}

// plainText fits into a comment.
func plainText(s string) string {
	q := strconv.QuoteToASCII(record.Plain(wording.OneLine(s)))
	return q[1 : len(q)-1]
}
