package tlswire

import (
	"fmt"
	"slices"
	"strings"
)

// Severity is how bad a finding is.
type Severity string

// The severities, mildest first.
const (
	OK   Severity = "ok"
	Warn Severity = "warn"
	Fail Severity = "fail"
)

// Objection is one thing that is wrong with a ClientHello.
type Objection struct {
	Name     string // stable: "compression", "signature-algorithms"
	Severity Severity
	Text     string // one line for people, with the numbers and the source
}

// judges are what a hello is judged by, in the order of what is said. Each says
// nothing of what is right.
var judges = []struct {
	name  string
	judge func(*ClientHello) (Severity, string)
}{
	{"message", judgeMessage},
	{"ssl", judgeSSL},
	{"compression", judgeCompression},
	{"signature-algorithms", judgeSignatures},
	{"groups", judgeGroups},
	{"point-formats", judgePointFormats},
	{"renegotiation", judgeRenegotiation},
}

// Report judges h in the manner of howsmyssl and says what is wrong with it.
// Its cipher suites are [Weakness]'s, its highest version is [ClientHello.MaxVersion].
// Fail is kept for a hello that breaks the protocol; what is merely unwise warns.
func Report(h *ClientHello) (found []Objection) {
	for _, j := range judges {
		if severity, text := j.judge(h); text != "" {
			found = append(found, Objection{j.name, severity, text})
		}
	}
	return found
}

// judgeMessage judges the form (RFC 5246 7.4.1.2 and 7.4.1.4).
func judgeMessage(h *ClientHello) (Severity, string) {
	if h.Malformed != "" {
		return Fail, "cannot be read to its end: " + h.Malformed
	}
	seen := map[uint16]bool{}
	for _, e := range h.Extensions {
		if seen[e.Type] {
			return Fail, "extension " + e.Name + " is there twice (RFC 5246 7.4.1.4)"
		}
		seen[e.Type] = true
	}
	return OK, ""
}

// judgeSSL looks for SSL 2 and 3.
func judgeSSL(h *ClientHello) (Severity, string) {
	switch {
	case len(h.SSLv2Suites) > 0:
		return Warn, fmt.Sprintf("SSL 2 form, with %d suites of SSL 2 (RFC 6176 forbids it)", len(h.SSLv2Suites))
	case h.SSLv2:
		return Warn, "SSL 2 form (RFC 6176 forbids it)"
	case h.Version <= 0x0300:
		return Warn, "SSL 3 as its highest version (RFC 7568 forbids it)"
	case slices.ContainsFunc(h.Versions, func(v uint16) bool { return v <= 0x0300 }):
		return Warn, "SSL 3 among its versions (RFC 7568 forbids it)"
	}
	return OK, ""
}

// judgeCompression: null must be offered (RFC 5246 7.4.1.2), and nothing else
// should (RFC 9325 3.3).
func judgeCompression(h *ClientHello) (Severity, string) {
	switch {
	case h.SSLv2: // that form has none
	case !slices.Contains(h.Compression, 0):
		return Fail, "does not offer to go without compression (RFC 5246 7.4.1.2)"
	case len(h.Compression) > 1:
		return Warn, fmt.Sprintf("compression is offered, methods % x (CRIME, CVE-2012-4929)", h.Compression)
	}
	return OK, ""
}

// goodSignatures verify the RSA chain of an IoT Hub with SHA-256 or better.
var goodSignatures = []uint16{0x0401, 0x0501, 0x0601, 0x0804, 0x0805, 0x0806}

