package provisioning

import (
	"context"
	"fmt"
	"strings"

	"hilrig/azure/hub"
	"hilrig/certs"
	"hilrig/fixtures"
	"hilrig/hw/console"
	"hilrig/record"
)

// loads judges the load of one slot, which the specs of a run share.
func loads(slot fixtures.Slot) func(context.Context, *fixtures.Trial) {
	return func(ctx context.Context, b *fixtures.Trial) {
		b.Premise(b.Unanswered(slot))
		b.Step("load %s (%s)", slot, slot.Command())
		l, err := b.FirstLoad(ctx, slot)
		b.Must(err)
		b.Must(l.Err)
		b.LookFirst("what the firmware does between the `*` and its OK: erasing flash, checking the file; console.ok_within is for those that need longer")
		b.DecidedAt(l.Receipt.Answered)
		answer := l.Receipt.Answered.Sub(l.Receipt.Last)
		b.Measure("time to OK", answer.Seconds(), "s", nil, fixtures.AtMost(b.Type.Console.OKWithin.Seconds()))
		b.Measure("transfer", l.Receipt.Seconds, "s", nil, nil)
		b.That(strings.Contains(l.Receipt.Answer, b.Type.Console.OK), fixtures.Finding{
			Expected: b.Type.Console.OK + " after the `*`", Seen: fmt.Sprintf("%q", l.Receipt.Answer), Look: "console.ok of the device type, against the transcript from 9270 on", At: l.Receipt.Answered,
		})
		if n := l.Receipt.Again; n > 0 {
			b.WarnOf(fixtures.Finding{
				Expected: "one answer to each file", At: l.Receipt.Started,
				Seen: fmt.Sprintf("%q once more behind the answer to the file before, before the prompt for this one", b.Type.Console.OK),
				Look: "what prints the answer in the firmware: the parser and the store both? A script that sends the next file at the first OK takes the second for that file's",
			})
		}
		b.JudgeEcho(ctx, slot, l)
	}
}

func presented(ctx context.Context, b *fixtures.Trial) {
	id, err := b.Identity(ctx)
	b.Premise(err)
	e, err := b.Handshake(ctx)
	b.Premise(err)
	b.DecidedAt(e.At)
	b.Measure("handshake", e.Handshake.Duration.Seconds(), "s", nil, nil)
	judgePresented(b, e, id, "the certificate loaded last")
}

func judgePresented(b *fixtures.Trial, e hub.Event, want *certs.Identity, which string) {
	expected := certs.ThumbprintsOf(want.Certificate).SHA256
	f := fixtures.Finding{Expected: which + ", thumbprint " + expected, At: e.At,
		Look: "whether slot 20 is stored where the TLS stack reads it, and whether the device must be restarted for it (commands.after_provision)"}
	if a := e.Handshake.Alert; a != nil && !e.Handshake.OK && len(e.Handshake.Certificates) == 0 {
		b.Premise(record.NewFailure(record.ClassDevice, "wait for", "a certificate of the device", fmt.Errorf(
			"the device ended the handshake itself, by TLS alert %d (%s), before it presented one", a.Number, a.Name)))
	}
	if e.Handshake.Unasked() {
		b.NotApplicable(hub.NobodyAsked)
	}
	if len(e.Handshake.Certificates) == 0 {
		f.Seen = "no client certificate"
		if e.Handshake.Err != "" {
			f.Seen += ": " + e.Handshake.Err
		}
		b.Fail(f)
	}
	f.Seen = "thumbprint " + e.Handshake.Thumbprints.SHA256 + ", which is " + b.WhoseThumbprint(e.Handshake.Thumbprints.SHA256)
	b.That(e.Handshake.Thumbprints.SHA256 == expected, f)
	f.Expected, f.Seen = "proof of the certificate's key", "the handshake failed: "+e.Handshake.Err
	f.Look = "whether slot 30 holds the key of the certificate in slot 20, and the device reads it from there"
	b.That(e.Handshake.OK, f)
}

