package delivery

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"hilrig/azure/hub"
	"hilrig/fixtures"
	"hilrig/record"
)

// Filters of IoT Hub's twin and direct methods (Azure: iot-hub-mqtt-support).
const (
	twinResults = "$iothub/twin/res/#"
	twinDesired = "$iothub/twin/PATCH/properties/desired/#"
	methodCalls = "$iothub/methods/POST/#"
)

// absent fails the spec over something that the device did not do in time; an
// error that is not the device's is no verdict on it.
func absent(b *fixtures.Trial, err error, f fixtures.Finding) {
	if err == nil {
		return
	}
	if record.ClassOf(err) != record.ClassDevice {
		b.Must(err)
	}
	b.Premise(b.EndedAsBefore())
	b.Fail(f)
}

// twin judges what the type declares: that the device asks for its twin, and
// that it answers desired properties with reported ones.
func twin(ctx context.Context, b *fixtures.Trial) {
	declared := b.Type.Behaviour.Twin
	if !declared.Get && len(declared.Desired) == 0 {
		b.NotApplicable("the type declares no twin (behaviour.twin)")
	}
	b.Premise(b.Provisioned(ctx))
	b.Premise(b.Stands(ctx))
	if !b.Shows(hub.AllPackets) {
		declared.Get = false
		if len(declared.Desired) == 0 {
			b.NotApplicable(hub.AllPackets.Without())
		}
		b.Step("this hub does not show whether it asks for its twin")
	}
	if declared.Get {
		asksForTwin(ctx, b)
	}
	if len(declared.Desired) > 0 {
		answersDesired(ctx, b)
	}
}

func twinEvent(op hub.TwinOp) func(hub.Event) bool {
	return func(e hub.Event) bool { return e.Kind == hub.KindTwin && e.Twin.Op == op }
}

func asksForTwin(ctx context.Context, b *fixtures.Trial) {
	b.Step("wait for it to ask for its twin")
	within := b.Type.Timing.PublishWithin
	e, err := b.Await(ctx, b.ProvisionMark(), within, "a GET of its twin", twinEvent(hub.TwinGet))
	absent(b, err, fixtures.Finding{
		Expected: fmt.Sprintf("a GET of its twin within %s", within), Seen: "none since it was provisioned",
		Look: "what the firmware does after CONNACK: desired properties that change while it is away nobody tells it (behaviour.twin.get)",
	})
	b.That(!e.Twin.Unheard, fixtures.Finding{
		Expected: "a subscription of " + twinResults + " before the GET of its twin", Seen: "a GET without it: the answer goes nowhere",
		Look: "the order of SUBSCRIBE and GET", At: e.At,
	})
}

func answersDesired(ctx context.Context, b *fixtures.Trial) {
	within := b.Type.Timing.PublishWithin
	absent(b, b.Listens(ctx, twinDesired), fixtures.Finding{
		Expected: "a subscription of " + twinDesired, Seen: "none: no change of its twin reaches it",
		Look: "what the firmware subscribes (behaviour.twin.desired)",
	})
	patch, err := json.Marshal(b.Type.Behaviour.Twin.Desired)
	if err != nil {
		b.Must(record.NewFailure(record.Usage, "read", "behaviour.twin.desired", err))
	}
	b.Step("desired properties %s", patch)
	var sent time.Time
	e, err := b.Answered(ctx, within, "reported properties", func() error {
		sent = time.Now()
		_, err := b.Hub.PatchDesired(b.Device.DeviceID, patch)
		return err
	}, twinEvent(hub.TwinReported))
	absent(b, err, fixtures.Finding{
		Expected: fmt.Sprintf("reported properties of its twin within %s of desired ones", within), Seen: "none",
		Look: "the handler of $iothub/twin/PATCH/properties/desired/ (behaviour.twin.desired)",
	})
	judgeUTF8(b, "reported properties", e.Twin.Payload, e.At)
	warnOfNames(b, "reported properties", e.Twin.Payload, e.At)
	b.That(e.Twin.Status == 204, fixtures.Finding{
		Expected: "reported properties that the twin takes", Seen: fmt.Sprintf("%.120q, answered with %d", e.Twin.Payload, e.Twin.Status),
		Look: "the reported properties: a JSON object of 32 kB at most, no dot, dollar or blank in a name", At: e.At,
	})
	b.Measure("desired to reported", e.At.Sub(sent).Seconds(), "s", nil, nil)
}
