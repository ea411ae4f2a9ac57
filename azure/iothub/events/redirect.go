package events

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/go-amqp"

	"hilrig/azure/iothub/access"
	"hilrig/record"
)

// managed is what a hub is asked for: it says that its events are elsewhere.
const managed = "/messages/events/$management"

// hubsOwn begins the connection string of a hub, and none of its events.
const hubsOwn = "HostName="

// resolved has the connection string of the events in place of the hub's own.
func (c Config) resolved(ctx context.Context) (Config, error) {
	if !strings.Contains(c.ConnectionString, hubsOwn) {
		return c, nil
	}
	connection, err := access.ParseConnectionString(c.ConnectionString)
	if err == nil {
		c.ConnectionString, err = resolve(ctx, connection, c.Hub)
	}
	return c, err
}

// resolve is the connection string of the Event Hubs-compatible endpoint of a
// hub, with the same policy: the hub answers a reader of its events with the
// place where they are (Azure: samples of @azure/event-hubs,
// iothubConnectionString). It is a secret. The policy needs service connect.
func resolve(ctx context.Context, c access.Connection, n access.Network) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, openWithin, errNoAnswer)
	defer cancel()
	_, key, _ := strings.Cut(c.ConnectionString(), ";SharedAccessKey=")
	s := &source{namespace: c.HostName, entity: "events", secrets: []string{key}}
	address, err := redirected(ctx, c, n)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return "", s.explain(stepConnect, err)
	}
	host, entity, err := parseRedirect(address)
	if err != nil {
		return "", record.NewFailure(record.RigCloud, "find", "events of "+c.HostName, err).WithCure(connectionCure)
	}
	return fmt.Sprintf("Endpoint=sb://%s/;SharedAccessKeyName=%s;SharedAccessKey=%s;EntityPath=%s", host, c.KeyName, key, entity), nil
}

// redirected asks the hub, and is where it points.
func redirected(ctx context.Context, c access.Connection, n access.Network) (address string, err error) {
	wire, err := n.AMQPS(ctx, c.HostName)
	if err != nil {
		return "", err
	}
	defer func() { _ = wire.Close() }()
	name, _, _ := strings.Cut(c.HostName, ".")
	conn, err := amqp.NewConn(ctx, wire, &amqp.ConnOptions{
		HostName: c.HostName,
		SASLType: amqp.SASLTypePlain(c.KeyName+"@sas.root."+name, c.Token(c.HostName+"/messages/events", time.Now().Add(openWithin+time.Minute))),
	})
	if err != nil {
		return "", refusedToken(err)
	}
	defer func() { _ = wire.Close(); _ = conn.Close() }()
	session, err := conn.NewSession(ctx, nil)
	if err != nil {
		return "", err
	}
	_, err = session.NewReceiver(ctx, "amqps://"+c.HostName+managed, nil)
	var peer *amqp.Error
	if errors.As(err, &peer) && peer.Condition == amqp.ErrCondLinkRedirect {
		address, _ = peer.Info["address"].(string)
		return address, nil
	}
	if err == nil {
		err = errors.New("the hub does not say where its events are")
	}
	return "", err
}

// refusedToken tells a refusal by SASL, which has no error of its own, from one
// of the network.
func refusedToken(err error) error {
	if _, cause := access.Explain("", err); cause != nil {
		return err
	}
	return &noToken{err}
}

// noToken is a failed SASL outcome, as an answer of the endpoint would say it.
type noToken struct{ error }

func (*noToken) RPCCode() int { return 401 }

// parseRedirect reads "amqps://HOST:5671/ENTITY/$management".
func parseRedirect(address string) (host, entity string, err error) {
	at, err := url.Parse(address)
	if err != nil || at.Hostname() == "" {
		return "", "", errors.New("the hub's answer names no place")
	}
	entity, is := strings.CutSuffix(strings.Trim(at.Path, "/"), "/$management")
	if !is || entity == "" || strings.ContainsAny(at.Hostname()+entity, "; \r\n") {
		return "", "", errors.New("the hub's answer names no Event Hub")
	}
	return at.Hostname(), entity, nil
}