// leastShare of the line's rate that a device must take. The default is mild:
// what is meant is a console that is many times slower than its line.
const leastShare = 0.25

// lineRate measures what the loads of this run took. A poor share is looked at
// again, because a busy host is late too: the best of five counts. All three
// files are loaded for it: a device that waits for a whole set would keep a lone
// key, and hold it against the next certificate.
func lineRate(ctx context.Context, b *fixtures.Trial) {
	id, err := b.Identity(ctx)
	b.Premise(err)
	b.LookFirst("how the firmware reads its console while it takes a file: byte by byte in a loop that does other things too, or by interrupt into a buffer")
	best := map[fixtures.Slot]console.Receipt{}
	worst := bestOfLoads(ctx, b, best)
	for try := 0; try < 4 && worst < leastShare; try++ {
		b.Step("%.0f %% of the line's rate; the three files once more", 100*worst)
		b.Must(b.Provision(ctx, id))
		worst = bestOfLoads(ctx, b, best)
	}
	slow := false
	for _, slot := range console.Slots() {
		r := best[slot]
		b.Measure("seconds for "+slot.String(), r.Seconds, "s", nil, nil)
		if r.LineShare > 0 {
			if share := 100 * r.LineShare; !b.Measure("line share for "+slot.String(), share, "%", fixtures.AtMost(100*leastShare), nil) && !slow {
				b.DecidedAt(r.Last) // of the first that is beyond the limit, which decides
				slow = true
			}
		}
	}
}

// bestOfLoads takes over into best what the last loads did better, and says the
// lowest share of the line's rate there; 1 where the line has none.
func bestOfLoads(ctx context.Context, b *fixtures.Trial, best map[fixtures.Slot]console.Receipt) float64 {
	worst := 1.0
	for _, slot := range console.Slots() {
		l, err := b.FirstLoad(ctx, slot)
		b.Premise(err)
		b.Premise(l.Err)
		if had, ok := best[slot]; !ok || l.Receipt.LineShare > had.LineShare {
			best[slot] = l.Receipt
		}
		if share := best[slot].LineShare; share > 0 {
			worst = min(worst, share)
		}
	}
	return worst
}

// replace gives the device a second identity while the hub still takes the
// first: only so is it seen when the first is presented again.
func replace(ctx context.Context, b *fixtures.Trial) {
	first, err := b.Identity(ctx)
	b.Premise(err)
	b.Premise(b.Connected(ctx))
	second, err := b.NewIdentity(ctx)
	b.Must(err)
	b.Step("load a second identity")
	b.Must(b.Provision(ctx, second))
	b.Must(b.Register(ctx, second, first))
	b.Step("wait for the next handshake")
	serr := b.AwaitLoaded(ctx, b.Type.Timing.ConnectWithin)
	if serr != nil {
		_, serr = b.Reconnect(ctx)
	}
	for _, e := range b.LoadedHandshakes() {
		judgePresented(b, e, second, "the second identity")
	}
	b.Must(serr)
	b.Step("once more, to see that it stays")
	_, err = b.Reconnect(ctx)
	b.Must(err)
	for _, e := range b.LoadedHandshakes() {
		judgePresented(b, e, second, "the second identity")
	}
	b.Must(b.Register(ctx, second))
}

// presents judges the handshakes since the mark. At a hub that does not show
// them a session is what speaks for the identity.
func presents(b *fixtures.Trial, from int, want *certs.Identity, which string) {
	if !b.Shows(hub.Handshakes) {
		return
	}
	for _, e := range fullHandshakes(b, from) {
		judgePresented(b, e, want, which)
	}
}

func fullHandshakes(b *fixtures.Trial, from int) []hub.Event {
	return b.Since(from, func(e hub.Event) bool {
		return e.Kind == hub.KindHandshake && e.Handshake != nil && e.Handshake.OK && !e.Handshake.Resumed
	})
}
