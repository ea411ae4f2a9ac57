package devicebound

import (
	"context"
	"crypto/rand"
	"net"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/go-amqp"

	"hilrig/azure/iothub/access"
)

// renewBefore is how long before its end a token is replaced: later than whoever
// gives tokens has a new one.
const renewBefore = 5 * time.Minute

// link is a connection to the hub that has shown a token.
type link struct {
	config  Config
	wire    net.Conn
	conn    *amqp.Conn
	session *amqp.Session
	sender  *amqp.Sender
	until   time.Time // the token holds
}

// connect opens a connection and shows a token (Azure: "Use the AMQP protocol to
// communicate with your IoT hub", service client).
func (c Config) connect(ctx context.Context) (*link, error) {
	host := c.Credential.HostName
	wire, err := c.Network.AMQPS(ctx, host)
	if err != nil {
		return nil, err
	}
	l := &link{config: c, wire: wire}
	if l.conn, err = amqp.NewConn(ctx, wire, &amqp.ConnOptions{HostName: host, SASLType: amqp.SASLTypeAnonymous()}); err != nil {
		_ = wire.Close()
		return nil, err
	}
	if l.session, err = l.conn.NewSession(ctx, nil); err == nil {
		err = l.show(ctx)
	}
	if err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// renew shows another token where the last one ends soon.
func (l *link) renew(ctx context.Context) error {
	if time.Until(l.until) > renewBefore {
		return nil
	}
	return l.show(ctx)
}

// show shows a token: a claim, in AMQP's words (OASIS: AMQP Claims-Based
// Security).
func (l *link) show(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, within, errNoAnswer) // who follows feedback has no bound of its own
	defer cancel()
	token, err := l.config.Credential.GetToken(ctx, policy.TokenRequestOptions{})
	if err != nil {
		return err
	}
	audience, text := l.config.Credential.HostName, token.Token
	if !l.config.Credential.ByKey() {
		audience, text = access.Scope, "Bearer "+token.Token
	}
	code, why, err := l.ask(ctx, "$cbs", &amqp.Message{
		Value: text,
		ApplicationProperties: map[string]any{
			"operation": "put-token", "type": "servicebus.windows.net:sastoken", "name": audience,
		},
	})
	if err != nil {
		return err
	}
	if code < 200 || code > 299 {
		return &refused{code: int(code), why: why}
	}
	l.until = token.ExpiresOn
	return nil
}

// ask asks a node of the hub and waits for its answer.
func (l *link) ask(ctx context.Context, node string, m *amqp.Message) (code int32, why string, err error) {
	sender, err := l.session.NewSender(ctx, node, nil)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = sender.Close(ctx) }()
	receiver, err := l.session.NewReceiver(ctx, node, nil)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = receiver.Close(ctx) }()
	replies := "hilrig"
	m.Properties = &amqp.MessageProperties{MessageID: rand.Text(), ReplyTo: &replies}
	if err := sender.Send(ctx, m, nil); err != nil {
		return 0, "", err
	}
	for {
		answer, err := receiver.Receive(ctx, nil)
		if err != nil {
			return 0, "", err
		}
		if err := receiver.AcceptMessage(ctx, answer); err != nil {
			return 0, "", err
		}
		if answer.Properties == nil || answer.Properties.CorrelationID != m.Properties.MessageID {
			continue
		}
		code, _ = answer.ApplicationProperties["status-code"].(int32)
		why, _ = answer.ApplicationProperties["status-description"].(string)
		return code, why, nil
	}
}

// over reports whether the connection has ended.
func (l *link) over() bool {
	select {
	case <-l.conn.Done():
		return true
	default:
		return false
	}
}

// close ends it without a last word, which could wait.
func (l *link) close() {
	_ = l.wire.Close()
	_ = l.conn.Close()
}
