package terminal

import "testing"

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		text  string
		width int
		want  string
	}{
		{"one two", 0, "  one two\n"},
		{"", 30, "  \n"},
		{"a word that is followed by another", 24, "  a word that is\n  followed by another\n"},
		{"averyveryverylongwordthatdoesnotfit x", 24, "  averyveryverylongwordthatdoesnotfit\n  x\n"},
	} {
		if got := Wrap(c.text, "  ", c.width); got != c.want {
			t.Errorf("Wrap(%q, %d) = %q", c.text, c.width, got)
		}
	}
}
