package runner

import (
	"io"
	"strings"
)

// lastLines copies a child's log into its file and keeps what a person wants
// to read first when the child dies: the panic, or else the last words.
type lastLines struct {
	file   io.Writer
	size   int
	err    error // of the file; the child must never block on a full disk
	panic  string
	recent []string
}

const recentLines = 8

// mostLogged bounds a child's log in bytes.
const mostLogged = 16 << 20

func (t *lastLines) line(b []byte, _ bool) {
	switch {
	case t.err != nil || t.size > mostLogged:
	case t.size+len(b) > mostLogged:
		t.size += len(b)
		_, t.err = t.file.Write([]byte("the log is full: nothing more is kept\n"))
	default:
		t.size += len(b) + 1
		_, t.err = t.file.Write(append(b[:len(b):len(b)], '\n'))
	}
	s := strings.TrimSpace(string(b))
	if s == "" {
		return
	}
	if t.panic == "" && (strings.HasPrefix(s, "panic:") || strings.HasPrefix(s, "fatal error:") || strings.HasPrefix(s, "runtime: out of memory")) {
		t.panic = s
	}
	if len(t.recent) == recentLines {
		t.recent = t.recent[1:]
	}
	t.recent = append(t.recent, s)
}

// word is one line: how the child explains its death.
func (t *lastLines) word() string {
	switch {
	case t.panic != "":
		return clipText(t.panic, 300)
	case len(t.recent) > 0:
		return clipText(t.recent[len(t.recent)-1], 300)
	}
	return ""
}

func clipText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
