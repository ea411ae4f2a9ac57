package tlsclient

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"hilrig/azure/hub"
	"hilrig/fixtures"
	"hilrig/record"
)

// met is what came of a hub's peculiarity that a device was shown.
type met struct {
	handshakes []hub.Event // those to which it was shown, the one that completed last
	way        string      // how the device was made to connect
}

func (m met) last() hub.Event { return m.handshakes[len(m.handshakes)-1] }

func (m met) completed() bool { return m.last().Handshake.OK }

// said is how the device ended its last try.
func (m met) said() string {
	return ended(m.last().Handshake)
}

// ended is how a handshake came to its end, in words that do not depend on
// ports and sockets.
func ended(h *hub.Handshake) string {
	switch {
	case h.OK:
		return "completed in " + h.Duration.Round(time.Millisecond).String()
	case h.Alert != nil && len(h.Messages) > 0:
		return fmt.Sprintf("the device sent alert %d %s after %s", h.Alert.Number, h.Alert.Name, h.Messages[len(h.Messages)-1].Name)
	case h.Alert != nil:
		return fmt.Sprintf("the device sent alert %d %s", h.Alert.Number, h.Alert.Name)
	case len(h.Messages) > 1: // it was not the hub that gave up at the hello
		after := ""
		if h.Duration >= time.Second { // it may have been patience that ended
			after = fmt.Sprintf(" after %.1f s", h.Duration.Seconds())
		}
		return fmt.Sprintf("the connection ended%s without an alert, the last message %s", after, h.Messages[len(h.Messages)-1].Name)
	}
	return h.Err
}

// meet shows a fault in up to so many handshakes, until one of them completes,
// and takes care that the device is back at an ordinary hub afterwards. That
// the device met it is the hub's word, not a guess; where it did not come, the
// premise is gone. A single handshake that fails may be the network's, so
// nothing is judged by fewer tries than asked for.
func meet(ctx context.Context, b *fixtures.Trial, f hub.Fault, tries int) met {
	mark := b.Mark()
	showing := b.Hub.Show(f, 0)
	defer back(ctx, b, showing)
	way, err := b.Provoke(ctx)
	b.Premise(err)
	m := met{way: way}
	for from := mark; len(m.handshakes) < tries; {
		e, err := b.Await(ctx, from, b.Type.Timing.ReconnectWithin, "the device to meet "+f.Name, hub.Event.MetFault)
		if err != nil && len(m.handshakes) > 0 && record.ClassOf(err) == record.ClassDevice {
			break // it had its turn, and has given up for now
		}
		if err != nil {
			b.Premise(fmt.Errorf("device did not come back after %s: %w", way, err))
		}
		m.handshakes, from = append(m.handshakes, e), e.Seq+1
		if m.completed() {
			break
		}
		// It comes again by itself: a connect command now could end the very
		// handshake that is to be seen.
	}
	return m
}

// back shows the hub as it is and waits for the device.
func back(ctx context.Context, b *fixtures.Trial, showing hub.Showing) {
	showing.Lift()
	mark := b.Mark()
	b.Step("the hub is as ever")
	if _, _, live := b.Session(); live {
		return
	}
	if err := b.Hasten(ctx); err != nil {
		b.Step("connect command: %v", err)
	}
	if _, err := b.AwaitSession(ctx, mark, b.Type.Timing.ReconnectWithin); err != nil && ctx.Err() == nil {
		b.Step("the device is not back: %v", err)
	}
}

// spoke says of each handshake what the hub's messages were when it ended: a
// reader must see how far the device came.
func spoke(events []hub.Event) string {
	var said []string
	for _, e := range events {
		text := ended(e.Handshake)
		if !slices.Contains(said, text) {
			said = append(said, text)
		}
	}
	return fmt.Sprint(len(events)) + " handshakes: " + strings.Join(said, "; ")
}
