package delivery

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"hilrig/fixtures"
)

// methodWithin is how long a caller waits who says nothing else (Azure:
// iot-hub-devguide-direct-methods).
const methodWithin = 30 * time.Second

// directMethod calls each method that the type declares.
func directMethod(ctx context.Context, b *fixtures.Trial) {
	methods := b.Type.Behaviour.Methods
	if len(methods) == 0 {
		b.NotApplicable("the type declares no direct methods (behaviour.methods)")
	}
	b.Premise(b.Provisioned(ctx))
	b.Premise(b.Stands(ctx))
	absent(b, b.Listens(ctx, methodCalls), fixtures.Finding{
		Expected: "a subscription of " + methodCalls, Seen: "none: a call of a direct method is refused with 404103",
		Look: "what the firmware subscribes (behaviour.methods)",
	})
	for _, name := range methods {
		callMethod(ctx, b, name, min(methodWithin, b.Type.Timing.PublishWithin))
	}
}

func callMethod(ctx context.Context, b *fixtures.Trial, name string, within time.Duration) {
	b.Step("direct method %s", name)
	var called time.Time
	var status int
	var body []byte
	err := b.Carried(ctx, func() (err error) {
		if err := b.Listens(ctx, methodCalls); err != nil {
			return err
		}
		called = time.Now()
		status, body, err = b.Hub.Invoke(ctx, b.Device.DeviceID, name, []byte("{}"), within)
		return err
	})
	if err != nil && ctx.Err() == nil {
		absent(b, err, fixtures.Finding{
			Expected: fmt.Sprintf("an answer to direct method %s within %s", name, within), Seen: err.Error(),
			Look: "the handler of $iothub/methods/POST/, and that its answer carries the $rid of the call",
		})
	}
	b.Must(err)
	judgeUTF8(b, "the answer to direct method "+name, body, time.Now())
	warnOfNames(b, "the answer to direct method "+name, body, time.Now())
	b.That(status == 200, fixtures.Finding{
		Expected: fmt.Sprintf("direct method %s answered with 200", name), Seen: fmt.Sprintf("status %d, %.120q", status, body),
		Look: "the firmware's list of methods against behaviour.methods",
	})
	b.That(len(body) == 0 || json.Valid(body), fixtures.Finding{
		Expected: fmt.Sprintf("JSON, or nothing, in the answer to direct method %s", name), Seen: fmt.Sprintf("%.120q", body),
		Look: "how the firmware writes its answer: IoT Hub takes JSON only",
	})
	b.Measure("answered, method "+name, time.Since(called).Seconds(), "s", nil, nil)
}
