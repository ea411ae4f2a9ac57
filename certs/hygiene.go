package certs

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
)

// PEMKind is what a PEM file should hold.
type PEMKind string

// The kinds.
const (
	KindCertificate PEMKind = "certificate"
	KindKey         PEMKind = "private key"
)

// Rule names what a [Defect] is about.
type Rule string

// The rules of [CheckPEM].
const (
	RuleReadable     Rule = "readable"      // one PEM block of the kind, whose body can be read
	RuleOneBlock     Rule = "one-block"     // not two
	RuleKind         Rule = "kind"          // no key in a certificate's place, and the other way round
	RuleAsterisk     Rule = "asterisk"      // it would end the transfer (guide section 4)
	RuleLineEnds     Rule = "line-ends"     // LF alone
	RuleFinalNewline Rule = "final-newline" // after the END line
	RuleOutside      Rule = "outside"       // no text around the block
	RuleASCII        Rule = "ascii"         // no NUL, no byte order mark, nothing beyond 7 bits
	RuleLayout       Rule = "layout"        // lines of 64 characters, no blanks (RFC 7468 section 2)
	RuleSize         Rule = "size"          // within what the device takes
)

// Defect is one thing that is wrong with the form of a PEM file. Its text
// names places, never content: the file may be a key.
type Defect struct {
	Rule Rule
	Text string
	Line int // 1-based; 0 where the defect is of the file as a whole
}

// defects collects.
type defects []Defect

func (f *defects) add(rule Rule, line int, format string, args ...any) {
	*f = append(*f, Defect{Rule: rule, Line: line, Text: fmt.Sprintf(format, args...)})
}

// CheckPEM checks the form in which a file goes over the console: one block of
// the kind and readable, laid out as openssl writes it, LF line ends with a
// final one, nothing outside the block, no `*`, and at most maxSize bytes (0:
// no limit). A file without defects is byte for byte what openssl and this
// package write.
func CheckPEM(kind PEMKind, data []byte, maxSize int) []Defect {
	var out defects
	checkBlock(&out, kind, data)
	if i := bytes.IndexByte(data, '*'); i >= 0 {
		out.add(RuleAsterisk, lineOf(data, i), "a `*` at byte %d would end the transfer there", i)
	}
	if i := bytes.IndexByte(data, '\r'); i >= 0 {
		out.add(RuleLineEnds, lineOf(data, i), "a carriage return at byte %d: line ends must be LF alone", i)
	}
	if i := bytes.IndexFunc(data, func(r rune) bool { return r == 0 || r > '~' }); i >= 0 {
		out.add(RuleASCII, lineOf(data, i), "byte %d is not ASCII text", i)
	}
	if len(data) > 0 && !bytes.HasSuffix(data, []byte("\n")) {
		out.add(RuleFinalNewline, 0, "no newline at its end")
	}
	if maxSize > 0 && len(data) > maxSize {
		out.add(RuleSize, 0, "%d bytes; the device takes %d (console.max_file)", len(data), maxSize)
	}
	return out
}

func checkBlock(out *defects, kind PEMKind, data []byte) {
	if err := readAs(kind, data); err != nil {
		out.add(ruleOf(err), 0, "%v", err)
	}
	block, rest := pem.Decode(data)
	if block == nil {
		return
	}
	begin := bytes.Index(data, beginMark)
	if begin > 0 || len(bytes.TrimSpace(rest)) > 0 {
		out.add(RuleOutside, 0, "text outside the PEM block")
		return
	}
	checkLayout(out, block, data)
}

// checkLayout holds the file against the one way in which its block is written.
func checkLayout(out *defects, block *pem.Block, data []byte) {
	have := bytes.TrimRight(bytes.ReplaceAll(data, []byte("\r"), nil), "\n")
	want := bytes.TrimRight(pem.EncodeToMemory(block), "\n")
	switch {
	case !bytes.Equal(have, want):
		i := 0
		for i < len(have) && i < len(want) && have[i] == want[i] {
			i++
		}
		out.add(RuleLayout, lineOf(have, i), "line %d is not laid out as openssl does: 64 characters a line, no blanks", lineOf(have, i))
	case bytes.HasSuffix(data, []byte("\n\n")), bytes.HasSuffix(data, []byte("\n\r\n")):
		out.add(RuleLayout, 0, "empty lines at its end")
	}
}

func readAs(kind PEMKind, data []byte) (err error) {
	if kind == KindKey {
		_, err = ParseKey(data)
	} else {
		_, err = ParseCertificate(data)
	}
	return err
}

func ruleOf(err error) Rule {
	switch {
	case errors.Is(err, ErrSeveralBlocks):
		return RuleOneBlock
	case errors.Is(err, ErrKeyForCertificate), errors.Is(err, ErrCertificateForKey):
		return RuleKind
	}
	return RuleReadable
}

func lineOf(data []byte, at int) int { return 1 + bytes.Count(data[:at], []byte("\n")) }
