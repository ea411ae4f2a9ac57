package emulator

import (
	"context"
	"encoding/json"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// reading is one telemetry message.
type reading struct {
	Seq         int64   `json:"seq"` // from 1 at every boot
	Device      string  `json:"device"`
	UptimeMS    int64   `json:"uptime_ms"`
	Temperature float64 `json:"temperature"` // degrees Celsius
}

// oneByOne is how sound firmware counts its messages.
func oneByOne(next int64) (send []int64, then int64) { return []int64{next}, next + 1 }

// publish sends what is due and waits for its acknowledgement. A number is
// used up once its message is in the outbox: from there it reaches the hub, in
// this session or the next.
func (m *modem) publish(ctx context.Context, client mqtt.Client) error {
	send, then := m.b.numbers(m.next)
	for _, n := range send {
		kept, err := m.publishOne(ctx, client, n)
		if kept {
			m.next = then
		}
		if err != nil {
			return err
		}
		if m.sent++; m.sent == m.b.resetAfter {
			m.crash()
		}
	}
	return nil
}

// publishOne reports whether the message is in the outbox, and what became of
// it.
func (m *modem) publishOne(ctx context.Context, client mqtt.Client, n int64) (kept bool, err error) {
	r := reading{Seq: n, Device: m.id, UptimeMS: time.Since(m.boot).Milliseconds(), Temperature: 20 + float64(n%50)/10}
	put, done := m.outbox.nextPut(), make(chan struct{})
	var failed error
	go func() { // Publish blocks for a while where the connection is dead
		defer close(done)
		t := client.Publish(m.fill(m.b.topic), m.b.qos, false, m.b.payload(m, r))
		select {
		case <-t.Done():
			failed = t.Error()
		case <-ctx.Done():
			failed = context.Cause(ctx)
		}
	}()
	select { // one of them is immediate: paho keeps the message or refuses it
	case <-put:
	case <-done:
	}
	select {
	case <-put:
		kept = true
	default:
	}
	if err := m.await(ctx, done, "PUBACK"); err != nil {
		return kept, err
	}
	return kept, failed
}

// asJSON is the payload of sound firmware.
func (m *modem) asJSON(r reading) []byte {
	data, err := json.Marshal(r)
	if err != nil {
		m.log.Error("encode reading", "error", err) // cannot be: plain fields
	}
	return data
}
