package access

import (
	"cmp"
	"context"
	"crypto/tls"
	"net"
	"time"
)

// AMQPS opens TLS to the port of AMQP at a host of Azure's. A peer that is gone
// without a word is missed within seconds. Of the error [Explain] knows more.
func (n Network) AMQPS(ctx context.Context, hostName string) (*tls.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeWithin)
	defer cancel()
	dialer := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 5 * time.Second, Count: 3}}
	raw, err := dialer.DialContext(ctx, "tcp", cmp.Or(n.Endpoint, net.JoinHostPort(hostName, "5671")))
	if err != nil {
		return nil, err
	}
	config := n.TLS(hostName)
	config.ServerName = hostName
	conn := tls.Client(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		return nil, err
	}
	return conn, nil
}
