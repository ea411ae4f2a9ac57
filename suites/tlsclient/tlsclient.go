package tlsclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"hilrig/azure/hub"
	"hilrig/azure/tlswire"
	"hilrig/certs"
	"hilrig/fixtures"
)

func version(ctx context.Context, b *fixtures.Trial) {
	e, err := b.Handshake(ctx)
	b.Premise(err)
	h := e.Handshake
	if h.OK {
		b.That(h.Version == tls.VersionTLS12, fixtures.Finding{
			Expected: "TLS 1.2", Seen: "a handshake in " + tls.VersionName(h.Version), At: e.At,
			Look: "the versions allowed in the firmware's TLS configuration (mbedtls_ssl_conf_max_tls_version): IoT Hub speaks 1.2"})
		return
	}
	offered := offeredVersions(h.Hello)
	b.That(slices.Contains(offered, tls.VersionTLS12), fixtures.Finding{
		Expected: "TLS 1.2 to be offered", Seen: "only " + names(offered, tls.VersionName) + " in the ClientHello",
		Look: "the versions compiled into the firmware's TLS library (mbedtls: MBEDTLS_SSL_PROTO_TLS1_2): IoT Hub speaks 1.2", At: e.At,
	})
	b.NotRun("no handshake was completed: " + h.Err)
}

// offeredVersions are the versions that a hello allows: by the extension, or
// before it existed everything up to its version field (RFC 5246 appendix E).
func offeredVersions(h *tlswire.ClientHello) []uint16 {
	var versions []uint16
	for _, v := range h.Versions {
		if !tlswire.IsGREASE(v) {
			versions = append(versions, v)
		}
	}
	for v := uint16(tls.VersionTLS10); len(h.Versions) == 0 && v <= h.Version && v <= tls.VersionTLS12; v++ {
		versions = append(versions, v)
	}
	return versions
}

func names(ids []uint16, name func(uint16) string) string {
	var s []string
	for _, id := range ids {
		s = append(s, name(id))
	}
	return strings.Join(s, ", ")
}

// offeredIsChosen is why a suite matters that the hub would never choose.
const offeredIsChosen = "what a client offers, somebody in between can choose"

// hubSuites are the four that IoT Hub recommends, and the only ones it takes
// since 31 August 2025 (Azure: tls-support).
var hubSuites = []uint16{0xc02f, 0xc030, 0xc027, 0xc028}

func cipherSuites(ctx context.Context, b *fixtures.Trial) {
	e, err := b.Handshake(ctx)
	b.Premise(err)
	offered := e.Handshake.Hello.Suites
	shared, open, weak := 0, []string{}, []string{}
	for _, s := range offered {
		if slices.Contains(hubSuites, s) {
			shared++
		}
		switch severity, why := tlswire.Weakness(s); severity {
		case tlswire.Fail:
			open = append(open, fmt.Sprintf("%s (%s)", tlswire.SuiteName(s), why))
		case tlswire.Warn:
			weak = append(weak, fmt.Sprintf("%s (%s)", tlswire.SuiteName(s), why))
		}
	}
	b.Measure("suites offered", float64(len(offered)), "", nil, nil)
	b.Measure("of IoT Hub's four", float64(shared), "", nil, nil)
	b.That(shared > 0, fixtures.Finding{
		Expected: "one of " + names(hubSuites, tlswire.SuiteName), Seen: "only " + names(offered, tlswire.SuiteName) + " in the ClientHello",
		Look: "the cipher suites compiled into the firmware's TLS library: ECDHE with RSA, and AES in GCM or CBC with SHA-256 or better", At: e.At,
	})
	b.That(len(open) == 0, fixtures.Finding{
		Expected: "no cipher suite without protection", Seen: "in the ClientHello " + strings.Join(open, ", "),
		Look: "the cipher suites compiled into the firmware's TLS library: take these out", At: e.At,
		Why: offeredIsChosen,
	})
	if len(weak) > 0 {
		b.WarnOf(fixtures.Finding{
			Expected: "strong cipher suites only", Seen: "weak suites offered: " + strings.Join(weak, ", "),
			Look: "the cipher suites compiled into the firmware's TLS library: take these out", At: e.At,
			Why: offeredIsChosen,
		})
	}
}

