package iothub

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"hilrig/record"
)

// dialWithin bounds everything up to a CONNACK.
const dialWithin = 10 * time.Second

// restVersion is the api-version that a user name says.
const restVersion = "2021-04-12"

// takeOver connects as the device, and leaves: a session that is not clean, so
// that nothing stored is lost.
func (h *cloud) takeOver(ctx context.Context, id string, held *tls.Certificate) error {
	if held == nil {
		return errors.New("the device's identity is not known yet")
	}
	conn, err := h.config.dial(ctx, h.root, held)
	if err != nil {
		return err
	}
	o := mqtt.NewClientOptions().AddBroker("ssl://" + h.config.address())
	o.SetCustomOpenConnectionFn(func(*url.URL, mqtt.ClientOptions) (net.Conn, error) { return conn, nil })
	o.SetTLSConfig(&tls.Config{MinVersion: tls.VersionTLS12}) // never used: the connection is there
	o.SetProtocolVersion(4).SetClientID(cmp.Or(h.setup.ClientID, id)).SetCleanSession(false).SetPassword(h.setup.Password)
	o.SetUsername(cmp.Or(h.setup.UserName, h.config.Host+"/"+id+"/?api-version="+restVersion))
	o.SetConnectTimeout(dialWithin / 2).SetWriteTimeout(dialWithin / 2).SetAutoReconnect(false).SetConnectRetry(false)
	o.SetAutoAckDisabled(true)                              // what waits for the device is its own
	o.SetConnectionLostHandler(func(mqtt.Client, error) {}) // the device is back
	c := mqtt.NewClient(o)
	token := c.Connect()
	select {
	case <-token.Done():
		err = token.Error()
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil {
		_ = conn.Close() // no session came of it
		return fmt.Errorf("connect as %s: %w", id, err)
	}
	c.Disconnect(50) // milliseconds: what it waits for its own goroutines
	return nil
}

// presented is what the hub shows who opens TLS and asks nothing.
func (c Config) presented(ctx context.Context, root []byte) (tls.ConnectionState, error) {
	ctx, cancel := context.WithTimeout(ctx, dialWithin)
	defer cancel()
	conn, err := c.dial(ctx, root, nil)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer func() { _ = conn.Close() }() // nothing was asked of it
	return conn.ConnectionState(), nil
}

// dial opens TLS to the hub as whoever has this certificate, or has none.
func (c Config) dial(ctx context.Context, root []byte, own *tls.Certificate) (*tls.Conn, error) {
	pool, err := poolOf(root)
	if err != nil {
		return nil, record.NewFailure(record.Usage, "read root of", c.Host, err)
	}
	d := tls.Dialer{Config: &tls.Config{
		ServerName: c.Host, MinVersion: tls.VersionTLS12, RootCAs: pool,
		// Whatever authorities the hub names: a device's certificate has none.
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			if own == nil {
				return &tls.Certificate{}, nil
			}
			return own, nil
		},
	}}
	conn, err := d.DialContext(ctx, "tcp", c.address())
	if err != nil {
		return nil, c.unreached(err)
	}
	t, ok := conn.(*tls.Conn)
	if !ok {
		return nil, record.NewFailure(record.Harness, "open TLS to", c.address(), fmt.Errorf("a %T", conn))
	}
	return t, nil
}
