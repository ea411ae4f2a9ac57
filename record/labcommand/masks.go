package labcommand

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Masks puts stars in place of secrets, of the parts of them that let somebody
// in by themselves, and of the codings that a tool or a server shows one in.
func Masks(secrets ...string) *strings.Replacer {
	texts := map[string]bool{}
	for _, s := range secrets {
		for _, part := range partsOf(s) {
			for _, text := range codingsOf(part) {
				texts[text] = true
			}
		}
	}
	all := make([]string, 0, len(texts))
	for text := range texts {
		all = append(all, text)
	}
	longest := func(a, b string) int { return len(b) - len(a) } // one may begin with another
	var pairs []string
	for _, text := range slices.SortedFunc(slices.Values(all), longest) {
		pairs = append(pairs, text, "***")
	}
	return strings.NewReplacer(pairs...)
}

// fewest is how many bytes a coding is looked for of: what is shorter is in
// every line.
const fewest = 4

var (
	schemed   = regexp.MustCompile(`(?is)^(?:bearer|basic|token|key|api-?key|digest|negotiate)\s+(.+)$`)
	parameter = regexp.MustCompile(`(?i)(?:pass|pwd|secret|token|key|credential|auth|sig|session|sid)[\w-]*="?([^",;&\s]{4,})`)
	accountIn = regexp.MustCompile(`://([^/?#\s@]+)@`) // of a URL
	account   = regexp.MustCompile(`^[^\s:/@]+:[^/\s]\S{3,}$`)
)

// partsOf are a secret and what of it is one too: what is behind the scheme of
// an Authorization, the account that it holds, the password of that; the account
// of a URL, and parameters.
func partsOf(secret string) []string {
	if strings.TrimSpace(secret) == "" {
		return nil
	}
	core := strings.TrimSpace(secret) // as a header is sent
	parts := []string{secret, core}
	if m := schemed.FindStringSubmatch(core); m != nil {
		core = m[1]
		parts = append(parts, core)
	}
	for _, m := range parameter.FindAllStringSubmatch(core, -1) {
		parts = append(parts, m[1], unescaped(m[1]))
	}
	for _, m := range accountIn.FindAllStringSubmatch(core, -1) {
		parts = append(parts, ofAccount(m[1])...)
		parts = append(parts, ofAccount(unescaped(m[1]))...)
	}
	if plain, ok := basic(core); ok {
		parts = append(parts, ofAccount(plain)...)
	} else if account.MatchString(core) {
		parts = append(parts, ofAccount(core)...)
	}
	return parts
}

// ofAccount are the secrets of USER:PASSWORD; one without a password is the
// secret itself.
func ofAccount(text string) []string {
	user, password, _ := strings.Cut(text, ":")
	if password == "" {
		return []string{text, user}
	}
	return []string{text, password}
}

// basic is what base64 holds, where that is an account.
func basic(text string) (plain string, ok bool) {
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	b, err := base64.RawStdEncoding.DecodeString(text)
	return string(b), err == nil && utf8.Valid(b) && strings.Contains(string(b), ":")
}

func unescaped(text string) string {
	if plain, err := url.PathUnescape(text); err == nil {
		return plain
	}
	return text
}

// codingsOf are the texts that a secret may be shown as.
func codingsOf(s string) []string {
	texts := []string{s}
	for _, text := range []string{url.QueryEscape(s), url.PathEscape(s)} {
		texts = append(texts, text, percent.ReplaceAllStringFunc(text, strings.ToLower))
	}
	quoted, _ := json.Marshal(s) // of a text it never fails
	texts = append(texts, inside(string(quoted)), inside(strconv.Quote(s)), inside(strconv.QuoteToASCII(s)))
	byNumber := html.EscapeString(s)
	texts = append(texts, byNumber, strings.NewReplacer("&#34;", "&quot;", "&#39;", "&apos;").Replace(byNumber))
	if len(s) >= fewest {
		texts = append(texts, slices.Concat(inBase64(s), inNumbers(s))...)
	}
	return slices.DeleteFunc(texts, func(text string) bool { return text == "" })
}

var percent = regexp.MustCompile(`%[0-9A-F]{2}`)

func inside(quoted string) string { return quoted[1 : len(quoted)-1] }

// inBase64 are the texts in base64, and what is in any longer one that the
// secret is a part of: the characters that depend on nothing else.
func inBase64(s string) (texts []string) {
	for _, c := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		texts = append(texts, c.EncodeToString([]byte(s)), c.WithPadding(base64.NoPadding).EncodeToString([]byte(s)))
		for shift := range 3 {
			text := c.EncodeToString(append(make([]byte, shift), s...))
			texts = append(texts, text[(8*shift+5)/6:8*(shift+len(s))/6])
		}
	}
	return texts
}

// inNumbers are the texts that have a number for each byte.
func inNumbers(s string) (texts []string) {
	for _, c := range []struct{ format, between string }{
		{"%02x", ""}, {"%02x", " "}, {"%02x", ":"}, {"%02x", "-"}, {"%02x", ","}, {"%02x", ", "},
		{"%%%02x", ""}, {`\x%02x`, ""}, {`\u00%02x`, ""}, {"&#x%02x;", ""},
		{"0x%02x", ""}, {"0x%02x", " "}, {"0x%02x", ","}, {"0x%02x", ", "},
		{"%d", " "}, {"%d", ","}, {"%d", ", "}, {"&#%d;", ""},
		{`\%03o`, ""}, {"%03o", " "},
	} {
		for _, format := range []string{c.format, strings.Replace(c.format, "02x", "02X", 1)} {
			each := make([]string, len(s))
			for i := range len(s) {
				each[i] = fmt.Sprintf(format, s[i])
			}
			texts = append(texts, strings.Join(each, c.between))
		}
	}
	return texts
}
