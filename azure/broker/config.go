package broker

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"

	"hilrig/record"
)

// Config says which broker it is, and how it is asked.
type Config struct {
	Address  string // HOST:PORT; the host is the name that devices dial
	At       string // HOST:PORT where the rig reaches it, where that name leads elsewhere, as to a tap; empty: Address
	Root     []byte // PEM of the root that devices get
	Observer Observer
	Register Commands
}

// Observer is who subscribes: by certificate, by user and password, or both.
type Observer struct {
	Certificate    *tls.Certificate
	User, Password string
}

// Commands make the broker know a certificate, and forget it: argv lists, run
// without a shell. Without Add nobody is registered.
type Commands struct{ Add, Remove []string }

// reached is where the rig reaches the broker.
func (c Config) reached() string { return cmp.Or(c.At, c.Address) }

// root is the certificate of the root file, the first where it has several.
func (c Config) root() (*x509.Certificate, error) {
	block, _ := pem.Decode(c.Root)
	if block == nil {
		return nil, record.NewFailure(record.Usage, "read root of", c.Address, errors.New("no certificate in PEM"))
	}
	root, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, record.NewFailure(record.Usage, "read root of", c.Address, err)
	}
	return root, nil
}
