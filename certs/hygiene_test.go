package certs_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"hilrig/certs"
)

// Each case breaks one rule, and that rule alone is found, where it is.
func TestCheckPEM(t *testing.T) {
	id, other := shared(t, sharedIdentity), shared(t, sharedPKCS1)
	crt, key := id.CertificatePEM, id.KeyPEM
	with := func(parts ...string) []byte { return []byte(strings.Join(parts, "")) }
	for name, c := range map[string]struct {
		kind certs.PEMKind
		data []byte
		max  int
		want []certs.Rule
		line int // of the first finding
	}{
		"clean certificate": {certs.KindCertificate, crt, 0, nil, 0},
		"clean key":         {certs.KindKey, key, 0, nil, 0},
		"clean PKCS#1 key":  {certs.KindKey, other.KeyPEM, 0, nil, 0},
		"just fits":         {certs.KindKey, key, len(key), nil, 0},
		"too large":         {certs.KindKey, key, len(key) - 1, []certs.Rule{certs.RuleSize}, 0},
		"CRLF":              {certs.KindCertificate, bytes.ReplaceAll(crt, []byte("\n"), []byte("\r\n")), 0, []certs.Rule{certs.RuleLineEnds}, 1},
		"one CR":            {certs.KindCertificate, bytes.Replace(crt, []byte("-----\nMII"), []byte("-----\r\nMII"), 1), 0, []certs.Rule{certs.RuleLineEnds}, 1},
		"no final newline":  {certs.KindCertificate, bytes.TrimSpace(crt), 0, []certs.Rule{certs.RuleFinalNewline}, 0},
		"empty line behind": {certs.KindCertificate, with(string(crt), "\n"), 0, []certs.Rule{certs.RuleLayout}, 0},
		"text before":       {certs.KindCertificate, with("a\n", string(crt)), 0, []certs.Rule{certs.RuleOutside}, 0},
		"text behind":       {certs.KindCertificate, with(string(crt), "a\n"), 0, []certs.Rule{certs.RuleOutside}, 0},
		"asterisk behind":   {certs.KindCertificate, with(string(crt), "*\n"), 0, []certs.Rule{certs.RuleOutside, certs.RuleAsterisk}, 0},
		"long line":         {certs.KindCertificate, wide(crt), 0, []certs.Rule{certs.RuleLayout}, 2},
		"trailing blank":    {certs.KindKey, bytes.Replace(key, []byte("-----\n"), []byte("----- \n"), 1), 0, []certs.Rule{certs.RuleLayout}, 1},
		"byte order mark":   {certs.KindCertificate, with("\xef\xbb\xbf", string(crt)), 0, []certs.Rule{certs.RuleReadable, certs.RuleASCII}, 0},
		"NUL at its end":    {certs.KindCertificate, with(string(crt), "\x00"), 0, []certs.Rule{certs.RuleOutside, certs.RuleASCII, certs.RuleFinalNewline}, 0},
		"two blocks":        {certs.KindCertificate, append(bytes.Clone(crt), other.CertificatePEM...), 0, []certs.Rule{certs.RuleOneBlock, certs.RuleOutside}, 0},
		"key for cert":      {certs.KindCertificate, key, 0, []certs.Rule{certs.RuleKind}, 0},
		"cert for key":      {certs.KindKey, crt, 0, []certs.Rule{certs.RuleKind}, 0},
		"cut short":         {certs.KindKey, append(bytes.Clone(key[:900]), '\n'), 0, []certs.Rule{certs.RuleReadable}, 0},
		"nothing":           {certs.KindKey, nil, 0, []certs.Rule{certs.RuleReadable}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			found := certs.CheckPEM(c.kind, c.data, c.max)
			var rules []certs.Rule
			for _, f := range found {
				rules = append(rules, f.Rule)
				if f.Text == "" || strings.Contains(f.Text, "\n") || holdsKeyText(f.Text, key) {
					t.Errorf("text %q", f.Text)
				}
			}
			if !slices.Equal(rules, c.want) {
				t.Fatalf("rules %v, expected %v: %v", rules, c.want, found)
			}
			if c.line > 0 && found[0].Line != c.line {
				t.Errorf("line %d, expected %d", found[0].Line, c.line)
			}
		})
	}
}
