package broker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"
)

// client5 is MQTT 5. Its subscription shows RETAIN as it was published.
type client5 struct {
	*paho.Client
	w *wire
}

// goodBye is how long a DISCONNECT may take.
const goodBye = time.Second

// Subscription identifiers: what comes by the first lay there before.
const (
	idLeftovers = 1
	idLive      = 2
)

func connect5(ctx context.Context, w *wire, as credentials, arrived func(arrival)) (*client5, error) {
	c := paho.NewClient(paho.ClientConfig{
		Conn: packets.NewThreadSafeConn(w), PacketTimeout: dialWithin / 2,
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
		return &client5{c, w}, nil
	case ack != nil && ack.ReasonCode >= 0x80:
		r := &refusal{ack.ReasonCode, connackWords(ack.ReasonCode)}
		if ack.Properties != nil && ack.Properties.ReasonString != "" {
			r.words = ack.Properties.ReasonString
		}
		return nil, r
	}
	return nil, fmt.Errorf("no session in MQTT 5: %w", err)
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
		if _, err := c.Unsubscribe(ctx, &paho.Unsubscribe{Topics: []string{filter}}); err != nil {
			return 0, fmt.Errorf("unsubscribe: %w", err)
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
	ack, err := c.Subscribe(ctx, s)
	switch {
	case ack != nil && len(ack.Reasons) == 1 && ack.Reasons[0] >= 0x80:
		return 0, &hidden{ack.Reasons[0]}
	case err != nil:
		return 0, fmt.Errorf("subscribe: %w", err)
	}
	return ack.Reasons[0], nil
}

func (c *client5) publish(ctx context.Context, topic string, payload []byte) (fate, error) {
	ack, err := c.Publish(ctx, &paho.Publish{Topic: topic, QoS: 1, Payload: payload})
	switch {
	case ack != nil && ack.ReasonCode >= 0x80: // not authorised, in whatever words
		return fateForbidden, nil
	case err != nil:
		return fateUnknown, fmt.Errorf("publish: %w", err)
	}
	return fateTaken, nil
}

func (c *client5) done() <-chan struct{} { return c.Done() }
func (c *client5) close() {
	_ = c.w.SetWriteDeadline(time.Now().Add(goodBye)) // a broker that reads nothing more keeps nobody
	_ = c.Disconnect(&paho.Disconnect{})
}
func (c *client5) wire() *wire       { return c.w }
func (c *client5) version() string   { return "MQTT 5" }
func (c *client5) showsRetain() bool { return true }
