package emulator

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"
)

// errPatience is a hub that does not answer.
var errPatience = errors.New("no answer")

// session connects, subscribes and publishes until something ends it.
func (m *modem) session(ctx context.Context, set files, changed <-chan struct{}) (e ended) {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	go func() {
		select {
		case <-changed:
			end(errOrdered)
		case <-ctx.Done():
		}
	}()
	defer func() { e.ordered = errors.Is(context.Cause(ctx), errOrdered) }()
	conn, err := m.dial(ctx, set)
	if err != nil {
		m.living()
		return dialEnded(err)
	}
	if m.b.forgetsUnacked {
		m.outbox.Reset()
	}
	w := newPacketConn(conn, m)
	client := mqtt.NewClient(m.options(w, end))
	e = m.connect(ctx, client)
	if e.err == nil {
		begun := time.Now()
		e = m.work(ctx, client, w)
		e.stood = time.Since(begun)
	}
	switch {
	case e.again:
		m.living = func() { _ = w.Close() }
		return e
	case e.asleep, errors.Is(context.Cause(ctx), errOrdered) && e.session:
		client.Disconnect(100) // a good-bye
	}
	_ = w.Close()
	return e
}

// dialEnded sorts an error of dial.
func dialEnded(err error) ended {
	var op *net.OpError
	down := errors.As(err, &op) && op.Op == "dial"
	return ended{err: err, down: down, cut: !down && isCut(err)}
}

// connect waits for the CONNACK.
func (m *modem) connect(ctx context.Context, client mqtt.Client) ended {
	token := client.Connect()
	err := m.await(ctx, token.Done(), "CONNACK")
	m.living() // whatever it was, it has been taken over or given up
	m.living = func() {}
	if err == nil {
		err = token.Error()
	}
	if err != nil {
		code := token.(*mqtt.ConnectToken)
		select {
		case <-code.Done():
			said := code.ReturnCode()
			if id := m.b.renamesRefused; id != "" && said == packets.ErrRefusedIDRejected {
				m.b.clientID = id
			}
			return ended{err: err, refused: said > 0 && said < packets.ErrNetworkError, version: said == packets.ErrRefusedBadProtocolVersion}
		default:
			return ended{err: err}
		}
	}
	m.present = token.(*mqtt.ConnectToken).SessionPresent()
	m.log.Info("connected", "present", m.present)
	return ended{session: true}
}

// await waits for something the hub owes the device, as long as its patience
// lasts.
func (m *modem) await(ctx context.Context, done <-chan struct{}, what string) error {
	var timer <-chan time.Time
	limit := m.b.patience(m.keepAlive)
	if limit > 0 {
		t := time.NewTimer(limit)
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-done:
		return nil
	case <-timer:
		return fmt.Errorf("%w: no %s within %s", errPatience, what, limit)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// options sets paho up: our own reconnecting, our own pings, one client for
// each session, and no second try as MQTT 3.1 behind our back.
func (m *modem) options(w *packetConn, end context.CancelCauseFunc) *mqtt.ClientOptions {
	b := m.b
	o := mqtt.NewClientOptions()
	o.AddBroker("tcp://" + m.hub) // for its form; the connection is there already
	o.SetCustomOpenConnectionFn(func(*url.URL, mqtt.ClientOptions) (net.Conn, error) { return w, nil })
	o.SetClientID(m.fill(b.clientID))
	o.SetUsername(m.fill(b.userName))
	o.SetPassword(b.password)
	o.SetProtocolVersion(uint(b.level))
	if m.older {
		o.SetProtocolVersion(3)
	}
	o.SetCleanSession(false)
	o.SetStore(m.outbox)
	o.SetAutoReconnect(false).SetConnectRetry(false).SetOrderMatters(false)
	o.SetKeepAlive(0) // paho looks only every five seconds; see packetConn.ping
	o.SetWriteTimeout(20 * time.Second)
	o.SetConnectTimeout(time.Hour) // await bounds it
	if b.will != "" {
		o.SetWill(m.fill(b.will), "gone", 1, false)
	}
	o.SetDefaultPublishHandler(func(c mqtt.Client, msg mqtt.Message) { m.receive(c, msg.Topic(), msg.Payload()) })
	o.SetConnectionLostHandler(func(_ mqtt.Client, err error) { end(err) })
	return o
}

// work is a session from its CONNACK to its end.
func (m *modem) work(ctx context.Context, client mqtt.Client, w *packetConn) (e ended) {
	e.session = true
	m.subscribe(ctx, client, w)
	if e.err = m.await(ctx, m.outbox.empty(), "PUBACK for what was sent again"); e.err != nil {
		return e
	}
	if m.b.repeatsLast && m.next > 1 {
		if _, e.err = m.publishOne(ctx, client, m.next-1); e.err != nil {
			return e
		}
	}
	tick := time.NewTicker(m.interval)
	defer tick.Stop()
	var taken <-chan time.Time
	if m.b.takesOver {
		t := time.NewTimer(time.Second)
		defer t.Stop()
		taken = t.C
	}
	for n := 0; ; n++ {
		if !m.paused.Load() && !m.b.noPublish && (m.b.stallAfter == 0 || n < m.b.stallAfter) && !w.tooSlow() {
			if e.err = m.publish(ctx, client); e.err != nil {
				return e
			}
			e.useful = true
		}
		if m.b.periodic && e.useful {
			e.asleep = m.rest(ctx, nil, stayFor)
			return e
		}
		select {
		case <-tick.C:
		case <-taken:
			e.again = true
			return e
		case <-ctx.Done():
			e.err = context.Cause(ctx)
			return e
		}
	}
}

// stayFor is how long a periodic device listens after its message.
const stayFor = 200 * time.Millisecond

// subscribe asks for what the hub has for the device. A hub that is slow to say
// yes must not hold up telemetry; one that never says it ends the session.
func (m *modem) subscribe(ctx context.Context, client mqtt.Client, w *packetConn) {
	if m.b.subscribesOnce && m.subscribed {
		return
	}
	if m.b.subscribesNew && m.present && int(m.granted.Load()) == len(m.b.filters) {
		return
	}
	m.subscribed = true
	m.granted.Store(0)
	for _, f := range m.b.filters {
		go func() { // paho blocks for a while where the connection is dead
			token := client.Subscribe(m.fill(f), 1, nil)
			if m.b.ignoresSuback {
				return
			}
			switch err := m.await(ctx, token.Done(), "SUBACK"); {
			case err == nil && token.Error() == nil:
				m.granted.Add(1)
			case errors.Is(err, errPatience):
				m.log.Info("deaf", "error", err)
				w.fail(err)
			}
		}()
	}
	go m.listen(client)
}
