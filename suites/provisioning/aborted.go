package provisioning

import (
	"context"
	"errors"
	"fmt"

	"hilrig/certs"
	"hilrig/fixtures"
	"hilrig/hw/console"
	"hilrig/record"
)

// abortedTransfer stops in the middle of a file, as a pulled cable does, and
// then behaves like the next person at the terminal: one who comes back at
// once, and one who comes back when the device has given the file up. A device
// need not take a command in between; what it must take is the complete
// identity behind both.
func abortedTransfer(ctx context.Context, b *fixtures.Trial) {
	id, err := b.Identity(ctx)
	b.Premise(err)
	b.Premise(b.Connected(ctx))
	silence := b.Type.Timing.AbortWithin
	ways := []string{"a `*` at once", fmt.Sprintf("%s of silence and then a `*`", silence)}

	lost := abort(ctx, b, id, ways[0], func() {})
	if again := abort(ctx, b, id, ways[1], func() { b.Must(b.Rest(ctx, silence)) }); lost.Seen == "" {
		lost = again
	}
	b.Step("load a complete identity")
	err = b.Provision(ctx, id)
	if noAnswer(err) {
		b.Step("no answer; wait %s once more, as the type allows", silence)
		b.Must(b.Rest(ctx, silence))
		b.Must(b.Console.Recover(ctx))
		err = b.Provision(ctx, id)
	}
	if err != nil && record.ClassOf(err) == record.ClassDevice {
		b.Fail(fixtures.Finding{
			Expected: "a console that takes a complete identity after aborted transfers, one with " + ways[0] + ", one with " + ways[1],
			Seen:     err.Error(), Look: "how the firmware leaves its file mode: at a `*`, and after a time without a byte (timing.abort_within)",
		})
	}
	b.Must(err)
	mark := b.Mark()
	_, err = b.Reconnect(ctx)
	b.Must(err)
	presents(b, mark, id, "the identity loaded after the abort")
	if lost.Seen != "" {
		b.WarnOf(lost)
	}
}

// abort stops in the middle of a file, lets the device alone as it is told to,
// brings the console back, and looks what is left of the identity: nothing is
// found where all is.
func abort(ctx context.Context, b *fixtures.Trial, id *certs.Identity, way string, rest func()) (lost fixtures.Finding) {
	b.Step("stop in the middle of the certificate; %s", way)
	l := b.Send(ctx, console.File{Slot: fixtures.SlotCertificate, Name: "certificate", Data: id.CertificatePEM, StopAfter: len(id.CertificatePEM) / 2})
	if l.Err != nil && record.ClassOf(l.Err) != record.ClassDevice {
		b.Must(l.Err)
	}
	if l.Err != nil { // the first one may only be over when the device has given it up
		b.Step("no second transfer yet: %v", l.Err)
	}
	rest()
	b.Must(b.Console.Recover(ctx))
	if b.Console.InFile() {
		b.Step("the console does not answer yet")
		return lost
	}
	b.Step("see what is left of the identity")
	if _, err := b.Reconnect(ctx); err != nil {
		if record.ClassOf(err) != record.ClassDevice {
			b.Must(err)
		}
		return fixtures.Finding{
			Expected: "the identity before the aborted transfer still in use",
			Seen:     "after " + way + " no session until a whole one was loaded: the identity before it was lost (" + err.Error() + ")",
			Look:     "whether a file is put in its place only when it is whole, also when the device gives it up by itself (timing.abort_within)",
		}
	}
	return lost
}

func noAnswer(err error) bool {
	return errors.Is(err, console.ErrNoPrompt) || errors.Is(err, console.ErrNoAnswer) || errors.Is(err, console.ErrNotBack)
}
