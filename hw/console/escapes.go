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

// Bare is a text without the sequences that paint it.
func Bare(text string) string {
	if !strings.ContainsRune(text, 0x1b) {
		return text
	}
	return escapes.ReplaceAllString(text, "")
}

type unpainted struct{ pattern }

// Unpainted matches an expression as [Regexp] does, in what is said without the
// sequences that paint it: they stand in no word, and at no beginning or end of
// a line. The text of a match has them still.
func Unpainted(re *regexp.Regexp) Matcher { return unpainted{pattern{re}} }

func (u unpainted) Find(b []byte) (start, end int) {
	paint := escapes.FindAllIndex(b, -1)
	if len(paint) == 0 {
		return u.pattern.Find(b)
	}
	var bare []byte
	last := 0
	for _, p := range paint {
		bare, last = append(bare, b[last:p[0]]...), p[1]
	}
	bare = append(bare, b[last:]...)
	m := u.re.FindIndex(bare)
	if m == nil {
		return -1, -1
	}
	return whereIn(paint, m[0]), whereIn(paint, m[1])
}

// whereIn is the place in painted bytes of a place in the bare ones, before the
// sequences that stand there.
func whereIn(paint [][]int, at int) int {
	for _, p := range paint {
		if p[0] >= at {
			break
		}
		at += p[1] - p[0]
	}
	return at
}
