package labcommand

import (
	"bytes"
	"strings"
)

// Of a line so many bytes are shown, and so many read: what is cut before it is
// masked may end in half a secret.
const (
	longestLine = 1000
	mostOfLine  = 64 << 10
)

// lineWriter cuts what a command prints into lines, and masks them.
type lineWriter struct {
	see   func(string)
	masks *strings.Replacer
	line  []byte
	inKey bool // between the first and the last line of a private key
}

func (w *lineWriter) Write(b []byte) (int, error) {
	n := len(b)
	for len(b) > 0 {
		i := bytes.IndexAny(b, "\r\n")
		if i < 0 {
			w.add(b)
			break
		}
		w.add(b[:i])
		w.end()
		b = b[i+1:]
	}
	return n, nil
}

func (w *lineWriter) add(b []byte) {
	w.line = append(w.line, b[:min(len(b), mostOfLine-len(w.line))]...)
}

// end is the end of a line; an empty one is none.
func (w *lineWriter) end() {
	line := strings.TrimSpace(string(w.line))
	w.line = w.line[:0]
	switch begins := keyBlock.MatchString(line); {
	case line == "":
		return
	case w.inKey:
		w.inKey = !strings.Contains(line, "-----END ")
		return
	case begins:
		w.inKey = !strings.Contains(line, "-----END ")
		line = keyBlock.ReplaceAllString(line, "***")
	}
	line = w.masks.Replace(line)
	w.see(line[:min(len(line), longestLine)])
}
