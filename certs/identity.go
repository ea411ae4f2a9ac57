package certs

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // Azure's thumbprint
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"

	"hilrig/record"
)

// KeyForm is the PEM form of a private key.
type KeyForm string

// The forms that devices take.
const (
	PKCS8 KeyForm = "PRIVATE KEY"     // what openssl req writes today
	PKCS1 KeyForm = "RSA PRIVATE KEY" // what it wrote in the guide's days
)

// IdentitySpec says what identity to make. Zero fields have the guide's values
// (section 2): RSA 2048, SHA-256, 365 days.
type IdentitySpec struct {
	DeviceID    string // common name
	Bits        int
	Days        int
	KeyForm     KeyForm   // default PKCS8
	LongSubject bool      // fill the subject up to its upper bounds (RFC 5280 appendix A)
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

// NewIdentity makes a self-signed identity. An RSA 2048 key takes about a
// tenth of a second.
func NewIdentity(ctx context.Context, spec IdentitySpec) (*Identity, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	spec = spec.withDefaults()
	key, err := rsa.GenerateKey(rand.Reader, spec.Bits)
	if err != nil {
		return nil, record.NewFailure(record.Harness, "make key for", spec.DeviceID, err)
	}
	subject := spec.subject()
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: subject, Issuer: subject,
		NotBefore: spec.NotBefore, NotAfter: spec.NotBefore.AddDate(0, 0, spec.Days),
		SignatureAlgorithm: x509.SHA256WithRSA, BasicConstraintsValid: true, IsCA: true,
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

func (s IdentitySpec) subject() pkix.Name {
	n := pkix.Name{CommonName: s.DeviceID}
	if s.LongSubject {
		n.Country = []string{"GR"}
		n.Organization = []string{strings.Repeat("Organization ", 5)[:64]}
		for i := range 12 {
			n.OrganizationalUnit = append(n.OrganizationalUnit, fmt.Sprintf("Unit %02d %s", i, strings.Repeat("x", 56)))
		}
		n.Locality = []string{strings.Repeat("Locality ", 15)[:128]}
		n.Province = []string{strings.Repeat("Province ", 15)[:128]}
		n.StreetAddress = []string{strings.Repeat("Street ", 18)[:120]}
	}
	return n
}

// serial is a positive number of 127 bits (RFC 5280 section 4.1.2.2 allows 20
// octets).
func serial() *big.Int {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails: crypto/rand
	b[0] = b[0]&0x7f | 0x40
	return new(big.Int).SetBytes(b)
}

func encodeCertificate(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func encodeKey(key *rsa.PrivateKey, form KeyForm) ([]byte, error) {
	if form == PKCS1 {
		return pem.EncodeToMemory(&pem.Block{Type: string(PKCS1), Bytes: x509.MarshalPKCS1PrivateKey(key)}), nil
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, record.NewFailure(record.Harness, "encode", "private key", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: string(PKCS8), Bytes: der}), nil
}

// ParseIdentity reads a certificate and its key: one PEM block each, of the
// right kind, and the pair must fit. Errors are usage failures without any key
// text.
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

// What is wrong with a PEM file or a pair.
var (
	ErrPairMismatch      = errors.New("the private key does not belong to the certificate")
	ErrNotPEM            = errors.New("not PEM: no BEGIN line")
	ErrSeveralBlocks     = errors.New("more than one PEM block")
	ErrKeyForCertificate = errors.New("a private key in the certificate's place")
	ErrCertificateForKey = errors.New("a certificate in the private key's place")
	ErrEncryptedKey      = errors.New("the private key is encrypted; the device cannot ask for its password")
)

func samePublicKey(a, b crypto.PublicKey) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(b)
}

// oneBlock is the only PEM block of a file.
func oneBlock(data []byte) (*pem.Block, error) {
	block, rest := pem.Decode(data)
	if block == nil {
		return nil, ErrNotPEM
	}
	if next, _ := pem.Decode(rest); next != nil {
		return nil, ErrSeveralBlocks
	}
	return block, nil
}

// ParseCertificate reads one PEM certificate.
func ParseCertificate(data []byte) (*x509.Certificate, error) {
	block, err := oneBlock(data)
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(block.Type, "PRIVATE KEY") {
		return nil, ErrKeyForCertificate
	}
	if block.Type != "CERTIFICATE" {
		return nil, fmt.Errorf("a PEM block %s instead of CERTIFICATE", block.Type)
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("not a certificate: %w", err)
	}
	return c, nil
}

// ParseKey reads one PEM private key, PKCS#8, PKCS#1 or SEC 1. Its errors
// never hold key text.
func ParseKey(data []byte) (crypto.Signer, error) {
	block, err := oneBlock(data)
	if err != nil {
		return nil, err
	}
	var key any
	switch block.Type {
	case string(PKCS8):
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case string(PKCS1):
		if block.Headers["DEK-Info"] != "" {
			return nil, ErrEncryptedKey
		}
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	case "CERTIFICATE":
		return nil, ErrCertificateForKey
	case "ENCRYPTED PRIVATE KEY":
		return nil, ErrEncryptedKey
	default:
		return nil, fmt.Errorf("a PEM block %s instead of a private key", block.Type)
	}
	if err != nil {
		return nil, errors.New("the private key's body cannot be read")
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a private key of kind %T cannot sign", key)
	}
	return signer, nil
}

// ThumbprintsOf is what Azure calls a certificate's thumbprints: the hashes of
// its DER form, upper-case hex.
func ThumbprintsOf(c *x509.Certificate) record.Thumbprints {
	s1, s256 := sha1.Sum(c.Raw), sha256.Sum256(c.Raw) //nolint:gosec // Azure's thumbprint
	return record.Thumbprints{SHA1: strings.ToUpper(hex.EncodeToString(s1[:])), SHA256: strings.ToUpper(hex.EncodeToString(s256[:]))}
}

// KeyBits is the size of an RSA key; 0 for another kind.
func KeyBits(c *x509.Certificate) int {
	if k, ok := c.PublicKey.(*rsa.PublicKey); ok {
		return k.N.BitLen()
	}
	return 0
}

// Write puts device.crt, device.pem (the same certificate, as the guide names
// it) and device.key (mode 0600) into dir, which is made 0700 if it is not
// there. It never overwrites: one file in the way is an error, and then none
// is written.
func (id *Identity) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return record.NewFailure(record.RigHost, "make", dir, err)
	}
	files := []struct {
		name string
		data []byte
		mode fs.FileMode
	}{{"device.crt", id.CertificatePEM, 0o644}, {"device.pem", id.CertificatePEM, 0o644}, {"device.key", id.KeyPEM, 0o600}}
	for _, f := range files {
		name := filepath.Join(dir, f.name)
		if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
			return record.NewFailure(record.Usage, "write", name, fs.ErrExist).WithCure("name another folder, or move the old identity away")
		}
	}
	for _, f := range files {
		if err := record.WriteFile(filepath.Join(dir, f.name), f.data, f.mode); err != nil {
			return err
		}
	}
	return nil
}
