package devicebound

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/url"
	"time"

	"github.com/Azure/go-amqp"

	"hilrig/azure"
	"hilrig/azure/hub"
	"hilrig/azure/iothub/access"
	"hilrig/record"
)

const (
	within     = 10 * time.Second // one message, with connecting
	defaultTTL = time.Hour
	endpoint   = "/messages/devicebound"
)

// Config is where messages are sent.
type Config struct {
	Credential access.Credential
	Network    access.Network // Endpoint is HOST:PORT in place of the hub and 5671
	Feedback   bool           // is wanted of each message, see [Client.Feedback]
	Log        *slog.Logger   // nil: none
}

// Client sends messages, one after the other. It connects with the first.
type Client struct {
	config Config
	turn   chan struct{} // of who sends
	link   *link         // of who has the turn
}

// New is a client that is not connected yet.
func New(c Config) *Client {
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	return &Client{config: c, turn: make(chan struct{}, 1)}
}

// Send sends a message and returns once the hub has it. Failures wrap a cause,
// see [ErrDevice] and those beside it; what the rig asked for wrongly is of
// class usage.
func (c *Client) Send(ctx context.Context, deviceID string, m hub.DeviceBound) error {
	if err := check(m); err != nil {
		return record.NewFailure(record.Usage, stepSend, deviceID, err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, within, errNoAnswer)
	defer cancel()
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return c.explain(ctx, stepSend, deviceID, ctx.Err())
	}
	defer func() { <-c.turn }()
	if err := c.ready(ctx); err != nil {
		return c.explain(ctx, stepSend, deviceID, err)
	}
	if err := c.link.sender.Send(ctx, asMessage(deviceID, m, c.config.Feedback), nil); err != nil {
		c.drop()
		return c.explain(ctx, stepSend, deviceID, err)
	}
	return nil
}

func check(m hub.DeviceBound) error {
	if err := m.Forbidden(); err != nil {
		return err
	}
	if m.Size() > azure.MaxCloudToDevice {
		return errors.New("it is larger than 64 kB")
	}
	return nil
}

// asMessage is the message as the hub takes it. A property that bears the key of
// a system property stands in its place.
func asMessage(deviceID string, m hub.DeviceBound, feedback bool) *amqp.Message {
	to := "/devices/" + url.PathEscape(deviceID) + "/messages/devicebound"
	expires := time.Now().Add(cmp.Or(m.TTL, defaultTTL))
	a := amqp.NewMessage(m.Payload)
	a.Properties = &amqp.MessageProperties{To: &to, MessageID: cmp.Or(m.ID, rand.Text()), AbsoluteExpiryTime: &expires}
	a.ApplicationProperties = map[string]any{}
	if feedback {
		a.ApplicationProperties[azure.SystemAck] = "full"
	}
	for name, value := range m.Properties {
		switch azure.SystemName(name) {
		case azure.SystemMessageID:
			a.Properties.MessageID = value
		case azure.SystemCorrelationID:
			a.Properties.CorrelationID = value
		case azure.SystemContentType:
			a.Properties.ContentType = &value
		case azure.SystemContentEncoding:
			a.Properties.ContentEncoding = &value
		default:
			a.ApplicationProperties[name] = value
		}
	}
	return a
}

// ready has a link to send on: the one there is, with a token that still holds,
// or a new one. With the turn.
func (c *Client) ready(ctx context.Context) error {
	if c.link != nil && c.link.over() {
		c.drop()
	}
	if c.link != nil {
		return c.link.renew(ctx)
	}
	l, err := c.config.connect(ctx)
	if err != nil {
		return err
	}
	if l.sender, err = l.session.NewSender(ctx, endpoint, nil); err != nil {
		l.close()
		return err
	}
	c.link = l
	return nil
}

// drop ends the link: the next message has another. With the turn.
func (c *Client) drop() {
	c.link.close()
	c.link = nil
}

// Close ends the connection.
func (c *Client) Close(ctx context.Context) error {
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return record.NewFailure(record.RigCloud, "close client of", c.config.Credential.HostName, context.Cause(ctx))
	}
	defer func() { <-c.turn }()
	if c.link != nil {
		c.drop()
	}
	return nil
}
