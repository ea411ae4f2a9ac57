package broker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"
)

// client5 is MQTT 5. Its subscription shows RETAIN as it was published.
type client5 struct {
	*paho.Client
	w    *wire
	last *ending
}

// nobodys is a filter that no observer has.
const nobodys = "hilrig/nobody"

// errClosed is a connection that the observer itself has ended.
var errClosed = errors.New("closed")

// goodBye is how long a DISCONNECT may take.
const goodBye = time.Second

// Subscription identifiers: what comes by the first lay there before.
const (
	idLeftovers = 1
	idLive      = 2
)

func connect5(ctx context.Context, w *wire, as credentials, arrived func(arrival)) (*client5, error) {
	last := &ending{known: make(chan struct{})}
	c := paho.NewClient(paho.ClientConfig{
		Conn: packets.NewThreadSafeConn(w), PacketTimeout: answerWithin, OnClientError: last.tell,
		OnServerDisconnect: func(d *paho.Disconnect) {
			r := &refusal{packet: ended, code: d.ReasonCode}
			if d.Properties != nil {
				r.said = d.Properties.ReasonString
			}
			last.tell(r)
		},
		OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(p paho.PublishReceived) (bool, error) {
			arrived(arrivalOf(p.Packet))
			return true, nil
		}},
	})
	packet := &paho.Connect{ClientID: as.id, CleanStart: as.clean, KeepAlive: uint16(as.keepAlive / time.Second)}
	if as.user != "" {
		packet.UsernameFlag, packet.Username = true, as.user
	}
	if as.password != "" {
		packet.PasswordFlag, packet.Password = true, []byte(as.password)
	}
	ack, err := c.Connect(ctx, packet)
	switch {
	case err == nil:
		return &client5{c, w, last}, nil
	case ack != nil && ack.ReasonCode >= 0x80:
		r := &refusal{packet: connected, code: ack.ReasonCode}
		if p := ack.Properties; p != nil {
			r.said = cmp.Or(p.ReasonString, p.ServerReference)
		}
		return nil, r
	}
	return nil, fmt.Errorf("no session in MQTT 5: %w", inTime(ctx, err))
}

// while is a context for one question, which ends with the connection too.
func (c *client5) while(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-c.Done():
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// failed is why a question has no answer. ctx is the caller's.
func (c *client5) failed(ctx context.Context, question string, err error) error {
	select {
	case <-c.Done():
		err = c.why()
	default:
		err = inTime(ctx, err)
	}
	return fmt.Errorf("%s: %w", question, err)
}

func arrivalOf(p *paho.Publish) arrival {
	a := arrival{topic: p.Topic, payload: p.Payload, qos: p.QoS, retain: p.Retain, at: time.Now(), dup: p.Duplicate()}
	a.leftover = p.Retain && p.Properties != nil && p.Properties.SubscriptionIdentifier != nil && *p.Properties.SubscriptionIdentifier == idLeftovers
	return a
}

// subscribe asks twice. What lies on the topic comes by the first subscription,
// marked with its number; the second, which shows RETAIN as it was published,
// gets nothing of that. Brokers do not all change a subscription's options, so
// the first one ends.
func (c *client5) subscribe(ctx context.Context, filter string) (granted byte, err error) {
	first := paho.SubscribeOptions{Topic: filter, QoS: 2, RetainHandling: 0}
	_, err = c.ask(ctx, first, idLeftovers)
	switch {
	case errors.Is(err, paho.ErrInvalidArguments): // no identifiers here: what lies there is not asked for
	case err != nil:
		return 0, err
	default:
		if err := c.takeBack(ctx, filter); err != nil {
			return 0, err
		}
	}
	live := paho.SubscribeOptions{Topic: filter, QoS: 2, RetainHandling: 2, RetainAsPublished: true}
	if granted, err = c.ask(ctx, live, idLive); errors.Is(err, paho.ErrInvalidArguments) {
		return c.ask(ctx, live, 0)
	}
	return granted, err
}

func (c *client5) ask(ctx context.Context, o paho.SubscribeOptions, id int) (granted byte, err error) {
	s := &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{o}}
	if id > 0 {
		s.Properties = &paho.SubscribeProperties{SubscriptionIdentifier: &id}
	}
	asking, done := c.while(ctx)
	defer done()
	ack, err := c.Subscribe(asking, s)
	switch {
	case ack != nil && len(ack.Reasons) == 1 && ack.Reasons[0] >= 0x80:
		return 0, &refusal{packet: subscribed, code: ack.Reasons[0]}
	case err != nil:
		return 0, c.failed(ctx, "subscribe", err)
	}
	return ack.Reasons[0], nil
}

func (c *client5) publish(ctx context.Context, topic string, payload []byte) (fate, error) {
	asking, done := c.while(ctx)
	defer done()
	ack, err := c.Publish(asking, &paho.Publish{Topic: topic, QoS: 1, Payload: payload})
	switch {
	case ack != nil && slices.Contains([]byte{0x80, 0x83, 0x87, 0x90}, ack.ReasonCode): // not authorised, in whatever words
		return fateForbidden, nil
	case ack != nil && ack.ReasonCode >= 0x80:
		return fateUnknown, &refusal{packet: published, code: ack.ReasonCode}
	case err != nil:
		return fateUnknown, c.failed(ctx, "publish", err)
	}
	return fateTaken, nil
}

// answers takes back a subscription that there is not.
func (c *client5) answers(ctx context.Context) error { return c.takeBack(ctx, nobodys) }

func (c *client5) takeBack(ctx context.Context, filter string) error {
	asking, done := c.while(ctx)
	defer done()
	if _, err := c.Unsubscribe(asking, &paho.Unsubscribe{Topics: []string{filter}}); err != nil {
		return c.failed(ctx, "unsubscribe", err)
	}
	return nil
}

func (c *client5) done() <-chan struct{} { return c.Done() }
func (c *client5) why() error            { return c.last.why(c.w) }
func (c *client5) close() {
	_ = c.w.SetWriteDeadline(time.Now().Add(goodBye)) // a broker that reads nothing more keeps nobody
	_ = c.Disconnect(&paho.Disconnect{})
}
func (c *client5) wire() *wire       { return c.w }
func (c *client5) version() string   { return "MQTT 5" }
func (c *client5) showsRetain() bool { return true }
