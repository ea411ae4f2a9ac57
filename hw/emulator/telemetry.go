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
		token := client.Publish(m.fill(b.topic), b.qos, b.retain, m.payload(seq))
		select {
		case <-token.Done():
		case err := <-lost:
			m.seq = order[0] + 1 // it is in the store
			return acked, err
		case <-ctx.Done():
			return acked, ctx.Err()
		}
		if err := token.Error(); err != nil {
			if !errors.Is(err, mqtt.ErrNotConnected) {
				m.seq = order[0] + 1
			}
			return acked, err
		}
		acked = true
	}
	m.seq = max(order[0], order[len(order)-1]) + 1
	return acked, nil
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
