package delivery

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"hilrig/fixtures"
)

// judgeUTF8 holds what is exchanged as JSON against RFC 8259 8.1: it is UTF-8
// and nothing else.
func judgeUTF8(b *fixtures.Bench, what string, text []byte, at time.Time) {
	seen := notUTF8(text)
	b.That(seen == "", fixtures.Finding{
		Expected: what + " in UTF-8 (RFC 8259 8.1)", Seen: seen, At: at,
		Look: "where the firmware's text comes from: a degree sign or a name in Latin-1, a buffer that is not whole, a text cut in the middle of a character",
	})
}

// warnOfNames reports whether it warned: a name twice in an object (RFC 8259 4)
// is read in as many ways as there are readers.
func warnOfNames(b *fixtures.Bench, what string, text []byte, at time.Time) bool {
	path := twice(text)
	if path == "" {
		return false
	}
	b.WarnOf(fixtures.Finding{
		Expected: "each name once in an object of " + what + " (RFC 8259 4)", Seen: fmt.Sprintf("%s twice in %.120q", path, text), At: at,
		Look: "what builds the object in the firmware: of two values some readers take the first, some the last, some none",
	})
	return true
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// notUTF8 says what in a text is no UTF-8, with the bytes around it; empty: all
// is.
func notUTF8(text []byte) string {
	if bytes.HasPrefix(text, byteOrderMark) {
		return fmt.Sprintf("a byte order mark, % x, before %.40q", byteOrderMark, text[len(byteOrderMark):])
	}
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n == 1 {
			around := text[max(0, i-8):min(len(text), i+8)]
			return fmt.Sprintf("byte %d of %d is no UTF-8: % x, which is %q", i, len(text), around, around)
		}
		i += n
	}
	return ""
}

// twice is the first name that an object of the text has twice, as a JSON
// pointer; empty where there is none, or the text is no JSON.
func twice(text []byte) string {
	type object struct {
		names map[string]bool // nil: an array
		name  string
		value bool // the next token is the value of name
		index int
	}
	var open []*object
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	for {
		token, err := d.Token()
		if err != nil {
			return ""
		}
		top := (*object)(nil)
		if len(open) > 0 {
			top = open[len(open)-1]
		}
		if name, ok := token.(string); ok && top != nil && top.names != nil && !top.value {
			if top.name = name; top.names[name] {
				path := ""
				for _, o := range open {
					step := o.name
					if o.names == nil {
						step = fmt.Sprint(o.index)
					}
					path += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(step)
				}
				return path
			}
			top.names[name], top.value = true, true
			continue
		}
		switch token {
		case json.Delim('{'):
			open = append(open, &object{names: map[string]bool{}})
			continue
		case json.Delim('['):
			open = append(open, &object{})
			continue
		case json.Delim('}'), json.Delim(']'):
			open = open[:len(open)-1]
		}
		if len(open) == 0 {
			return "" // one value and no more
		}
		top = open[len(open)-1] // whose value has ended
		top.value = false
		top.index++
	}
}
