package iothub

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"

	"hilrig/azure/iothub/access"
	"hilrig/record"
)

// Root is what devices get.
func (h *cloud) Root() []byte { return h.root }

// Chain is what the hub presents to a device now.
func (h *cloud) Chain(ctx context.Context) (der [][]byte, err error) {
	s, err := h.config.presented(ctx, h.root)
	for _, c := range s.PeerCertificates {
		der = append(der, c.Raw)
	}
	return der, err
}

// findRoot is the root that devices get: the rig file's, if it signs what the
// hub presents, or the one of this machine that does.
func (c Config) findRoot(ctx context.Context) ([]byte, error) {
	s, err := c.presented(ctx, c.Root)
	if err != nil {
		return nil, err
	}
	if len(c.Root) > 0 {
		return c.Root, nil
	}
	for _, chain := range s.VerifiedChains {
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: chain[len(chain)-1].Raw}), nil
	}
	return nil, record.NewFailure(record.RigHub, "find root of", c.Host, errors.New("no chain was verified")).WithCure("name its file with root in the hub's entry")
}

// poolOf has the certificates of a root's file; nil stands for the machine's
// own.
func poolOf(root []byte) (*x509.CertPool, error) {
	if len(root) == 0 {
		return nil, nil
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(root) {
		return nil, errors.New("no certificate in PEM")
	}
	return pool, nil
}

// unreached says why the hub's MQTT is not reached, and what to do about it.
func (c Config) unreached(err error) error {
	cure, cause := access.Explain(c.Host, err)
	switch {
	case cause == nil:
		cause, cure = err, "openssl s_client -connect "+c.address()+" shows where it ends"
	case errors.Is(cause, access.ErrUntrusted) && len(c.Root) > 0:
		cure = "root in the hub's entry must be the certificate that signs the hub, or be left out: then this machine's roots tell it"
	}
	return record.NewFailure(record.RigHub, "open TLS to", c.address(), cause).WithCure(cure)
}
