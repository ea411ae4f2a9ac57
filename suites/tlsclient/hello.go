package tlsclient

import (
	"context"
	"fmt"
	"slices"
	"time"

	"hilrig/azure/hub"
	"hilrig/azure/tlswire"
	"hilrig/fixtures"
)

// clientHello reads the hello as howsmyssl does: what a client offers says
// what it would put up with.
func clientHello(ctx context.Context, b *fixtures.Trial) {
	_, err := b.Handshake(ctx)
	b.Premise(err)
	for _, e := range b.Since(b.ProvisionMark(), func(e hub.Event) bool {
		return e.Kind == hub.KindHandshake && e.Handshake != nil && e.Handshake.Garbage
	}) {
		b.Fail(fixtures.Finding{
			Expected: "TLS from the first byte on", Seen: "a connection without TLS: " + e.Handshake.Err, At: e.At,
			Look: "a code path of the firmware that dials without TLS: what it sends there is in the clear",
		})
	}
	var findings []string
	first := time.Time{}
	for _, e := range b.Since(b.ProvisionMark(), func(e hub.Event) bool {
		return e.Kind == hub.KindHandshake && e.Handshake != nil && e.Handshake.Hello != nil
	}) { // a stack may try with one hello and fall back to another
		for _, f := range weaknesses(e.Handshake.Hello) {
			if !slices.Contains(findings, f) {
				findings = append(findings, f)
				if first.IsZero() {
					first = e.At
				}
			}
		}
	}
	b.Measure("findings", float64(len(findings)), "", nil, nil)
	for _, f := range findings {
		b.WarnOf(fixtures.Finding{
			Expected: "a ClientHello that offers nothing harmful", Seen: f, At: first,
			Look: "the configuration of the firmware's TLS library: what it offers, somebody in between can choose (RFC 9325 section 4)",
		})
	}
}

// Signature algorithms (RFC 5246 7.4.1.4.1: hash, then signature) and groups
// (RFC 8422, RFC 7919) that a device needs or should not have.
const (
	hashNone, hashMD5  = 0, 1
	emptyRenegotiation = 0x00ff // TLS_EMPTY_RENEGOTIATION_INFO_SCSV, RFC 5746
)

// strongSignatures are those of a hub with an RSA certificate.
var strongSignatures = []uint16{0x0401, 0x0501, 0x0601, 0x0804, 0x0805, 0x0806}

// usefulGroups are those of IoT Hub's suites.
var usefulGroups = []uint16{23, 24, 25, 29, 30} // secp256r1, secp384r1, secp521r1, x25519, x448

// weaknesses are the findings of a hello, each with its source.
func weaknesses(h *tlswire.ClientHello) (found []string) {
	say := func(bad bool, format string, args ...any) {
		if bad {
			found = append(found, fmt.Sprintf(format, args...))
		}
	}
	say(h.SSLv2, "SSL 2 form (RFC 6176 forbids it)")
	say(!h.SSLv2 && h.Version <= 0x0300, "SSL 3 as its highest version (RFC 7568 forbids it)")
	say(slices.Contains(h.Versions, 0x0300), "SSL 3 among its versions (RFC 7568 forbids it)")
	for _, c := range h.Compression {
		say(c != 0, "compression method %d is offered (CVE-2012-4929)", c)
	}
	say(h.Malformed != "", "cannot be read to its end: %s", h.Malformed)
	say(!h.SecureRenegotiation && !slices.Contains(h.Suites, emptyRenegotiation) && !onlyTLS13(h), "no secure renegotiation (RFC 5746)")
	signatures(h, say)
	groups(h, say)
	say(len(h.PointFormats) > 0 && !slices.Contains(h.PointFormats, 0), "uncompressed points are not offered (RFC 8422 5.1.2)")
	return found
}

func signatures(h *tlswire.ClientHello, say func(bool, string, ...any)) {
	if len(h.SignatureAlgorithms) == 0 {
		say(!onlyTLS13(h), "no signature algorithms: means SHA-1 (RFC 5246 7.4.1.4.1)")
		return
	}
	strong := false
	for _, s := range h.SignatureAlgorithms {
		strong = strong || slices.Contains(strongSignatures, s)
		switch hash := s >> 8; {
		case hash == hashNone || hash == hashMD5:
			say(true, "signatures over MD5 or nothing are taken: %#04x (CVE-2015-7575)", s)
		}
	}
	say(!strong, "no RSA signature over SHA-256 or better is taken, and the hub's certificate has one")
}

func groups(h *tlswire.ClientHello, say func(bool, string, ...any)) {
	if len(h.Groups) == 0 {
		return // RFC 8422: the client has no preference
	}
	useful := false
	for _, g := range h.Groups {
		useful = useful || slices.Contains(usefulGroups, g)
		say(g >= 1 && g <= 18 || g == 21, "a group of less than 112 bits is offered: %d (RFC 8422)", g)
	}
	say(!useful, "none of the groups of IoT Hub's suites is offered: P-256, P-384, P-521, X25519")
}

func onlyTLS13(h *tlswire.ClientHello) bool {
	if len(h.Versions) == 0 {
		return false
	}
	for _, v := range h.Versions {
		if v < 0x0304 && !tlswire.IsGREASE(v) {
			return false
		}
	}
	return true
}
