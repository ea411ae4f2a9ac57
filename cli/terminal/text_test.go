package terminal

import (
	"bytes"
	"strings"
	"testing"

	"hilrig/record"
)

// hostile is a word from outside that would clear the screen, name the window,
// turn the text around, go back over what was said and end it, and one that
// gives orders to whatever runs a job.
const hostile = "x\x1b[2J\x1b]0;t\a\u202egreen\r\u009b1A\b\x7f\xff\n::error::x ##vso[task.complete result=Failed]##[error]"

// A lively terminal gets our styles, and nothing else that begins like them.
func TestALivelyTerminalGetsOurStylesOnly(t *testing.T) {
	var b bytes.Buffer
	lit := TextIn(&b, true)
	in := Palette(true).Paint(Red, Palette(true).Boldly("FAIL")) + " \x1b[8mhidden \x1b[2;1H" + hostile
	if n, err := lit.Write([]byte(in)); err != nil || n != len(in) {
		t.Errorf("%d of %d bytes, %v", n, len(in), err)
	}
	rest, ours := strings.CutPrefix(b.String(), "\x1b[31m\x1b[1mFAIL\x1b[0m ")
	if !ours || record.Plain(rest) != rest {
		t.Errorf("%q", b.String())
	}
}
