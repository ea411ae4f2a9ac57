package terminal

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"hilrig/record"
	"hilrig/record/wording"
)

// OneLine makes text that may be anything one line.
func OneLine(s string) string { return record.Plain(wording.OneLine(s)) }

// Wrap breaks text into lines of at most width characters, each begun with
// indent; width 0 is no bound.
func Wrap(text, indent string, width int) string {
	text = record.Plain(text)
	room := width - len(indent)
	if width == 0 || room < 20 {
		return indent + text + "\n"
	}
	var b strings.Builder
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len([]rune(line))+1+len([]rune(word)) > room {
			b.WriteString(indent + line + "\n")
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	b.WriteString(indent + line + "\n")
	return b.String()
}

// Path is a path as one would type it from here.
func Path(p string) string {
	wd, err := os.Getwd()
	if err != nil {
		return p
	}
	rel, err := filepath.Rel(wd, p)
	if err != nil || slices.Contains(strings.Split(rel, string(filepath.Separator)), "..") {
		return p
	}
	return rel
}
