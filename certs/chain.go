package certs

import (
	"crypto/x509"
	"encoding/pem"
)

// ParseChain reads a certificate and what is between it and its root, leaf first,
// as `openssl s_client -showcerts` prints it: text around the blocks is let
// through. Where there is none the error is that of [ParseCertificate].
func ParseChain(data []byte) ([]*x509.Certificate, error) {
	var chain []*x509.Certificate
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != blockCertificate {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		chain = append(chain, c)
	}
	if len(chain) == 0 {
		_, err := ParseCertificate(data) // says what it is instead
		return nil, err
	}
	return chain, nil
}
