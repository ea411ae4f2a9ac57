package junit

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"hilrig/record"
	"hilrig/record/wording"
)

// Most bytes of a case's system-out. Jenkins keeps 1,000 characters of a
// passed case and 100,000 of a failed one; GitLab reads 30 MB in all.
const (
	mostPassed = 900
	mostFailed = 80_000
)

// output is what a case says beside its verdict: warnings first, then the last
// transcript lines, measurements, rounds, and where the evidence is.
func output(d *record.DeviceRecord, r record.SpecResult, o Options, failed bool) string {
	var lines []string
	for _, w := range r.Warnings {
		lines = append(lines, "WARNING: "+w)
	}
	if ids := o.requirements(r.ID); o.Strict && len(ids) > 0 { // whose schema has no properties of a case
		lines = append(lines, "requirements: "+strings.Join(ids, ", "))
	}
	for _, n := range r.Rounds {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("round %d: %s %s", n.Round, n.Verdict, cmp.Or(n.Message, n.Cause))))
	}
	for _, m := range r.Measurements {
		lines = append(lines, measurement(m))
	}
	most := mostPassed
	if failed {
		most = mostFailed
		if len(r.Output) > 0 {
			lines = append(lines, "last lines of the transcript:")
			lines = append(lines, r.Output...)
		}
	}
	text := cut(clean(strings.Join(lines, "\n")), most)
	for _, a := range attachments(d, o, failed) {
		text += "\n[[ATTACHMENT|" + clean(a) + "]]"
	}
	return strings.TrimPrefix(text, "\n")
}

func measurement(m record.Measurement) string {
	s := fmt.Sprintf("%s: %.6g %s", m.Name, m.Value, m.Unit)
	if m.Low != nil {
		s += fmt.Sprintf(", at least %g", *m.Low)
	}
	if m.High != nil {
		s += fmt.Sprintf(", at most %g", *m.High)
	}
	if m.Verdict == record.Fail {
		s += " OUT OF LIMITS"
	}
	return strings.TrimSpace(s)
}

// attachments are the evidence files of a failed case that are there.
func attachments(d *record.DeviceRecord, o Options, failed bool) []string {
	if !failed || o.RunDir == "" {
		return nil
	}
	var found []string
	dir, err := filepath.Abs(o.RunDir)
	if err != nil { // no consumer would find them by a name from here
		return nil
	}
	for _, name := range []string{"transcript.log", "timeline.jsonl"} {
		f := filepath.Join(dir, "devices", d.Name, name)
		if _, err := os.Stat(f); err == nil {
			if rel, ok := Below(o.Root, f); ok && o.Root != "" {
				f = rel
			}
			found = append(found, f)
		}
	}
	return found
}

// Below names a file from root, with slashes as every consumer takes them; false:
// it is elsewhere. Either may be reached by a link.
func Below(root, file string) (string, bool) {
	if rel, err := filepath.Rel(root, file); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel), true
	}
	realRoot, err := filepath.EvalSymlinks(root)
	if err != nil {
		return "", false
	}
	realFile, err := filepath.EvalSymlinks(file)
	if err != nil {
		return "", false
	}
	rel, err := filepath.Rel(realRoot, realFile)
	return filepath.ToSlash(rel), err == nil && filepath.IsLocal(rel)
}

// clean makes visible what XML cannot hold: control characters, what is not
// UTF-8, and the two non-characters (XML 1.0 section 2.2).
func clean(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\n' || r == '\t':
			b.WriteRune(r)
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r == 0xfffe || r == 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

// line is a message of one line, short enough for a list.
func line(s string) string { return cut(clean(wording.OneLine(s)), 1000) }

// cut shortens to most bytes at a rune's border and says so.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + " … (cut)"
}
