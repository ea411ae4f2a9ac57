package tlsclient

import (
	"context"
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
		for _, f := range tlswire.Report(e.Handshake.Hello) {
			if !slices.Contains(findings, f.Text) {
				findings = append(findings, f.Text)
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
