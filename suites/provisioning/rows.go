package provisioning

import (
	"context"
	"errors"
	"fmt"

	"hilrig/fixtures"
	"hilrig/hw/console"
	"hilrig/record"
)

const reversedWorks = "the three files are taken as 30, 20, 10"

// backToBack loads two whole identities without a breath between. The second
// goes in reverse, which shows any-order without three more loads; a device
// that cannot do that is asked again in the usual order.
func backToBack(ctx context.Context, b *fixtures.Trial) {
	before, err := b.Identity(ctx)
	b.Premise(err)
	b.Premise(b.Connected(ctx))
	if got, _ := twice(ctx, b, reversed); got == works {
		b.Note(reversedWorks)
		return
	}
	b.Step("once more, both in the usual order")
	got, err := twice(ctx, b, func(files []console.File) []console.File { return files })
	defer restore(ctx, b, before)
	b.That(got == works, fixtures.Finding{
		Expected: "six files in a row, each taken, and a session with the last identity",
		Seen:     fmt.Sprintf("%s: %v", map[outcome]string{refused: "a file not taken", useless: b.Type.Console.OK + " for each, and then no connection"}[got], err),
		Look:     "the last answer in the transcript: memory that is not given back, or bytes of a file lost while the one before was stored",
	})
}

// twice loads an identity, and directly behind it a second one.
func twice(ctx context.Context, b *fixtures.Trial, second func([]console.File) []console.File) (outcome, error) {
	one, err := b.NewIdentity(ctx)
	b.Must(err)
	two, err := b.NewIdentity(ctx)
	b.Must(err)
	b.Step("load six files without a pause")
	err = b.ProvisionFiles(ctx, one, b.Files(one))
	if err == nil {
		return tryFor(ctx, b, "the second three of them", two, second(b.Files(two)))
	}
	if record.ClassOf(err) != record.ClassDevice {
		b.Must(err)
	}
	b.Step("not taken: %v", err)
	b.Must(b.Console.Recover(ctx))
	return refused, err
}

func anyOrder(ctx context.Context, b *fixtures.Trial) {
	if b.Noted(reversedWorks) {
		b.Step("shown by provisioning/back-to-back")
		return
	}
	before, err := b.Identity(ctx)
	b.Premise(err)
	b.Premise(b.Connected(ctx))
	id, err := b.NewIdentity(ctx)
	b.Must(err)
	got := try(ctx, b, "the files as 30, 20, 10", id, reversed(b.Files(id)))
	defer restore(ctx, b, before)
	b.That(got == works, fixtures.Finding{
		Expected: "an identity that works, loaded in the order 30, 20, 10",
		Seen:     map[outcome]string{refused: "a file not taken in this order", useless: b.Type.Console.OK + " for each, and then no connection in this order"}[got],
		Look:     "what the firmware does with each file when the others are not there yet: a key may come before its certificate",
	})
}

// noise judges the loads that the run began with: an OK that came too early is
// told by the load itself, a lost byte by the session that follows.
func noise(ctx context.Context, b *fixtures.Trial) {
	lines := 0
	for _, slot := range []fixtures.Slot{fixtures.SlotRoot, fixtures.SlotCertificate, fixtures.SlotKey} {
		l, err := b.FirstLoad(ctx, slot)
		b.Premise(err)
		if !errors.Is(l.Err, console.ErrPremature) {
			b.Premise(l.Err) // told by the spec of that file
		}
		b.Must(l.Err)
		lines += l.Receipt.Foreign
	}
	if lines == 0 {
		b.NotApplicable("the device printed nothing of its own while it took its files")
	}
	b.Must(b.Connected(ctx))
	b.Measure("lines in between", float64(lines), "", nil, nil)
}

// forgetful is what provisioning/persistent has shown of a device.
const forgetful = "the identity is lost with the power"

func persistent(ctx context.Context, b *fixtures.Trial) {
	id, err := b.Identity(ctx)
	b.Premise(err)
	b.Premise(b.Connected(ctx))
	mark := b.Mark()
	way, on, err := b.PowerCycle(ctx)
	b.Premise(err)
	b.Step("%s; wait for a session", way)
	_, err = b.AwaitSessionAfter(ctx, mark, on, b.Type.Timing.BootWithin+b.Type.Timing.ConnectWithin)
	defer restore(ctx, b, id)
	if err != nil && record.ClassOf(err) == record.ClassDevice {
		b.Note(forgetful)
		b.Fail(fixtures.Finding{
			Expected: "a session with the identity loaded before the " + way,
			Seen:     fmt.Sprintf("no such session: %s; the last file was answered %.1f s before", b.Summary(mark).Text, on.Sub(b.ProvisionedAt()).Seconds()),
			Look:     "where the firmware keeps its identity, and when it is written there: what is in RAM, or waits to be written, is lost with its power",
		})
	}
	b.Must(err)
	presents(b, mark, id, "the identity loaded before the "+way)
}

// powerCut takes the power away in the middle of each of the two files that
// make an identity. The old one must survive: the new one was never whole.
func powerCut(ctx context.Context, b *fixtures.Trial) {
	if b.Power == nil {
		b.NotApplicable("a reboot command does not take the power away in the middle of a file; set power.on and power.off")
	}
	if b.Noted(forgetful) {
		b.NotRun(forgetful + ", without a file that is cut; see provisioning/persistent")
	}
	id, err := b.Identity(ctx)
	b.Premise(err)
	b.Premise(b.Connected(ctx))
	second, err := b.NewIdentity(ctx)
	b.Must(err)
	defer func() { restore(ctx, b, id) }()
	for _, f := range b.Files(second)[1:] {
		b.Step("power lost in the middle of the %s", f.Name)
		f.StopAfter = len(f.Data) / 2
		b.Must(b.Send(ctx, f).Err)
		mark := b.Mark()
		_, on, err := b.PowerCycle(ctx)
		b.Premise(err)
		_, err = b.AwaitSessionAfter(ctx, mark, on, b.Type.Timing.BootWithin+b.Type.Timing.ConnectWithin)
		if err != nil && record.ClassOf(err) == record.ClassDevice {
			b.Fail(fixtures.Finding{
				Expected: "a boot with the identity that it had, whose replacement was never whole",
				Seen:     fmt.Sprintf("no session after power was lost in the middle of the %s: %s", f.Name, b.Summary(mark).Text),
				Look:     "whether a file is written over the one before, or beside it and then put in its place",
			})
		}
		b.Must(err)
		presents(b, mark, id, "the identity before the power cut")
	}
}
