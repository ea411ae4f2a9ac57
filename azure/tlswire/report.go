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

// Finding is one thing said of a ClientHello.
type Finding struct {
	Name     string // stable: "compression", "signature-algorithms"
	Severity Severity
	Text     string // one line for people, with the numbers
}

// Report judges h in the manner of howsmyssl: a finding for every subject, OK
// ones too, always in the same order: message, ssl, version, compression,
// signature-algorithms, groups, point-formats, renegotiation, fallback. Cipher
// suites are [Weakness]'s. Fail is kept for a hello that breaks the protocol;
// what is merely unwise warns.
func Report(h *ClientHello) []Finding {
	return []Finding{
		reportMessage(h), reportSSL(h), reportVersion(h), reportCompression(h),
		reportSignatures(h), reportGroups(h), reportPointFormats(h),
		reportRenegotiation(h), reportFallback(h),
	}
}

// reportMessage judges the form (RFC 5246 7.4.1.2 and 7.4.1.4).
func reportMessage(h *ClientHello) Finding {
	f := Finding{Name: "message", Severity: OK, Text: fmt.Sprintf("%d bytes, %d extensions", len(h.Raw), len(h.Extensions))}
	if h.Malformed != "" {
		return Finding{f.Name, Fail, "the ClientHello " + h.Malformed}
	}
	seen := map[uint16]bool{}
	for _, e := range h.Extensions {
		if seen[e.Type] {
			return Finding{f.Name, Fail, "extension " + e.Name + " is there twice (RFC 5246 7.4.1.4)"}
		}
		seen[e.Type] = true
	}
	return f
}

// reportSSL looks for SSL 2 and 3 (RFC 6176, RFC 7568).
func reportSSL(h *ClientHello) Finding {
	const name = "ssl"
	switch {
	case len(h.SSLv2Suites) > 0:
		return Finding{name, Warn, fmt.Sprintf("an SSL 2 hello that offers %d suites of SSL 2 (RFC 6176)", len(h.SSLv2Suites))}
	case h.SSLv2:
		return Finding{name, Warn, "the hello has the form of SSL 2 (RFC 6176)"}
	case h.Version <= 0x0300 || slices.ContainsFunc(h.Versions, func(v uint16) bool { return v <= 0x0300 }):
		return Finding{name, Warn, "offers " + VersionName(min(h.Version, 0x0300)) + " (RFC 7568)"}
	}
	return Finding{name, OK, "neither SSL 2 nor SSL 3"}
}

// reportVersion looks for TLS 1.2 or better (RFC 8996).
func reportVersion(h *ClientHello) Finding {
	offered := VersionName(h.Version) + " and below"
	if len(h.Versions) > 0 {
		offered = listOf(h.Versions, VersionName)
	}
	if h.MaxVersion() < 0x0303 {
		return Finding{"version", Warn, "offers " + offered + ", not TLS 1.2 (RFC 8996)"}
	}
	return Finding{"version", OK, "offers " + offered}
}

// reportCompression: null must be offered (RFC 5246 7.4.1.2), and nothing else
// should (CRIME, RFC 9325 3.3).
func reportCompression(h *ClientHello) Finding {
	const name = "compression"
	switch {
	case h.SSLv2:
		return Finding{name, OK, "the form of SSL 2 has none"}
	case !slices.Contains(h.Compression, 0):
		return Finding{name, Fail, "does not offer to go without compression (RFC 5246 7.4.1.2)"}
	case len(h.Compression) > 1:
		return Finding{name, Warn, fmt.Sprintf("offers compression, methods % x (CRIME, RFC 9325 3.3)", h.Compression)}
	}
	return Finding{name, OK, "none offered"}
}

// goodSignatures verify the RSA chain of an IoT Hub with SHA-256 or better.
var goodSignatures = []uint16{0x0401, 0x0501, 0x0601, 0x0804, 0x0805, 0x0806}

