package tlsclient

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"hilrig/azure/hub"
	"hilrig/azure/tlswire"
	"hilrig/certs"
	"hilrig/fixtures"
	"hilrig/record"
)

// tries of a hub that is within its rights: a handshake that fails once may be
// the network's, or end because a command that is obeyed late starts another.
const tries = 3

// noDowngrade shows a hub of each older version alone, and says which way the
// device refused it.
func noDowngrade(ctx context.Context, b *fixtures.Trial) {
	b.Premise(b.Connected(ctx))
	var spoken []string
	var at time.Time
	for _, version := range []uint16{tls.VersionTLS11, tls.VersionTLS10} {
		name := tls.VersionName(version)
		b.Step("the hub speaks %s only", name)
		m := meet(ctx, b, hub.OnlyVersion(version), 1)
		offered := slices.Contains(offeredVersions(m.last().Handshake.Hello), version)
		if !m.completed() && offered && m.last().Handshake.Alert == nil {
			m = meet(ctx, b, hub.OnlyVersion(version), tries) // a handshake that ends without a word may be the network's
		}
		if m.completed() {
			spoken, at = append(spoken, name), m.last().At
			continue
		}
		how := "refused the ServerHello, " + m.said()
		if !offered {
			how = "never offered it"
		}
		b.Step("%s: %s", name, how)
	}
	b.That(len(spoken) == 0, fixtures.Finding{
		Expected: "no handshake below TLS 1.2", Seen: "handshakes completed in " + strings.Join(spoken, " and ") + " (alert: none)",
		Look: "the lowest version in the firmware's TLS configuration (mbedtls_ssl_conf_min_tls_version): 1.2", At: at,
	})
}

// eachSuite shows a hub of each suite alone. Go's server lacks one of the four
// (0xc028); where the device offers it, that is said and not judged.
func eachSuite(ctx context.Context, b *fixtures.Trial) {
	b.Premise(b.Connected(ctx))
	e, err := b.Handshake(ctx)
	b.Premise(err)
	judged := 0
	for _, suite := range hubSuites {
		name := tlswire.SuiteName(suite)
		if !slices.Contains(e.Handshake.Hello.Suites, suite) {
			continue
		}
		if suite == 0xc028 {
			b.Step("%s is offered; this hub cannot speak it", name)
			continue
		}
		b.Step("the hub takes %s only", name)
		m := meet(ctx, b, hub.OnlySuite(suite), tries)
		b.That(m.completed(), fixtures.Finding{
			Expected: "a handshake with " + name + ", which the device offers", Seen: spoke(m.handshakes),
			Look: "what is compiled into the TLS library, against what it offers", At: m.last().At,
		})
		judged++
		b.Measure("handshake with "+name, m.last().Handshake.Duration.Seconds(), "s", nil, nil)
	}
	b.That(judged > 0, fixtures.Finding{
		Expected: "one of " + names(hubSuites, tlswire.SuiteName), Seen: "only " + names(e.Handshake.Hello.Suites, tlswire.SuiteName) + " in the ClientHello",
		Look: "the cipher suites compiled into the firmware's TLS library", At: e.At,
	})
}

// largeChain: the smaller one is what a hub may grow to any day; 8 kB is more
// than anyone promises.
func largeChain(ctx context.Context, b *fixtures.Trial) {
	b.Premise(b.Connected(ctx))
	for _, c := range []struct {
		profile certs.Profile
		text    string
		must    bool
	}{
		{certs.LargeChain20, "a chain a fifth larger than Azure's", true},
		{certs.LargeChain, "a chain of 8 kB", false},
	} {
		chain, err := b.Store.WrongServer(ctx, b.HubName, c.profile)
		b.Must(err)
		size := 0
		for _, der := range chain.Certificate {
			size += len(der)
		}
		b.Step("the hub shows %s: %d bytes", c.text, size)
		m := meet(ctx, b, hub.Fault{Name: string(c.profile), Certificate: &chain}, tries)
		if m.completed() {
			b.Measure("handshake with "+c.text, m.last().Handshake.Duration.Seconds(), "s", nil, nil)
			continue
		}
		f := fixtures.Finding{
			Expected: fmt.Sprintf("a handshake with %s (%d bytes)", c.text, size), Seen: spoke(m.handshakes),
			Look: "the receive buffer of the TLS library (mbedtls: MBEDTLS_SSL_IN_CONTENT_LEN, 16384 takes every record)", At: m.last().At,
		}
		b.That(!c.must, f)
		b.WarnOf(f)
	}
}

// recordSize splits a certificate message into many records, as middleboxes
// and small servers do (RFC 5246 6.2.1).
const recordSize = 256

func fragmented(ctx context.Context, b *fixtures.Trial) {
	b.Premise(b.Connected(ctx))
	b.Step("the hub sends records of at most %d bytes", recordSize)
	m := meet(ctx, b, hub.Fault{Name: "small-records", RecordSize: recordSize}, tries)
	if !m.completed() {
		b.WarnOf(fixtures.Finding{
			Expected: fmt.Sprintf("a handshake whose messages are split over records of %d bytes (RFC 5246 section 6.2.1)", recordSize), Seen: spoke(m.handshakes),
			Look: "the version of the TLS library: common stacks before 2025 cannot put such messages together (Mbed TLS can from 3.6.3 on)", At: m.last().At,
		})
	}
}

