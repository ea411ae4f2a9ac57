package access

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"
)

// AMQPS opens TLS to the port of AMQP at a host of Azure's. A peer that is gone
// without a word is missed within seconds. Of the error [Explain] knows more.
func (n Network) AMQPS(ctx context.Context, hostName string) (*tls.Conn, error) {
	config := n.TLS(hostName)
	config.ServerName = hostName
	ctx, cancel := context.WithTimeout(ctx, handshakeWithin)
	defer cancel()
	dialer := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 5 * time.Second, Count: 3}}
	raw, err := dialer.DialContext(ctx, "tcp", cmp.Or(n.Endpoint, net.JoinHostPort(hostName, "5671")))
	if err != nil {
		return nil, err
	}
	conn := tls.Client(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		return nil, err
	}
	return conn, nil
}

// ExplainAMQPS is [Explain] for what goes by AMQP. The cause stands alone,
// without what the error says.
func ExplainAMQPS(hostName string, err error) (cure string, cause error) {
	cure, cause = networkCause(hostName, err)
	switch {
	case errors.Is(err, ErrSilent), errors.Is(cause, ErrSilent):
		return "is outgoing TCP 5671 (AMQP) open? A firewall may drop it", ErrSilent
	case errors.Is(cause, ErrRefused):
		cure = "is outgoing TCP 5671 (AMQP) open?"
	case errors.Is(cause, ErrProxy):
		cure = "what answers at port 5671 speaks no TLS: something stands in between"
	}
	return cure, cause
}
