package provisioning

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"hilrig/azure/hub"
	"hilrig/certs"
	"hilrig/fixtures"
	"hilrig/hw/console"
	"hilrig/record"
)

// wrongFile is a file that must not be answered with OK.
type wrongFile struct {
	what string
	file console.File
}

func rejectsGarbage(ctx context.Context, b *fixtures.Trial) {
	garbage := []byte(strings.Repeat("this is no certificate\n", 20))
	refuse(ctx, b, []wrongFile{
		{"text that is no PEM in the certificate's slot", console.File{Slot: fixtures.SlotCertificate, Name: "garbage", Data: garbage}},
		{"text that is no PEM in the root's slot", console.File{Slot: fixtures.SlotRoot, Name: "garbage", Data: garbage}},
	})
}

func rejectsTruncated(ctx context.Context, b *fixtures.Trial) {
	id, err := b.Identity(ctx)
	b.Premise(err)
	cut := bytes.Index(id.CertificatePEM, []byte("-----END"))
	refuse(ctx, b, []wrongFile{
		{"a certificate without its END line", console.File{Slot: fixtures.SlotCertificate, Name: "truncated certificate", Data: id.CertificatePEM[:cut]}},
	})
}

func rejectsWrongKind(ctx context.Context, b *fixtures.Trial) {
	id, err := b.Identity(ctx)
	b.Premise(err)
	refuse(ctx, b, []wrongFile{
		{"a certificate in the key's slot", console.File{Slot: fixtures.SlotKey, Name: "certificate", Data: id.CertificatePEM}},
	})
}

func rejectsUnknownSlot(ctx context.Context, b *fixtures.Trial) {
	id, err := b.Identity(ctx)
	b.Premise(err)
	b.Premise(b.Connected(ctx))
	b.Must(b.Console.Recover(ctx)) // nothing that was sent before is unanswered: what comes is to the command
	var files []wrongFile
	for _, command := range []string{"9270,40", "9270", "9270,x"} {
		files = append(files, wrongFile{"the command " + command, console.File{Slot: 40, Name: command, Command: command, Data: id.CertificatePEM}})
	}
	refuse(ctx, b, files)
}

// refuse sends each wrong file and judges the answer, then what is left of the
// identity that was there before. A device that does not claim to validate is
// warned for an OK, and failed only if what it had is lost without a word. One that
// says no OK has refused if it takes its identity back.
func refuse(ctx context.Context, b *fixtures.Trial, files []wrongFile) {
	id, err := b.Identity(ctx)
	b.Premise(err)
	b.Premise(b.Connected(ctx))
	var accepted []string
	var said time.Time // the first OK
	note := func(what string, l *fixtures.Load) {
		accepted = append(accepted, what)
		if said.IsZero() {
			said = l.Receipt.Answered
		}
	}
	for _, w := range files {
		b.Step("send %s", w.what)
		l := b.Send(ctx, w.file)
		if l.Err == nil {
			note(w.what, l)
			continue
		}
		if record.ClassOf(l.Err) != record.ClassDevice {
			b.Must(l.Err)
		}
		if errors.Is(l.Err, console.ErrPremature) { // OK before the file: it is OK all the same
			note(w.what, l)
		}
		b.Must(b.Console.Recover(ctx)) // it may have stopped in the middle of the file
	}
	if len(accepted) == 0 {
		b.Premise(putBack(ctx, b, id)) // silence may be a refusal, or the device's end
		return
	}
	defer restore(ctx, b, id)
	b.Must(b.Rest(ctx, loneFile)) // some use a file that came alone only then
	b.Step("see what is left of the identity")
	_, err = b.Reconnect(ctx)
	if err != nil && record.ClassOf(err) == record.ClassDevice {
		b.Fail(fixtures.Finding{
			Expected: "a refusal, or the identity before it still in use",
			Seen:     b.Type.Console.OK + " for " + strings.Join(accepted, " and for ") + ", and then no connection",
			Look:     validateLook, At: said,
		})
	}
	b.Must(err)
	kept := "the identity before it is still in use"
	if slices.ContainsFunc(files, func(w wrongFile) bool {
		return w.file.Slot == fixtures.SlotRoot && slices.Contains(accepted, w.what)
	}) {
		b.Step("see what is left of the root")
		kept = rootStillCounts(ctx, b, accepted)
	}
	f := fixtures.Finding{
		Expected: "a refusal",
		Seen:     b.Type.Console.OK + " for " + strings.Join(accepted, " and for ") + "; " + kept,
		Look:     validateLook, At: said,
	}
	if b.Type.Behaviour.Validates {
		f.Expected = "no OK, because the type says that it validates"
		f.Look += "; behaviour.validates of its type says that it does"
		b.Fail(f)
	}
	b.WarnOf(f)
}

// rootStillCounts shows a hub of an unknown root to a device that took garbage
// for its root: one that connects there verifies nothing any more. It says what
// is left in words for a warning.
func rootStillCounts(ctx context.Context, b *fixtures.Trial, accepted []string) string {
	if !b.Shows(hub.AnyFault) || !b.Shows(hub.Handshakes) {
		return "the identity before it is still in use; whether the root is was not seen (" + hub.AnyFault.Without() + ")"
	}
	wrong, err := b.Store.WrongServer(ctx, b.HubName, certs.UnknownRoot)
	b.Must(err)
	mark := b.Mark()
	showing := b.Hub.Show(hub.Fault{Name: string(certs.UnknownRoot), Certificate: &wrong}, 0)
	defer showing.Lift()
	_, err = b.Provoke(ctx)
	b.Premise(err)
	met := func(from int) (hub.Event, error) {
		return b.Await(ctx, from, b.Type.Timing.ReconnectWithin, "the device to meet a hub of an unknown root", hub.Event.MetFault)
	}
	e, err := met(mark)
	if err == nil && !e.Handshake.OK && e.Handshake.Alert == nil { // it may have been given up for another reason: a refusal is said, or comes twice
		e, err = met(e.Seq + 1)
	}
	if err != nil && ctx.Err() == nil {
		return "the identity before it is still in use; whether the root is was not seen (" + err.Error() + ")"
	}
	b.Premise(err)
	b.That(!e.Handshake.OK, fixtures.Finding{
		Expected: "a refusal, or the root before it still in use",
		Seen:     b.Type.Console.OK + " for " + strings.Join(accepted, " and for ") + ", and then a handshake completed with a hub of an unknown root: the device verifies nothing any more",
		Look:     "what the firmware does where the file in slot 10 cannot be read: without a root it must not connect", At: e.At,
		Why: "whoever answers under the hub's name gets the device's data, and nobody notices",
	})
	return "identity and root before it are still in use"
}

// loneFile is the silence of the console after which a device uses a file that
// came alone.
const loneFile = time.Second

const validateLook = "what the firmware checks before it stores a file: the slot, BEGIN and END lines, and that its TLS library can read it"

// restore gives the device back what it had, if that is gone.
func putBack(ctx context.Context, b *fixtures.Trial, id *certs.Identity) error {
	b.Step("put back what was there")
	return b.Restore(ctx, id)
}

func restore(ctx context.Context, b *fixtures.Trial, id *certs.Identity) {
	if err := putBack(ctx, b, id); err != nil && ctx.Err() == nil {
		b.Step("the device did not take its identity back: %v", err)
	}
}
