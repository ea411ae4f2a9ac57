package named

import (
	"crypto/x509"

	"hilrig/certs"
	"hilrig/record"
	"hilrig/record/dsse"
)

// Keys reads public keys, PEM, of which a file may hold several.
func Keys(name string) ([]dsse.Key, error) {
	text, err := Text("public key", name)
	if err != nil {
		return nil, err
	}
	keys, err := dsse.ReadKeys(text)
	if err != nil {
		return nil, record.NewFailure(record.Usage, "read public key", name, err)
	}
	return keys, nil
}

// Certificate reads one X.509 certificate, PEM.
func Certificate(path string) (*x509.Certificate, error) {
	data, err := certs.ReadFile(path)
	if err != nil {
		return nil, certs.Unread("read certificate", path, err)
	}
	c, err := certs.ParseCertificate(data)
	if err != nil {
		return nil, record.NewFailure(record.Usage, "read certificate", path, err).WithCure(certs.Cure(err, certs.KindCertificate, path))
	}
	return c, nil
}