func serverName(ctx context.Context, b *fixtures.Trial) {
	if net.ParseIP(b.HubName) != nil {
		b.NotApplicable("the hub's host is an IP address, which SNI cannot carry (RFC 6066 section 3)")
	}
	e, err := b.Handshake(ctx)
	b.Premise(err)
	got := e.Handshake.Hello.ServerName
	f := fixtures.Finding{Expected: "server name " + b.HubName, Seen: "server name " + got, At: e.At,
		Look: "the broker in the device's MQTT parameters (a name, not an address), and whether the firmware gives it to its TLS library (mbedtls_ssl_set_hostname)"}
	if got == "" {
		f.Seen = "no server name (SNI) in the ClientHello"
	}
	b.That(strings.EqualFold(got, b.HubName), f)
}

func clientCertificate(ctx context.Context, b *fixtures.Trial) {
	e, err := b.Handshake(ctx)
	b.Premise(err)
	h := e.Handshake
	if !h.OK && len(h.Certificates) == 0 && h.Alert != nil {
		b.NotRun("the device gave up before it was its turn: " + h.Err)
	}
	if h.Unasked() {
		b.NotApplicable(hub.NobodyAsked)
	}
	b.That(len(h.Certificates) > 0, fixtures.Finding{
		Expected: "a client certificate when the hub asks for one", Seen: "an empty Certificate message: no client certificate", At: e.At,
		Look: "whether the firmware gives slots 20 and 30 to its TLS library (mbedtls_ssl_conf_own_cert), and whether key and certificate fit",
	})
}

// refusal is a hub that a device must not talk to.
type refusal struct {
	profile certs.Profile
	shown   string     // what the hub shows, for messages
	look    string     // at first, where the device takes it
	dated   bool       // meaningless for a device without a clock
	then    []likewise // shown after it, and to be refused as well
}

// likewise is another form of what a refusal shows.
type likewise struct {
	profile certs.Profile
	shown   string
	named   bool // only of a host that has a name
}

// Where the checks are in a common TLS library.
const (
	noChainCheck   = "whether the chain is verified at all, and at each connect, not at the first alone (mbedtls: MBEDTLS_SSL_VERIFY_REQUIRED, and slot 10 as CA chain)"
	noNameCheck    = "the host name check of the TLS library: mbedtls_ssl_set_hostname with the name that is dialled"
	noDateCheck    = "whether dates are checked and the clock is set (mbedtls: MBEDTLS_HAVE_TIME_DATE, a time source before the first connect)"
	noPurposeCheck = "the check of extended key usage in the TLS library (mbedtls: MBEDTLS_X509_CHECK_EXTENDED_KEY_USAGE)"
	noCACheck      = "the check of basic constraints in the TLS library: an issuer must be a CA"
	noRootKey      = "whether a chain is verified up to slot 10's key, and not only by names and key identifiers (a verify callback that says yes to MBEDTLS_X509_BADCERT_NOT_TRUSTED?)"
	noProof        = "the check of the ServerKeyExchange's signature in the TLS library (RFC 5246 section 7.4.3)"
)

func (r refusal) judge(ctx context.Context, b *fixtures.Trial) {
	if r.dated && b.Type.Behaviour.Clock == "none" {
		b.Warn("the type has no clock: it cannot judge dates")
		b.NotApplicable("the type has no clock (behaviour.clock: none)")
	}
	b.Premise(b.Connected(ctx))
	r.show(ctx, b)
	for _, also := range r.then {
		if also.named && net.ParseIP(b.HubName) != nil {
			continue
		}
		r.profile, r.shown = also.profile, also.shown
		r.show(ctx, b)
	}
}

