package emulator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"strings"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// reading is one telemetry message.
type reading struct {
	Seq         int64   `json:"seq"`
	Device      string  `json:"device"`
	UptimeMS    int64   `json:"uptime_ms"`
	Temperature float64 `json:"temperature"`
	Pad         string  `json:"pad,omitempty"`
}

// publish sends the next reading and waits for its PUBACK. The counter goes on
// once the message is in the client's hands: what is not acknowledged then is
// sent again in the next session.
func (m *modem) publish(ctx context.Context, client mqtt.Client, lost <-chan error) (acked bool, err error) {
	b := m.b
	if b.loseEvery > 0 && m.seq > 0 && m.seq%b.loseEvery == 0 {
		m.seq++
	}
	order := []int64{m.seq}
	switch {
	case b.doubleEvery > 0 && m.seq%b.doubleEvery == 0:
		order = []int64{m.seq, m.seq}
	case b.swapEvery > 0 && m.seq%b.swapEvery == 0:
		order = []int64{m.seq + 1, m.seq}
	}
	for _, seq := range order {
		kept, err := m.deliver(ctx, client, lost, m.payload(seq))
		if err != nil {
			if kept {
				m.seq = order[0] + 1
			}
			return acked, err
		}
		acked = true
	}
	m.seq = max(order[0], order[len(order)-1]) + 1
	return acked, nil
}

// deliver hands one message to the client and waits for its PUBACK. The
// client's own Publish may block on a dead connection, so it has a goroutine.
// kept is true where the client has the message in its store.
func (m *modem) deliver(ctx context.Context, client mqtt.Client, lost <-chan error, payload []byte) (kept bool, err error) {
	done := make(chan error, 1)
	go func() {
		token := client.Publish(m.fill(m.b.topic), m.b.qos, m.b.retain, payload)
		<-token.Done()
		done <- token.Error()
	}()
	select {
	case err = <-done:
	case err = <-lost:
		kept = true
		select { // it may have been acknowledged in the same moment
		case acked := <-done:
			return acked == nil || !errors.Is(acked, mqtt.ErrNotConnected), err
		default:
		}
	case <-ctx.Done():
		return true, ctx.Err()
	}
	return kept || !errors.Is(err, mqtt.ErrNotConnected), err
}

func (m *modem) payload(seq int64) []byte {
	r := reading{Seq: seq, Device: m.id, UptimeMS: time.Since(m.boot).Milliseconds(), Temperature: 20 + float64(seq%50)/10}
	r.Pad = strings.Repeat("x", m.b.pad)
	data, err := json.Marshal(r)
	if err != nil {
		return nil // cannot be: plain fields
	}
	if m.b.corrupt {
		data = append([]byte(m.fill(m.b.topic))[:8], data[8:]...) // topic text inside the payload (esp-mqtt#136)
	}
	return data
}

// disguise wraps the connection of firmware whose MQTT library speaks another
// protocol level than ours can.
func (b *behaviour) disguise(c net.Conn) net.Conn {
	if b.level == 5 {
		return &levelFive{Conn: c}
	}
	return c
}

// levelFive announces protocol level 5 in its CONNECT.
type levelFive struct {
	net.Conn
	done bool
}

func (l *levelFive) Write(b []byte) (int, error) {
	if !l.done {
		l.done = true
		b = bytes.Replace(b, []byte("MQTT\x04"), []byte("MQTT\x05"), 1)
	}
	return l.Conn.Write(b)
}
