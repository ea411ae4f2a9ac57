package console

import "fmt"

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
		return rate + ", is this its port, has it power, does console.newline of its type end a command?"
	case !readable(b):
		return "what came is no text: " + rate + "?"
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
