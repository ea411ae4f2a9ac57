package broker

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// client3 is MQTT 3.1.1. A message that is published with RETAIN comes without
// it to whoever is subscribed already (MQTT 3.1.1, 3.3.1.3): with it comes only
// what lay on the topic before.
type client3 struct {
	mqtt.Client
	w     *wire
	ended chan struct{}
	once  sync.Once
	last  ending
}

func connect3(ctx context.Context, w *wire, as credentials, arrived func(arrival)) (*client3, error) {
	c := &client3{w: w, ended: make(chan struct{}), last: ending{known: make(chan struct{})}}
	o := mqtt.NewClientOptions().AddBroker("ssl://" + w.RemoteAddr().String())
	o.SetCustomOpenConnectionFn(func(*url.URL, mqtt.ClientOptions) (net.Conn, error) { return w, nil })
	o.SetTLSConfig(&tls.Config{MinVersion: tls.VersionTLS12}) // never used: the connection is there
	o.SetProtocolVersion(4).SetClientID(as.id).SetCleanSession(as.clean).SetUsername(as.user).SetPassword(as.password)
	o.SetKeepAlive(as.keepAlive).SetPingTimeout(as.keepAlive).SetConnectTimeout(answerWithin).SetWriteTimeout(answerWithin)
	o.SetAutoReconnect(false).SetConnectRetry(false).SetOrderMatters(true).SetAutoAckDisabled(arrived == nil)
	o.SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) {
		if arrived != nil {
			arrived(arrival{topic: m.Topic(), payload: m.Payload(), qos: m.Qos(), leftover: m.Retained(), dup: m.Duplicate(), at: time.Now()})
		}
	})
	o.SetConnectionLostHandler(func(_ mqtt.Client, err error) { c.end(err) })
	c.Client = mqtt.NewClient(o)
	err := await(ctx, c.Connect())
	// The library takes a code that it does not know for a yes.
	ack := w.began()
	no := len(ack) >= 4 && ack[0]>>4 == connack && ack[3] != 0
	if err == nil && !no {
		return c, nil
	}
	_ = w.Close()
	if no {
		return nil, &refusal{packet: connected, code: ack[3]}
	}
	return nil, fmt.Errorf("no session in MQTT 3.1.1: %w", err)
}

// await waits for an answer of the broker.
func await(ctx context.Context, t mqtt.Token) error {
	select {
	case <-t.Done():
		return t.Error()
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(answerWithin):
		return errSilent{answerWithin}
	}
}

func (c *client3) subscribe(ctx context.Context, filter string) (granted byte, err error) {
	token := c.Subscribe(filter, 2, nil)
	err = await(ctx, token)
	if t, ok := token.(*mqtt.SubscribeToken); ok && err == nil {
		granted = t.Result()[filter]
	}
	switch {
	case granted >= 0x80:
		return 0, &refusal{packet: subscribed, code: granted}
	case err != nil:
		return 0, fmt.Errorf("subscribe: %w", err)
	}
	return granted, nil
}

func (c *client3) publish(ctx context.Context, topic string, payload []byte) (fate, error) {
	if err := await(ctx, c.Publish(topic, 1, false, payload)); err != nil {
		return fateUnknown, fmt.Errorf("publish: %w", err)
	}
	return fateUnknown, nil
}

// answers takes back a subscription that there is not.
func (c *client3) answers(ctx context.Context) error {
	if err := await(ctx, c.Unsubscribe(nobodys)); err != nil {
		return fmt.Errorf("unsubscribe: %w", err)
	}
	return nil
}

func (c *client3) end(err error) {
	c.last.tell(err)
	c.once.Do(func() { close(c.ended) })
}

func (c *client3) why() error            { return c.last.why(c.w) }
func (c *client3) done() <-chan struct{} { return c.ended }
func (c *client3) wire() *wire           { return c.w }
func (c *client3) version() string       { return "MQTT 3.1.1" }
func (c *client3) showsRetain() bool     { return false }
func (c *client3) close() {
	c.Disconnect(50) // milliseconds: what it waits for its own goroutines
	c.end(errClosed)
}
