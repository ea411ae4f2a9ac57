package delivery

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"hilrig/azure/hub"
	"hilrig/azure/mqttwire"
	"hilrig/fixtures"
	"hilrig/record"
)

// newer is how many messages of the session after may come before one that was
// not acknowledged counts as lost; a sound client sends it first.
const newer = 3

// unacknowledged keeps PUBACK back, gives the device a moment to send the
// message again within its session, and then takes the session away: in a
// session that both sides continue the message must come again, with its
// packet id and DUP [MQTT-4.4.0-1].
func unacknowledged(ctx context.Context, b *fixtures.Trial) {
	b.Premise(b.Stands(ctx))
	got, err := b.Messages(ctx, 1)
	b.Premise(err)
	if q := got[len(got)-1].Message.QoS; q != 1 {
		b.NotApplicable(fmt.Sprintf("it publishes with QoS %d: nothing is acknowledged", q))
	}
	b.Step("the hub keeps the acknowledgement of one message back")
	mark := b.Mark()
	showing := b.Hub.Show(hub.Withhold("no-puback", mqttwire.PUBACK), 0)
	defer showing.Lift()
	withheld, err := b.Await(ctx, mark, b.Type.Timing.PublishWithin+b.Type.Timing.Interval, "a message to acknowledge", func(e hub.Event) bool {
		return e.Kind == hub.KindPacket && e.Packet.Type == mqttwire.PUBACK && e.Packet.Withheld
	})
	b.Premise(err)
	first := published(b, mark, withheld)
	again := func(e hub.Event) bool {
		return e.Telemetry() && e.Seq > first.Seq && bytes.Equal(e.Message.Payload, first.Message.Payload)
	}
	patience := b.Type.Timing.ReconnectWithin / 10
	b.Step("packet id %d, %d bytes; waiting %s for it to come again by itself", first.Message.PacketID, len(first.Message.Payload), patience)
	e, err := b.Await(ctx, first.Seq+1, patience, "the message again, or the end of its session", func(e hub.Event) bool {
		return again(e) || e.Ends(first.Conn)
	})
	showing.Lift()
	if err != nil && record.ClassOf(err) != record.ClassDevice {
		b.Must(err)
	}
	if err == nil && again(e) && e.Conn == first.Conn {
		b.Step("it came again within the session")
		same(b, first, e, "within its session")
		return
	}
	b.Step("the session is dropped")
	b.Hub.Drop(b.Device.DeviceID) // the device may have ended it itself
	next, err := b.AwaitSession(ctx, first.Seq, b.Type.Timing.ReconnectWithin)
	b.Premise(err)
	resumed := !next.Connect.Clean && next.Connect.Present
	n := 0
	wait := b.Type.Timing.PublishWithin + 2*(newer+1)*b.Type.Timing.Interval
	e, err = b.Await(ctx, next.Seq, wait, fmt.Sprintf("the message again, or %d newer ones", newer), func(e hub.Event) bool {
		if e.Telemetry() && !again(e) {
			n++
		}
		return again(e) || n >= newer
	})
	b.Premise(err)
	if !again(e) {
		lostMessage(b, first, next, resumed)
		return
	}
	b.Measure("sent again after", e.At.Sub(first.At).Seconds(), "s", nil, nil)
	if resumed {
		same(b, first, e, "in the session that was resumed")
	} else {
		b.Step("it came again, as a message of a new session")
	}
}

// published is the message whose acknowledgement was kept back.
func published(b *fixtures.Trial, mark int, withheld hub.Event) hub.Event {
	for _, e := range b.Since(mark, func(e hub.Event) bool { return e.Telemetry() }) {
		if e.Conn == withheld.Conn && e.Message.PacketID == withheld.Packet.ID {
			return e
		}
	}
	// Sent before the mark, acknowledged behind it.
	all := b.Since(0, func(e hub.Event) bool {
		return e.Telemetry() && e.Seq < withheld.Seq && e.Conn == withheld.Conn && e.Message.PacketID == withheld.Packet.ID
	})
	if len(all) == 0 {
		b.NotRun("the message whose PUBACK was kept back is no telemetry")
	}
	return all[len(all)-1]
}

func same(b *fixtures.Trial, first, again hub.Event, where string) {
	f := fixtures.Finding{
		Expected: fmt.Sprintf("the unacknowledged message again %s with packet id %d and DUP [MQTT-3.3.1-1, 4.4.0-1]", where, first.Message.PacketID),
		Seen:     fmt.Sprintf("packet id %d, DUP %v", again.Message.PacketID, again.Message.Dup), At: again.At,
		Look: "what the client keeps of a message until its PUBACK: without DUP and its id the hub takes it for another one",
	}
	b.That(again.Message.Dup && again.Message.PacketID == first.Message.PacketID, f)
}

// lostMessage is a warning over a clean session, in which MQTT promises
// nothing, and a failure over one that goes on.
func lostMessage(b *fixtures.Trial, first, next hub.Event, resumed bool) {
	seen := fmt.Sprintf("%d newer messages in the session %.1f s later, and not that one", newer, next.At.Sub(first.At).Round(time.Millisecond).Seconds())
	if next.Connect.Clean {
		b.WarnOf(fixtures.Finding{
			Expected: fmt.Sprintf("the message without PUBACK (packet id %d) again after its session was lost", first.Message.PacketID),
			Seen:     seen + "; the session is a clean one, which MQTT lets end so",
			Look:     "the clean-session flag of the firmware's MQTT client (off keeps what has no PUBACK), and a send queue that outlives the connection", At: next.At,
		})
		return
	}
	state := "which the hub had kept"
	if !resumed {
		state = "which the hub had not kept"
	}
	b.Fail(fixtures.Finding{
		Expected: fmt.Sprintf("the message without PUBACK (packet id %d) again in the persistent session, %s", first.Message.PacketID, state),
		Seen:     seen, At: next.At, Look: "what the client keeps of a message until its PUBACK, and whether it outlives the connection",
	})
}
