package console

import (
	"bytes"
	"fmt"
)

// whyNoPrompt is the first thing to look at when a console does not answer as
// its type says: the commonest mistakes, by what came instead.
func (t *transfer) whyNoPrompt() string {
	rate := "is this its baud rate"
	if t.c.set.Baud > 0 {
		rate = fmt.Sprintf("is %d its baud rate", t.c.set.Baud)
	}
	b := t.c.Received(t.mark)
	switch {
	case len(b) == 0:
		return rate + ", is this its port, has it power, does it boot longer than timing.boot_within of its type, does console.newline end a command?"
	case !readable(b):
		return "what came is no text: " + rate + "?"
	}
	if e := escapes.Find(b); e != nil {
		return fmt.Sprintf("what came has escape codes in it, as %q; console.prompt of its type is looked for with and without them: does it say %q?", e, t.c.set.Prompt)
	}
	return fmt.Sprintf("does it say %q before a file, as console.prompt of its type has it, and does console.newline end its commands?", t.c.set.Prompt)
}

// readable reports whether most of what was received is text. A line at another
// rate has nothing but odd characters.
func readable(b []byte) bool {
	odd := 0
	for _, c := range b {
		if c < ' ' && c != '\r' && c != '\n' && c != '\t' && c != 0x1b || c >= 0x7f {
			odd++
		}
	}
	return 4*odd <= len(b)
}

// xoff is software flow control's word for a pause (DC3).
const xoff = 0x13

// pauses says that the device asked for pauses in the file, which nobody heeds:
// the guide's line has no flow control (section 4).
func (t *transfer) pauses() string {
	n := bytes.Count(t.c.Received(t.mark), []byte{xoff})
	if n == 0 {
		return ""
	}
	times := "once"
	if n > 1 {
		times = fmt.Sprintf("%d times", n)
	}
	return "it sent XOFF (0x13) " + times + ", which asks for a pause: console.chunk and console.chunk_delay of its type feed it more slowly"
}
