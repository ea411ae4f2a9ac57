package emulator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"
)

// modem is the device's way to its hub: one session after the other, with the
// files in use.
type modem struct {
	b                   *behaviour
	log                 *slog.Logger
	hub, hubName, id    string
	interval, keepAlive time.Duration
	boot                time.Time
	inFlight            mqtt.Store // outlives a session: what was not acknowledged is sent again
	seq                 int64

	mu   sync.Mutex
	set  files
	kick chan struct{} // other files, or connect now
}

// use makes the modem connect anew with these files.
func (m *modem) use(set files) {
	m.mu.Lock()
	m.set = set
	m.mu.Unlock()
	m.now()
}

// now makes it connect at once.
func (m *modem) now() {
	select {
	case m.kick <- struct{}{}:
	default:
	}
}

func (m *modem) files() files {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.set
}

// ended is how a session, or the try for one, ended.
type ended struct {
	kicked  bool // by new files
	session bool // CONNACK 0 was there
	useful  bool // a message was acknowledged
	refused bool
	again   bool // at once, over the living session
	err     error
}

// run keeps the device connected until ctx ends.
func (m *modem) run(ctx context.Context) {
	failures := 0
	for ctx.Err() == nil {
		set := m.files()
		if !set.complete() {
			if !m.wait(ctx, -1) {
				return
			}
			continue
		}
		e := m.session(ctx, set)
		if e.err != nil {
			m.log.Info("session ended", "error", e.err)
		}
		switch {
		case e.kicked || e.again:
			failures = 0
			continue
		case m.b.neverBack && e.session, m.b.giveUpWhenRefused && e.refused:
			m.wait(ctx, -1)
			continue
		case e.useful:
			failures = 0
		}
		gap := m.b.retry.gap(failures)
		if k := m.b.retry.afterKick; k != nil && e.session {
			gap = *k
		}
		failures++
		m.wait(ctx, gap)
	}
}

// wait sleeps, for ever where d is negative, until there are new files.
func (m *modem) wait(ctx context.Context, d time.Duration) bool {
	var timer <-chan time.Time
	if d >= 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-timer:
	case <-m.kick:
	case <-ctx.Done():
		return false
	}
	return true
}

// gap is the pause before the next try after so many failures in a row.
func (r retry) gap(failures int) time.Duration {
	d := float64(r.first) * math.Pow(r.growth, float64(min(failures, 16)))
	d = min(d, float64(r.most))
	return time.Duration(d * (1 + r.jitter*rand.Float64()))
}

// connectWithin bounds the wait for a CONNACK.
const connectWithin = 20 * time.Second

// session connects, subscribes and publishes until something ends it.
func (m *modem) session(ctx context.Context, set files) (e ended) {
	conn, err := m.dial(ctx, set)
	if err != nil {
		return ended{err: errors.New(alertOf(err))}
	}
	lost := make(chan error, 1)
	client := mqtt.NewClient(m.options(conn, lost))
	token := client.Connect()
	select {
	case <-token.Done():
	case <-time.After(connectWithin):
		_ = conn.Close()
		return ended{err: fmt.Errorf("no CONNACK within %s", connectWithin)}
	case <-m.kick:
		_ = conn.Close()
		return ended{kicked: true}
	case <-ctx.Done():
		_ = conn.Close()
		return ended{err: ctx.Err()}
	}
	if err := token.Error(); err != nil {
		_ = conn.Close()
		code := token.(*mqtt.ConnectToken).ReturnCode()
		return ended{refused: code > 0 && code < packets.ErrNetworkError, err: err}
	}
	e = m.work(ctx, client, lost)
	e.session = true
	if !e.again {
		client.Disconnect(50)
	}
	return e
}

func (m *modem) options(conn net.Conn, lost chan<- error) *mqtt.ClientOptions {
	b := m.b
	o := mqtt.NewClientOptions()
	o.AddBroker("tcp://" + m.hub) // the connection is there already
	o.SetCustomOpenConnectionFn(func(_ *url.URL, _ mqtt.ClientOptions) (net.Conn, error) {
		return b.disguise(conn), nil
	})
	o.SetClientID(m.id + b.clientIDSuffix)
	o.SetUsername(m.fill(b.userName))
	o.SetPassword(b.password)
	o.SetProtocolVersion(uint(min(b.level, 4)))
	o.SetCleanSession(false)
	o.SetStore(m.inFlight)
	o.SetAutoReconnect(false).SetConnectRetry(false).SetOrderMatters(false)
	o.SetKeepAlive(m.keepAlive).SetPingTimeout(10 * time.Second).SetWriteTimeout(10 * time.Second)
	if b.keepAlive != nil {
		o.SetKeepAlive(*b.keepAlive)
	}
	if b.willTopic != "" {
		o.SetWill(m.fill(b.willTopic), "gone", 1, false)
	}
	o.SetDefaultPublishHandler(func(mqtt.Client, mqtt.Message) {})
	o.SetConnectionLostHandler(func(_ mqtt.Client, err error) { lost <- err })
	return o
}

func (m *modem) fill(s string) string {
	return strings.NewReplacer("{hub}", m.hubName, "{id}", m.id).Replace(s)
}

// work is a session from CONNACK to its end.
func (m *modem) work(ctx context.Context, client mqtt.Client, lost <-chan error) (e ended) {
	for _, f := range m.b.filters {
		go client.Subscribe(m.fill(f), 1, nil) // it may block on a dead connection
	}
	tick := time.NewTicker(m.interval)
	defer tick.Stop()
	published := int64(0)
	for {
		if !m.b.neverPublishes && (m.b.stallAfter == 0 || published < m.b.stallAfter) {
			acked, err := m.publish(ctx, client, lost)
			if err != nil {
				e.err = err
				return e
			}
			e.useful = e.useful || acked
			published++
		}
		if m.b.selfTakeover && published >= 2 {
			e.again = true
			return e
		}
		select {
		case <-tick.C:
		case e.err = <-lost:
			return e
		case <-m.kick:
			e.kicked = true
			return e
		case <-ctx.Done():
			e.err = ctx.Err()
			return e
		}
	}
}
