package console

import (
	"regexp"
	"testing"
)

// What a line of the transcript says is what was said, without the paint.
func TestTheWordsOfALine(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]string{
		"app ready\r\n":                         "app ready",
		"\x1b[0;32mapp \x1b[1mready\x1b[0m\r\n": "app ready",
		"a\tb\\n\xff\x00":                       "a\tb\\n\xff\x00",
		"größe\n":                               "größe",
		"":                                      "",
	} {
		line := string(appendPrintable(nil, []byte(said)))
		if got := Words(line); got != want {
			t.Errorf("%q says %q, want %q", said, got, want)
		}
		if got, want := EndsLine(line), said != "" && (said[len(said)-1] == '\n' || said[len(said)-1] == '\r'); got != want {
			t.Errorf("%q ends a line: %v", said, got)
		}
	}
	for _, cut := range []string{`a\`, `a\x1`, `a\xzz`} {
		Words(cut) // of a line that somebody cut
	}
}

// A pattern is found in painted words, and the match is where they stand.
func TestAPatternInPaintedWords(t *testing.T) {
	t.Parallel()
	for painted, want := range map[string]string{
		"no version 2.4\r":                       "version 2.4",
		"\x1b[31mversion \x1b[1m2.4\x1b[0m\r":    "version \x1b[1m2.4",
		"\x1b[31mver\x1b[32msion 2.4":            "ver\x1b[32msion 2.4",
		"\x1b[31m\x1b[1mversion 2\x1b[0m.4 next": "version 2\x1b[0m.4",
		"\x1b[31mnothing":                        "",
	} {
		start, end := Unpainted(regexp.MustCompile(`version (\d\S+)`)).Find([]byte(painted))
		got := ""
		if start >= 0 {
			got = painted[start:end]
		}
		if Bare(got) != Bare(want) || Bare(got) == "" && want != "" {
			t.Errorf("%q: found %q, want %q", painted, got, want)
		}
	}
}
