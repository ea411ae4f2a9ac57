package cli

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
)

// chainOf reads a certificate and what is between it and its root, leaf first,
// as `openssl s_client -showcerts` prints it: text around the blocks is let
// through.
func chainOf(data []byte) ([]*x509.Certificate, error) {
	var chain []*x509.Certificate
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			break
		}
		data = rest
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		chain = append(chain, c)
	}
	if len(chain) == 0 {
		return nil, errors.New("no certificate in it")
	}
	return chain, nil
}
