package cli

import (
	"crypto/x509"
	"encoding/pem"

	"hilrig/certs"
)

// chainOf reads a certificate and what is between it and its root, leaf first,
// as `openssl s_client -showcerts` prints it: text around the blocks is let
// through.
func chainOf(data []byte) ([]*x509.Certificate, error) {
	var chain []*x509.Certificate
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
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
		_, err := certs.ParseCertificate(data) // says what it is instead
		return nil, err
	}
	return chain, nil
}
