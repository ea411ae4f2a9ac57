package console

import (
	"bytes"
	"regexp"
	"strings"
)

// escape is a control sequence of a terminal (ECMA-48 section 5.4): a console
// that paints its words puts them around a text, or into it.
const escape = `\x1b\[[0-?]*[ -/]*[@-~]`

var escapes = regexp.MustCompile(escape)

// painted matches a text as a console may paint it: with control sequences
// between its characters.
type painted struct {
	text string
	re   *regexp.Regexp
}

func newPainted(text string) painted {
	var b strings.Builder
	for i, r := range text {
		if i > 0 {
			b.WriteString(`(?:` + escape + `)*`)
		}
		b.WriteString(regexp.QuoteMeta(string(r)))
	}
	return painted{text, regexp.MustCompile(b.String())}
}

func (p painted) Find(b []byte) (start, end int) {
	if i := bytes.Index(b, []byte(p.text)); i >= 0 {
		return i, i + len(p.text)
	}
	if !bytes.ContainsRune(b, 0x1b) {
		return -1, -1
	}
	if m := p.re.FindIndex(b); m != nil {
		return m[0], m[1]
	}
	return -1, -1
}

// Behind is what a text and some sequences in it can be long.
func (p painted) Behind() int    { return 16*len(p.text) + 64 }
func (p painted) String() string { return p.text }
