package runner

import (
	"context"
	"crypto/tls"

	"hilrig/azure/broker"
	"hilrig/azure/hub"
	"hilrig/certs"
	"hilrig/fixtures/rigfile"
	"hilrig/record"
)

// openBroker reads what the rig file names once a run opens the broker.
func openBroker(h rigfile.Hub) hub.Open {
	return func(ctx context.Context, s hub.Setup) (hub.Hub, string, error) {
		c, err := BrokerOf(h)
		if err != nil {
			return nil, "", err
		}
		return c.Open(ctx, s)
	}
}

// BrokerOf is a broker as the rig file describes it, with what its files and
// environment variables hold. Errors are usage failures that show no secret.
func BrokerOf(h rigfile.Hub) (c broker.Config, err error) {
	c.Address = h.Address()
	if h.Tap.On {
		c.At = h.Tap.To // the name is the tap's, from here too it may be
	}
	if r := h.Register; r != nil {
		c.Register = broker.Commands{Add: r.Add, Remove: r.Remove}
	}
	if c.Root, err = rootOf("the broker", h.Root); err != nil {
		return c, err
	}
	if o := h.Observer; o != nil {
		c.Observer, err = observerOf(*o)
	}
	return c, err
}

func observerOf(o rigfile.Observer) (_ broker.Observer, err error) {
	who := broker.Observer{User: o.User}
	if o.Certificate != "" {
		if who.Certificate, err = keyPair(o.Certificate, o.Key); err != nil {
			return who, err
		}
	}
	who.Password, err = o.Password()
	return who, err
}

// keyPair reads a certificate, with what may stand behind it, and its key.
func keyPair(certFile, keyFile string) (*tls.Certificate, error) {
	certPEM, err := certs.ReadFile(certFile)
	if err != nil {
		return nil, certs.Unread("read certificate", certFile, err)
	}
	keyPEM, err := certs.ReadFile(keyFile)
	if err != nil {
		return nil, certs.Unread("read key", keyFile, err)
	}
	if _, err := certs.ParseIdentity(certPEM, keyPEM); err != nil {
		return nil, record.NewFailure(record.Usage, "read identity", certFile+" and "+keyFile, err)
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, record.NewFailure(record.Usage, "read identity", certFile+" and "+keyFile, err)
	}
	return &pair, nil
}
