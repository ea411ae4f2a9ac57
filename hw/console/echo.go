package console

import "bytes"

// echo tells what a device says from what it merely repeats of what was sent to
// it. Only a text that was sent can be an echo, and only where the device
// echoes, in the surroundings it was sent in, and as often as it was sent.
type echo struct {
	on      bool // the device echoes
	command string
	sent    []byte // command, the prompt that comes between, and file, without line ends
	next    map[string]int
}

// surroundings is how many characters before a text must be the same.
const surroundings = 8

func newEcho(command, prompt string, file []byte) *echo {
	sent := significant(append([]byte(command+prompt), file...))
	return &echo{command: command, sent: sent, next: map[string]int{}}
}

// significant is text without line ends, which an echo may change.
func significant(b []byte) []byte {
	kept := make([]byte, 0, len(b))
	for _, c := range b {
		if c != '\r' && c != '\n' {
			kept = append(kept, c)
		}
	}
	return kept
}

// is reports whether text, which was received right after before, is an echo.
// Each is asked for once, in the order received.
func (e *echo) is(before []byte, text string) bool {
	if !e.on {
		return false
	}
	before = significant(before[max(0, len(before)-4*surroundings):])
	for at := e.next[text]; ; at++ {
		i := bytes.Index(e.sent[min(at, len(e.sent)):], []byte(text))
		if i < 0 {
			return false
		}
		at += i
		around := e.sent[max(0, at-surroundings):at]
		if bytes.HasSuffix(before, around) {
			e.next[text] = at + 1
			return true
		}
	}
}

// complete reports whether the end of the file is in what was received: the
// device echoes files too.
func (e *echo) complete(received []byte) bool {
	end := e.sent[max(0, len(e.sent)-2*surroundings):]
	return e.on && len(end) > 0 && bytes.Contains(significant(received), end)
}
