package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"hilrig/fixtures/rigfile"
	"hilrig/hw/learn"
	"hilrig/record"
)

// write puts the lesson into a file that the rig file's checks take.
func (l *learner) write() error {
	text := l.known.yaml(l.f)
	if err := checkType(text); err != nil {
		return err
	}
	if err := writeNew(l.f.out, text); err != nil {
		return err
	}
	for _, n := range l.known.notes {
		l.say("not learnt: %s", n)
	}
	if l.known.loaded {
		l.say("the board is left with what was loaded: hilrig provision puts its own back")
	}
	l.say("%s: in a rig file, types: {board: {file: %s}} and type: board of the device", l.f.out, l.f.out)
	return nil
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
func (k lesson) yaml(f *learnFlags) string {
	m := k.manner
	var b strings.Builder
	line := func(indent int, key, value, why string) {
		text := strings.Repeat("  ", indent) + key + ": " + value
		if why != "" {
			text = fmt.Sprintf("%-44s # %s", text, why)
		}
		b.WriteString(text + "\n")
	}
	fmt.Fprintf(&b, "# Learnt by hilrig learn at %s on %s. What is not here has the guide's value.\n", plainText(f.port), k.when.UTC().Format(time.DateOnly))
	fmt.Fprintf(&b, "# The board %s\n", k.habits())
	for _, n := range k.notes {
		fmt.Fprintf(&b, "# Not learnt: %s\n", plainText(n))
	}
	line(0, "baud", strconv.Itoa(f.baud), "")
	b.WriteString("console:\n")
	if m.Newline != "" {
		line(1, "newline", strconv.Quote(m.Newline), "")
	}
	line(1, "recover", fmt.Sprintf("{send: \"*\", quiet: %s}", k.quiet()), answered(m))
	if k.loaded {
		line(1, "prompt", strconv.Quote(m.Prompt), "came in "+between(m.PromptIn))
		line(1, "prompt_within", bound(m.PromptIn.Most, leastPrompt).String(), "")
		line(1, "ok", strconv.Quote(m.OK), "came in "+between(m.OKIn))
		line(1, "ok_within", bound(m.OKIn.Most, leastOK).String(), "")
	}
	if k.restart == "command" {
		b.WriteString("commands:\n")
		line(1, "reboot", strconv.Quote(f.reboot), "")
		line(1, "after_provision", "[{send: "+strconv.Quote(f.reboot)+"}]", "it connected only after a restart")
	}
	if !k.seen {
		return b.String()
	}
	b.WriteString("timing:\n")
	line(1, "connect_within", bound(k.connect, leastNet).String(), "took "+round(k.connect).String())
	line(1, "reconnect_within", bound(k.connect, leastNet).String(), "")
	if k.message > 0 {
		line(1, "publish_within", bound(max(k.message, k.interval), leastNet).String(), "first message after "+round(k.message).String())
	}
	if k.interval > 0 {
		line(1, "interval", nice(k.interval).String(), "measured "+round(k.interval).String())
	}
	if k.sessions >= wantMessages-1 {
		b.WriteString("behaviour:\n")
		line(1, "session", "periodic", fmt.Sprintf("it ended %d sessions itself", k.sessions))
	}
	return b.String()
}

func (k lesson) habits() string {
	m := k.manner
	habits := "does not echo"
	if m.Echo {
		habits = "echoes"
	}
	if m.Sound.Lines > 0 {
		habits += fmt.Sprintf("; it says %d lines unasked in %s", m.Sound.Lines, m.Sound.For)
	}
	switch {
	case k.restart == "hand":
		habits += "; it connected only after it was restarted by hand: set commands.reboot, or power of the device"
	case k.restart == "command":
		habits += "; it must be restarted after it was provisioned"
	case k.seen:
		habits += "; it needs no restart after it was provisioned"
	}
	return habits + "."
}

// quiet is how long a console must be silent to be back: longer than it thinks
// before it answers.
func (k lesson) quiet() time.Duration {
	slowest := max(k.manner.AnswerIn.Most, k.manner.PromptIn.Most, k.manner.OKIn.Most)
	if slowest == 0 {
		return time.Second // the guide's type
	}
	return max(leastQuiet, (5 * slowest / 2).Round(100*time.Millisecond))
}

func answered(m learn.Manner) string {
	if m.Answer == "" {
		return ""
	}
	return fmt.Sprintf("answered %s in %s", strconv.QuoteToASCII(m.Answer), between(m.AnswerIn))
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
	q := strconv.QuoteToASCII(oneLine(s))
	return q[1 : len(q)-1]
}