// show shows the wrong certificate until the device has refused it as often as
// it takes to be sure.
func (r refusal) show(ctx context.Context, b *fixtures.Trial) {
	wrong, err := b.Store.WrongServer(ctx, b.HubName, r.profile)
	b.Must(err)
	r.shown += r.since(wrong.Leaf)
	b.Step("the hub shows %s", r.shown)
	mark := b.Mark()
	showing := b.Hub.Show(hub.Fault{Name: string(r.profile), Certificate: &wrong}, 0)
	defer func() {
		mark := b.Mark()
		showing.Lift()
		b.Step("the hub shows its own certificate again")
		if err := b.Hasten(ctx); err != nil {
			b.Step("connect command: %v", err)
		}
		if _, err := b.AwaitSession(ctx, mark, b.Type.Timing.ReconnectWithin); err != nil && ctx.Err() == nil {
			b.Step("the device is not back: %v", err)
		}
	}()
	way, err := b.Provoke(ctx)
	b.Premise(err)
	r.watch(ctx, b, mark, way)
}

// since is the date that makes a certificate wrong in time.
func (r refusal) since(leaf *x509.Certificate) string {
	switch {
	case leaf == nil:
		return ""
	case r.profile == certs.Expired:
		return " on " + leaf.NotAfter.Format(time.DateOnly)
	case r.profile == certs.NotYetValid:
		return ", only from " + leaf.NotBefore.Format(time.DateOnly) + " on"
	}
	return ""
}

// watch follows the connections to which the fault is shown. One alert proves
// a refusal; so do two handshakes that end without a word, because a single
// reset may be the network's.
func (r refusal) watch(ctx context.Context, b *fixtures.Trial, from int, way string) {
	alerts := 1
	if r.profile == certs.UnknownRoot {
		alerts = 2 // it must not think better of it at its next try
	}
	var last hub.Event
	for silent := 0; silent < 2; {
		e, err := b.Await(ctx, from, b.Type.Timing.ReconnectWithin, "the device to meet "+r.shown, hub.Event.MetFault)
		if err != nil {
			b.Premise(fmt.Errorf("device did not come back after %s: %w", way, err))
		}
		from, last = e.Seq+1, e
		switch h := e.Handshake; {
		case h.OK:
			r.completed(ctx, b, e)
			return
		case h.Alert != nil:
			b.Step("refused with alert %d %s", h.Alert.Number, h.Alert.Name)
			if alerts--; alerts == 0 {
				return
			}
			if err := b.Hasten(ctx); err != nil {
				b.Step("connect command: %v", err)
			}
			continue
		}
		silent++
	}
	b.WarnOf(fixtures.Finding{
		Expected: "a TLS alert that says why " + r.shown + " is refused", Seen: "the connection closed twice without a TLS alert",
		Look: "whether the firmware closes the socket before its TLS library has sent the alert (mbedtls_ssl_send_alert_message): without it nobody at the hub can tell why", At: last.At,
		Why: "a fleet that stays away without a word cannot be told from one that has no network",
	})
}

// completed is the bad case: whether the device goes on to MQTT decides.
func (r refusal) completed(ctx context.Context, b *fixtures.Trial, h hub.Event) {
	e, err := b.Await(ctx, h.Seq, b.Type.Timing.ReconnectWithin, "what the device does with it", func(e hub.Event) bool {
		return e.Conn == h.Conn && (e.Kind == hub.KindConnect || e.Kind == hub.KindDisconnected)
	})
	b.Premise(err)
	if e.Kind == hub.KindConnect {
		b.Fail(fixtures.Finding{
			Expected: "the device to refuse " + r.shown,
			Seen:     fmt.Sprintf("a handshake completed with %s (alert: none, MQTT CONNECT %s%s)", r.shown, later(e.At.Sub(h.At)), answered(e)),
			Look:     r.look, At: h.At,
		})
	}
	b.WarnOf(fixtures.Finding{
		Expected: "the device to refuse " + r.shown + " within the handshake",
		Seen:     fmt.Sprintf("the handshake completed with %s (alert: none), and the connection closed %s, before CONNECT", r.shown, later(e.At.Sub(h.At))),
		Look:     "whether the firmware verifies the certificate only after the handshake: " + r.look, At: h.At,
	})
}

func later(d time.Duration) string {
	to := time.Millisecond
	if d < to {
		to = 10 * time.Microsecond
	}
	return d.Round(to).String() + " later"
}

// answered is what became of a CONNECT.
func answered(e hub.Event) string {
	if e.Accepted() {
		return ", session up"
	}
	return ", refused by the hub"
}
