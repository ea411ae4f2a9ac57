package delivery

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"hilrig/fixtures"
)

// judgeUTF8 holds what is exchanged as JSON against RFC 8259 8.1: it is UTF-8
// and nothing else.
func judgeUTF8(b *fixtures.Trial, what string, text []byte, at time.Time) {
	seen := notUTF8(text)
	b.That(seen == "", fixtures.Finding{
		Expected: what + " in UTF-8 (RFC 8259 8.1)", Seen: seen, At: at,
		Look: "where the firmware's text comes from: a degree sign or a name in Latin-1, a buffer that is not whole, a text cut in the middle of a character",
	})
}

// warnOfNames reports whether it warned: a name twice in an object (RFC 8259 4)
// is read in as many ways as there are readers.
func warnOfNames(b *fixtures.Trial, what string, text []byte, at time.Time) bool {
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

// judgeWhole holds a JSON text against RFC 8259 2: one value, and white space. A
// reader that stops behind the value does not see what follows.
func judgeWhole(b *fixtures.Trial, what string, text []byte, at time.Time) {
	seen, look := notJSON(text)
	b.That(seen == "", fixtures.Finding{Expected: what + " that is one JSON value and no more (RFC 8259 2)", Seen: seen, Look: look, At: at})
}

const payloadLook = "the payload's buffer: is it whole, is it overwritten while it is sent?"

// notJSON says what in a text is no JSON, and where to look first; empty: all
// is.
func notJSON(text []byte) (seen, look string) {
	d := json.NewDecoder(bytes.NewReader(text))
	var value json.RawMessage
	if err := d.Decode(&value); err != nil {
		at := min(max(d.InputOffset(), 0), int64(len(text)))
		if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
			at = min(max(syntax.Offset-1, 0), int64(len(text)))
		}
		before := text[:at]
		for _, word := range []string{"nan", "inf", "infinity"} {
			for start := max(0, len(before)-1); start <= len(before); start++ {
				if end := start + len(word); end <= len(text) && strings.EqualFold(string(text[start:end]), word) {
					return fmt.Sprintf("%s at byte %d, and JSON has no such number, in %.120q", text[start:end], start, text),
						"how the firmware prints a number that it does not have: a sensor that failed, a division by zero; null is JSON's word for it"
				}
			}
		}
		return fmt.Sprintf("not JSON: %v at byte %d, in %.120q", err, at, text), payloadLook
	}
	end := d.InputOffset()
	rest := bytes.TrimLeft(text[end:], " \t\r\n")
	switch {
	case len(rest) == 0:
		return "", ""
	case len(bytes.Trim(rest, "\x00")) == 0:
		return fmt.Sprintf("%d NUL behind the value, at byte %d of %d, in %.120q", len(rest), end, len(text), text),
			"the length that the firmware gives to its publish: strlen, not sizeof, nor one more for the end of a C string"
	}
	return fmt.Sprintf("%.40q behind the value, at byte %d of %d", rest, end, len(text)), payloadLook
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