// slowest is how long a hub's answers may take on a bad link; a device that
// gives up sooner does not get onto GPRS at all.
const slowest = 3 * time.Second

func slow(ctx context.Context, b *fixtures.Trial) {
	b.Premise(b.Connected(ctx))
	e, err := b.Handshake(ctx)
	b.Premise(err)
	gap := max(time.Microsecond, slowest/time.Duration(max(1, hubBytes(e))))
	b.Step("the hub sends a byte every %s", gap)
	m := meet(ctx, b, hub.Fault{Name: "byte-a-moment", ByteEvery: gap}, tries)
	b.That(m.completed(), fixtures.Finding{
		Expected: fmt.Sprintf("a handshake with a hub that takes %s for its messages", slowest), Seen: spoke(m.handshakes),
		Look: "the read timeout of the handshake in the firmware (mbedtls_ssl_conf_read_timeout), and its watchdog", At: m.last().At,
	})
	b.Measure("slow handshake", m.last().Handshake.Duration.Seconds(), "s", nil, nil)
}

// hubBytes is what the hub sends in a handshake, for the most part its
// certificates.
func hubBytes(e hub.Event) (n int) {
	for _, m := range e.Handshake.Messages {
		if !m.FromClient {
			n += m.Length
		}
	}
	return n
}

// In a row: enough to see a fault of one in ten; few where each costs minutes
// of a battery or a SIM.
const (
	inARow      = 50
	inARowLeast = 5
	enough      = 30 * time.Second // after which the least will do
)

func handshakes(ctx context.Context, b *fixtures.Trial) {
	b.Premise(b.Connected(ctx))
	b.Must(b.Obeyed(ctx))
	mark, began := b.Mark(), time.Now()
	b.Step("up to %d connects in a row", inARow)
	came, last, asked := 0, time.Time{}, b.Mark()
	var missing error
	for i := range inARow {
		if i >= inARowLeast && time.Since(began) > enough {
			break
		}
		asked = b.Mark()
		e, err := b.Reconnect(ctx)
		if err != nil {
			if errors.As(err, new(hub.Lacking)) {
				b.Premise(err)
			}
			b.Step("not back: %v", err)
			missing = err
			break
		}
		came, last = came+1, e.At
	}
	var broken []hub.Event
	var took []time.Duration
	for _, e := range begunSince(b, mark) {
		if e.Handshake.OK {
			took = append(took, e.Handshake.Duration)
			continue
		}
		broken = append(broken, e)
	}
	total := len(took) + len(broken)
	b.Measure("handshakes", float64(total), "", nil, nil)
	if total == 0 {
		b.NotRun("the device began no handshake when it was made to connect; see recovery/server-disconnect, and commands.connect of its type")
	}
	b.That(len(took) > 0, fixtures.Finding{
		Expected: fmt.Sprintf("%d handshakes, all complete", total), Seen: "none that completed; " + spoke(broken),
		Look: "what the TLS library takes and gives back over many connects: memory, sockets", At: firstOf(broken),
	})
	slices.Sort(took)
	b.Measure("handshake, median", took[len(took)/2].Seconds(), "s", nil, nil)
	b.Measure("handshake, longest", took[len(took)-1].Seconds(), "s", nil, nil)
	b.That(len(broken) == 0, fixtures.Finding{
		Expected: fmt.Sprintf("%d handshakes, all complete", total),
		Seen:     fmt.Sprintf("%d not completed; %s", len(broken), spoke(broken)),
		Look:     "what the TLS library takes and gives back over many connects: memory, sockets; what broke first is in the timeline", At: firstOf(broken),
	})
	if missing == nil || came == 0 || ctx.Err() != nil || record.ClassOf(missing) != record.ClassDevice {
		return // one that does not come back at all is told by recovery/server-disconnect
	}
	b.Fail(fixtures.Finding{
		Expected: fmt.Sprintf("%d connects in a row", inARow),
		Seen:     fmt.Sprintf("%d, and then none within %s: %s", came, b.Type.Timing.ReconnectWithin, b.Summary(asked).Text),
		Look:     "what a connection takes that its end does not give back: sockets, memory, TLS contexts; how many the firmware has in all", At: last,
	})
}

// begunSince are the handshakes of connections that began behind the mark: one
// that stood before may be broken off by the first order of a row.
func begunSince(b *fixtures.Trial, mark int) []hub.Event {
	begun := map[int64]bool{}
	for _, e := range b.Since(mark, func(e hub.Event) bool { return e.Kind == hub.KindAccepted }) {
		begun[e.Conn] = true
	}
	return b.Since(mark, func(e hub.Event) bool {
		return e.Kind == hub.KindHandshake && e.Handshake != nil && e.Handshake.Hello != nil && begun[e.Conn]
	})
}

// firstOf is when the first of them was; zero without any.
func firstOf(events []hub.Event) (at time.Time) {
	if len(events) > 0 {
		at = events[0].At
	}
	return at
}
