package certs

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // RFC 5280 section 4.2.1.2, method (1): a name, not a protection
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"hilrig/record"
)

// IdentitySpec says what identity to make. Zero fields have the guide's values
// (section 2): RSA 2048, SHA-256, 365 days.
type IdentitySpec struct {
	DeviceID    string    // common name; not empty
	Bits        int       // size of the RSA key, 2048 to 8192
	Days        int       // validity, 1 to 36500
	KeyForm     KeyForm   // default PKCS8
	LongSubject bool      // a subject of about 600 bytes; with 4096 bits the PEM is 3 kB and more
	NotBefore   time.Time // default: five minutes ago, for a device whose clock is a little late
}

// Identity is a device's certificate and private key.
type Identity struct {
	DeviceID       string
	CertificatePEM []byte
	KeyPEM         []byte
	Certificate    *x509.Certificate
	Key            crypto.Signer
}

const clockSlack = 5 * time.Minute

// NewIdentity makes a self-signed identity with the extensions that
// `openssl req -x509` gives one. Nearly all of its time, 0.1 s with 2048 bits
// and seconds with 4096, goes into the key. Failures are of class usage for a
// spec that cannot be met, else harness; ctx ends the wait, not the making.
func NewIdentity(ctx context.Context, spec IdentitySpec) (*Identity, error) {
	spec = spec.withDefaults()
	if err := spec.check(); err != nil {
		return nil, record.NewFailure(record.Usage, "make identity", spec.DeviceID, err)
	}
	key, err := generateKey(ctx, spec.Bits)
	if err != nil {
		return nil, record.NewFailure(record.Harness, "make key for", spec.DeviceID, err)
	}
	subject, id := spec.subject(), keyID(&key.PublicKey)
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: subject, Issuer: subject,
		NotBefore: spec.NotBefore, NotAfter: spec.NotBefore.AddDate(0, 0, spec.Days),
		SignatureAlgorithm: x509.SHA256WithRSA, BasicConstraintsValid: true, IsCA: true,
		SubjectKeyId: id, AuthorityKeyId: id,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, record.NewFailure(record.Harness, "sign certificate for", spec.DeviceID, err)
	}
	keyPEM, err := encodeKey(key, spec.KeyForm)
	if err != nil {
		return nil, err
	}
	return ParseIdentity(encodeCertificate(der), keyPEM)
}

func (s IdentitySpec) withDefaults() IdentitySpec {
	if s.Bits == 0 {
		s.Bits = 2048
	}
	if s.Days == 0 {
		s.Days = 365
	}
	if s.KeyForm == "" {
		s.KeyForm = PKCS8
	}
	if s.NotBefore.IsZero() {
		s.NotBefore = time.Now().Add(-clockSlack)
	}
	s.NotBefore = s.NotBefore.UTC().Truncate(time.Second)
	return s
}

func (s IdentitySpec) check() error {
	switch {
	case s.DeviceID == "":
		return errors.New("no device id")
	case s.Bits < 2048 || s.Bits > 8192:
		return fmt.Errorf("%d bits are not within 2048 and 8192", s.Bits)
	case s.Days < 1 || s.Days > 36500:
		return fmt.Errorf("%d days are not within 1 and 36500", s.Days)
	case s.KeyForm != PKCS8 && s.KeyForm != PKCS1:
		return fmt.Errorf("unknown form of key %q", s.KeyForm)
	}
	return nil
}

// subject is the common name alone, or with fields filled up to their upper
// bounds (RFC 5280 appendix A.1).
func (s IdentitySpec) subject() pkix.Name {
	n := pkix.Name{CommonName: s.DeviceID}
	if s.LongSubject {
		n.Country = []string{"GR"}
		n.Organization = []string{strings.Repeat("Organization ", 5)[:64]}
		for i := range 3 {
			n.OrganizationalUnit = append(n.OrganizationalUnit, fmt.Sprintf("Unit %02d %s", i, strings.Repeat("x", 56)))
		}
		n.Locality = []string{strings.Repeat("Locality ", 15)[:128]}
		n.Province = []string{strings.Repeat("Province ", 15)[:128]}
	}
	return n
}

// serial is a positive number of 16 octets whose first is never zero or above
// 127: some devices rebuild a certificate and get a leading zero wrong
// (aws-iot-zero-touch-secure-provisioning-kit#3). RFC 5280 section 4.1.2.2
// allows 20 octets.
func serial() *big.Int {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails: crypto/rand
	b[0] = b[0]&0x7f | 0x40
	return new(big.Int).SetBytes(b)
}

// generateKey makes an RSA key and stops waiting for it when ctx ends: the
// library cannot be interrupted, and 4096 bits may take seconds.
func generateKey(ctx context.Context, bits int) (*rsa.PrivateKey, error) {
	type made struct {
		key *rsa.PrivateKey
		err error
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	done := make(chan made, 1)
	go func() {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		done <- made{key, err}
	}()
	select {
	case m := <-done:
		return m.key, m.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// keyID names a key as openssl does: the SHA-1 of the public key's bits.
func keyID(key *rsa.PublicKey) []byte {
	sum := sha1.Sum(x509.MarshalPKCS1PublicKey(key)) //nolint:gosec // see the import
	return sum[:]
}

// ParseIdentity reads a certificate and its key: one PEM block each, of the
// right kind, and the pair must fit ([ErrPairMismatch]). DeviceID becomes the
// common name. Errors are those of [ParseCertificate] and [ParseKey].
func ParseIdentity(certPEM, keyPEM []byte) (*Identity, error) {
	cert, err := ParseCertificate(certPEM)
	if err != nil {
		return nil, err
	}
	key, err := ParseKey(keyPEM)
	if err != nil {
		return nil, err
	}
	if !samePublicKey(cert.PublicKey, key.Public()) {
		return nil, ErrPairMismatch
	}
	return &Identity{
		DeviceID: cert.Subject.CommonName, CertificatePEM: bytes.Clone(certPEM), KeyPEM: bytes.Clone(keyPEM),
		Certificate: cert, Key: key,
	}, nil
}
