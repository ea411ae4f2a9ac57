package session

import (
	"context"
	"fmt"
	"strings"
	"time"

	"hilrig/azure/hub"
	"hilrig/fixtures"
)

// firstDeliveries is how many messages must have come before a device can be
// said to send them rightly.
const firstDeliveries = 8

// conformance reads what the hub held against the packets of the whole run. A
// run that is short so far is lengthened by a few messages.
func conformance(ctx context.Context, b *fixtures.Trial) {
	isMessage := func(e hub.Event) bool { return e.Telemetry() }
	broken := violations(b)
	if len(broken) == 0 {
		b.Premise(b.Connected(ctx))
	}
	if n := len(b.Since(0, isMessage)); len(broken) == 0 && n < firstDeliveries {
		if n == 0 {
			b.Premise(b.Mute())
		}
		b.Step("%d messages so far; waiting for %d", n, firstDeliveries)
		within := b.Type.Timing.PublishWithin + 2*firstDeliveries*b.Type.Timing.Interval
		n = 0
		_, err := b.Await(ctx, 0, within, "messages, or a violation", func(e hub.Event) bool {
			if isMessage(e) {
				n++
			}
			return e.Kind == hub.KindViolation || n >= firstDeliveries
		})
		if len(b.Since(0, isMessage)) == 0 && len(violations(b)) == 0 {
			b.Premise(err)
		}
		broken = violations(b)
	}
	judged := b.Since(0, func(e hub.Event) bool { return e.Kind == hub.KindPacket && e.Packet.In })
	b.Measure("packets judged", float64(len(judged)), "", nil, nil)
	b.Measure("violations", float64(len(broken)), "", nil, nil)
	b.That(len(broken) == 0, fixtures.Finding{
		Expected: "no packet that breaks a normative statement of MQTT 3.1.1",
		Seen:     strings.Join(told(broken, b.At), "; "), At: firstOf(broken),
		Look: "the statements by number in the OASIS standard, appendix B; the packets by time in the timeline",
	})
}

func violations(b *fixtures.Trial) []hub.Event {
	return b.Since(0, func(e hub.Event) bool { return e.Kind == hub.KindViolation && e.Violation != nil })
}

// firstOf is when the first of them was; zero without any.
func firstOf(events []hub.Event) (at time.Time) {
	if len(events) > 0 {
		at = events[0].At
	}
	return at
}

// told names each statement once: its packet, what is wrong, when first, how
// often.
func told(broken []hub.Event, at func(time.Time) float64) []string {
	var order []string
	first, count := map[string]hub.Event{}, map[string]int{}
	for _, e := range broken {
		key := e.Violation.Statement + e.Violation.Packet
		if count[key] == 0 {
			order = append(order, key)
			first[key] = e
		}
		count[key]++
	}
	var all []string
	for _, key := range order {
		v := first[key].Violation
		text := fmt.Sprintf("%s at %.3f s: %s", v.Packet, at(v.At), v.Text)
		if count[key] > 1 {
			text += fmt.Sprintf(" (%d times)", count[key])
		}
		all = append(all, v.Statement+" "+text)
	}
	return all
}