// reportSignatures judges what the client takes as proof of a server. Without
// the extension a server of TLS 1.2 must assume SHA-1 (RFC 5246 7.4.1.4.1).
func reportSignatures(h *ClientHello) Finding {
	const name = "signature-algorithms"
	if h.MaxVersion() < 0x0303 {
		return Finding{name, OK, "came with TLS 1.2, which is not offered"}
	}
	if h.SignatureAlgorithms == nil {
		return Finding{name, Warn, "names none: SHA-1 must be assumed (RFC 5246 7.4.1.4.1)"}
	}
	var weak []uint16
	for _, s := range h.SignatureAlgorithms {
		hash, key := s>>8, s&0xff
		md5OrNone := hash <= 1
		anonymous := key == 0 && int(hash) < len(hashNames)
		if !IsGREASE(s) && (md5OrNone || anonymous) {
			weak = append(weak, s)
		}
	}
	if len(weak) > 0 {
		return Finding{name, Warn, "takes " + listOf(weak, SignatureName) + " (RFC 6151)"}
	}
	if !anyOf(h.SignatureAlgorithms, goodSignatures) {
		return Finding{name, Warn, "takes no RSA signature with SHA-256 or better, only " + listOf(h.SignatureAlgorithms, SignatureName)}
	}
	return Finding{name, OK, listOf(h.SignatureAlgorithms, SignatureName)}
}

// goodGroups are those that servers have: P-256, P-384, P-521, X25519.
var goodGroups = []uint16{23, 24, 25, 29}

// weakGroups have less than 112 bits of strength, or are curves of the
// client's own making (RFC 8422 5.1.1).
func weakGroup(g uint16) bool {
	return 1 <= g && g <= 5 || 15 <= g && g <= 19 || g == 0xff01 || g == 0xff02
}

func reportGroups(h *ClientHello) Finding {
	const name = "groups"
	if h.Groups == nil {
		if offersECDHE(h) {
			return Finding{name, Warn, "offers elliptic curve suites and names no curves (RFC 8422 4)"}
		}
		return Finding{name, OK, "none named, no suite needs one"}
	}
	var weak []uint16
	for _, g := range h.Groups {
		if weakGroup(g) {
			weak = append(weak, g)
		}
	}
	if len(weak) > 0 {
		return Finding{name, Warn, "offers " + listOf(weak, GroupName) + " (RFC 8422 5.1.1)"}
	}
	if !anyOf(h.Groups, goodGroups) {
		return Finding{name, Warn, "offers none of P-256, P-384, P-521, X25519, only " + listOf(h.Groups, GroupName)}
	}
	return Finding{name, OK, listOf(h.Groups, GroupName)}
}

func offersECDHE(h *ClientHello) bool {
	return slices.ContainsFunc(h.Suites, func(s uint16) bool { return strings.HasPrefix(SuiteName(s), "TLS_ECDHE_") })
}

// reportPointFormats: uncompressed must be among them (RFC 8422 5.1.2).
func reportPointFormats(h *ClientHello) Finding {
	if h.PointFormats != nil && !slices.Contains(h.PointFormats, 0) {
		return Finding{"point-formats", Fail, fmt.Sprintf("uncompressed points are not among % x (RFC 8422 5.1.2)", h.PointFormats)}
	}
	return Finding{"point-formats", OK, "uncompressed"}
}

// reportRenegotiation looks for RFC 5746, which TLS 1.3 does not need.
func reportRenegotiation(h *ClientHello) Finding {
	const name = "renegotiation"
	e, extension := h.Extension(extRenegotiation)
	switch {
	case extension && !slices.Equal(e.Body, []byte{0}):
		return Finding{name, Fail, fmt.Sprintf("renegotiation_info is not empty in a first handshake: % x (RFC 5746 3.4)", e.Body)}
	case h.SecureRenegotiation:
		return Finding{name, OK, "secure renegotiation is signalled"}
	case h.Versions != nil && !slices.ContainsFunc(h.Versions, func(v uint16) bool { return v < 0x0304 }):
		return Finding{name, OK, "TLS 1.3 only, which has none"}
	}
	return Finding{name, Warn, "secure renegotiation is not signalled (RFC 5746)"}
}

// reportFallback: a first hello has no reason to signal a fallback (RFC 7507).
func reportFallback(h *ClientHello) Finding {
	if h.Fallback {
		return Finding{"fallback", Warn, "says that something higher was refused before (RFC 7507)"}
	}
	return Finding{"fallback", OK, "no fallback"}
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
