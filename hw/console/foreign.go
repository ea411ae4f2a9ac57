package console

import (
	"bytes"
	"strings"
)

// foreign counts the lines of what was received in a transfer that are neither
// echo nor prompt nor answer: log lines of the device. Where one breaks into
// an echoed line, its pieces count.
func (t *transfer) foreign(received []byte) (n int) {
	known := map[string]bool{"": true, t.command: true, strings.TrimSpace(t.c.set.Prompt): true, t.c.set.OK: true}
	for _, l := range bytes.FieldsFunc(t.data, lineEnd) {
		known[string(bytes.TrimSpace(l))] = true
	}
	for _, l := range bytes.FieldsFunc(received, lineEnd) {
		text := strings.TrimSpace(strings.TrimLeft(string(bytes.TrimSpace(l)), string(rune(terminator))))
		if !known[text] {
			n++
		}
	}
	return n
}

func lineEnd(r rune) bool { return r == '\r' || r == '\n' }