// judgeSignatures judges what the client takes as proof of a server. Without
// the extension a server of TLS 1.2 must assume SHA-1 (RFC 5246 7.4.1.4.1); it
// means nothing before TLS 1.2.
func judgeSignatures(h *ClientHello) (Severity, string) {
	switch {
	case h.MaxVersion() < 0x0303, len(h.SignatureAlgorithms) == 0 && h.only13():
		return OK, ""
	case len(h.SignatureAlgorithms) == 0:
		return Warn, "no signature algorithms: means SHA-1 (RFC 5246 7.4.1.4.1)"
	}
	var weak []uint16
	for _, s := range h.SignatureAlgorithms {
		if !IsGREASE(s) && weakSignature(s) {
			weak = append(weak, s)
		}
	}
	if len(weak) > 0 {
		return Warn, "signatures over MD5 or nothing, or of nobody, are taken: " + listOf(weak, SignatureName) + " (CVE-2015-7575, RFC 5246 7.4.1.4.1)"
	}
	if !anyOf(h.SignatureAlgorithms, goodSignatures) {
		return Warn, "no RSA signature over SHA-256 or better is taken, and the hub's certificate has one; only " + listOf(h.SignatureAlgorithms, SignatureName)
	}
	return OK, ""
}

// weakSignature has no hash or MD5 (RFC 6151), or is anonymous, which must not
// be in the extension (RFC 5246 7.4.1.4.1).
func weakSignature(s uint16) bool {
	hash, key := s>>8, s&0xff
	return hash <= 1 || key == 0 && int(hash) < len(hashNames)
}

// goodGroups are those that IoT Hub's suites have: P-256, P-384, P-521, X25519.
var goodGroups = []uint16{23, 24, 25, 29}

// weakGroup has less than 112 bits of strength: curves of at most 193 bits in
// the IANA registry, or of the client's own making (RFC 8422 5.1.1).
func weakGroup(g uint16) bool {
	return 1 <= g && g <= 5 || 15 <= g && g <= 19 || g == 0xff01 || g == 0xff02
}

// judgeGroups: a client that names none leaves the choice to the server (RFC
// 8422 4).
func judgeGroups(h *ClientHello) (Severity, string) {
	if len(h.Groups) == 0 {
		return OK, ""
	}
	var weak []uint16
	for _, g := range h.Groups {
		if weakGroup(g) {
			weak = append(weak, g)
		}
	}
	if len(weak) > 0 {
		return Warn, "groups of less than 112 bits are offered: " + listOf(weak, GroupName) + " (RFC 8422 5.1.1)"
	}
	if !anyOf(h.Groups, goodGroups) {
		return Warn, "none of the groups of IoT Hub's suites is offered: P-256, P-384, P-521, X25519; only " + listOf(h.Groups, GroupName)
	}
	return OK, ""
}

// judgePointFormats: uncompressed must be among them (RFC 8422 5.1.2).
func judgePointFormats(h *ClientHello) (Severity, string) {
	if len(h.PointFormats) > 0 && !slices.Contains(h.PointFormats, 0) {
		return Fail, fmt.Sprintf("uncompressed points are not offered, only % x (RFC 8422 5.1.2)", h.PointFormats)
	}
	return OK, ""
}

// judgeRenegotiation looks for RFC 5746, which TLS 1.3 does not need.
func judgeRenegotiation(h *ClientHello) (Severity, string) {
	e, extension := h.Extension(extRenegotiation)
	switch {
	case extension && !slices.Equal(e.Body, []byte{0}):
		return Fail, fmt.Sprintf("renegotiation_info is not empty in a first handshake: % x (RFC 5746 3.4)", e.Body)
	case h.SecureRenegotiation || h.only13():
		return OK, ""
	}
	return Warn, "no secure renegotiation (RFC 5746)"
}

// only13 reports that nothing below TLS 1.3 is offered.
func (h *ClientHello) only13() bool {
	return len(h.Versions) > 0 && !slices.ContainsFunc(h.Versions, func(v uint16) bool { return v < 0x0304 && !IsGREASE(v) })
}

func anyOf(have, want []uint16) bool {
	return slices.ContainsFunc(have, func(v uint16) bool { return slices.Contains(want, v) })
}

// listOf writes numbers by name, GREASE left out, at most a dozen.
func listOf(numbers []uint16, name func(uint16) string) string {
	var names []string
	for _, n := range numbers {
		if !IsGREASE(n) {
			names = append(names, name(n))
		}
	}
	if len(names) > 12 {
		names = append(names[:12], fmt.Sprintf("and %d more", len(names)-12))
	}
	return strings.Join(names, ", ")
}
