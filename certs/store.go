package certs

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"hilrig/record"
)

// Root is a certificate authority of the rig. Its key stays in this package.
type Root struct {
	Certificate *x509.Certificate
	PEM         []byte
	key         *rsa.PrivateKey
}

// Store keeps what a rig is known by in one folder (0700, files 0600): its
// root, an intermediate, a second root for rotation, and a server certificate
// per host name. It is made once per rig under a lock, and renewed before it
// runs out.
type Store struct {
	dir  string
	now  func() time.Time
	root Root
	ca   Root // the intermediate that signs server certificates, as Azure has one

	mu    sync.Mutex
	wrong wrongKeys
}

// How long things are valid, and how long before their end they are renewed.
// The server certificate begins years back so that a device whose clock stands
// at its firmware's build date is judged fairly.
const (
	rootYears   = 20
	serverYears = 10
	backdated   = 8 // years
	renewBefore = 30 * 24 * time.Hour
)

// OpenStore opens the folder and makes what is missing. Loading what is there
// takes milliseconds.
func OpenStore(dir string) (*Store, error) { return OpenStoreAt(dir, time.Now) }

// OpenStoreAt is OpenStore with a clock of the caller's.
func OpenStoreAt(dir string, now func() time.Time) (*Store, error) {
	s := &Store{dir: dir, now: now}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, record.NewFailure(record.RigHost, "make", dir, err).WithCure("set HILRIG_STATE to a folder you may write")
	}
	unlock, err := s.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	if s.root, err = s.authority("root", "hilrig rig root", nil); err != nil {
		return nil, err
	}
	s.ca, err = s.authority("intermediate", "hilrig rig issuing CA", &s.root)
	return s, err
}

func (s *Store) lock() (unlock func(), err error) {
	l := flock.New(filepath.Join(s.dir, ".lock"), flock.SetPermissions(0o600))
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if _, err := l.TryLockContext(ctx, 5*time.Millisecond); err != nil {
		return nil, record.NewFailure(record.RigHost, "lock", s.dir, err).WithCure("another hilrig is making this rig's root; is it stuck?")
	}
	return func() { _ = l.Unlock() }, nil
}

// Root is the rig's root: what goes into slot 10.
func (s *Store) Root() Root { return s.root }

// SecondRoot is the root that a hub moves to in a rotation drill.
func (s *Store) SecondRoot() (Root, error) {
	unlock, err := s.lock()
	if err != nil {
		return Root{}, err
	}
	defer unlock()
	return s.authority("second-root", "hilrig rig second root", nil)
}

// authority loads a CA from its two files, or makes it. The certificate is
// written last: where it is there, the key is too.
func (s *Store) authority(name, cn string, issuer *Root) (Root, error) {
	r, err := s.loadAuthority(name)
	switch {
	case err == nil && s.now().Add(renewBefore).Before(r.Certificate.NotAfter) && signedBy(r, issuer):
		return r, nil
	case err == nil || errors.Is(err, fs.ErrNotExist):
	default:
		return Root{}, record.NewFailure(record.RigHost, "read", filepath.Join(s.dir, name+".pem"), err).
			WithCure("the rig's root is damaged: move the folder away and a new one is made; devices must then be provisioned again")
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return Root{}, record.NewFailure(record.Harness, "make key of", name, err)
	}
	now := s.now().UTC().Truncate(time.Second)
	t := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: cn, Organization: []string{"hilrig"}},
		NotBefore: now.AddDate(-backdated, 0, 0), NotAfter: now.AddDate(rootYears, 0, 0),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, IsCA: true, BasicConstraintsValid: true,
	}
	parent, signer := t, key
	if issuer != nil {
		parent, signer = issuer.Certificate, issuer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, t, parent, key.Public(), signer)
	if err != nil {
		return Root{}, record.NewFailure(record.Harness, "sign", name, err)
	}
	return s.keepAuthority(name, der, key)
}

func signedBy(r Root, issuer *Root) bool {
	return issuer == nil || r.Certificate.CheckSignatureFrom(issuer.Certificate) == nil
}

func (s *Store) keepAuthority(name string, der []byte, key *rsa.PrivateKey) (Root, error) {
	if err := s.keep(name, encodeCertificate(der), key); err != nil {
		return Root{}, err
	}
	return s.loadAuthority(name)
}

func (s *Store) keep(name string, certPEM []byte, key *rsa.PrivateKey) error {
	keyPEM, err := encodeKey(key, PKCS8)
	if err != nil {
		return err
	}
	if err := record.WriteFile(filepath.Join(s.dir, name+".key"), keyPEM, 0o600); err != nil {
		return err
	}
	return record.WriteFile(filepath.Join(s.dir, name+".pem"), certPEM, 0o600)
}

func (s *Store) loadAuthority(name string) (Root, error) {
	certPEM, err := os.ReadFile(filepath.Join(s.dir, name+".pem"))
	if err != nil {
		return Root{}, err
	}
	keyPEM, err := os.ReadFile(filepath.Join(s.dir, name+".key"))
	if err != nil {
		return Root{}, fmt.Errorf("its key: %s", err) // not wrapped: a lost key must not look like a rig without a root
	}
	id, err := ParseIdentity(certPEM, keyPEM)
	if err != nil {
		return Root{}, err
	}
	key, ok := id.Key.(*rsa.PrivateKey)
	if !ok {
		return Root{}, errors.New("its key is not RSA")
	}
	return Root{Certificate: id.Certificate, PEM: certPEM, key: key}, nil
}

// Server is the hub's certificate for a host name or IP address, with the
// intermediate behind it, as Azure's chain is: leaf, issuing CA; the root is
// what the device holds.
func (s *Store) Server(ctx context.Context, host string) (tls.Certificate, error) {
	if host == "" {
		return tls.Certificate{}, record.NewFailure(record.Usage, "make server certificate", "", errors.New("no host name"))
	}
	if err := ctx.Err(); err != nil {
		return tls.Certificate{}, context.Cause(ctx)
	}
	unlock, err := s.lock()
	if err != nil {
		return tls.Certificate{}, err
	}
	defer unlock()
	name := "server-" + fileName(host)
	if c, err := s.loadServer(name, host); err == nil {
		return c, nil
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return tls.Certificate{}, record.NewFailure(record.Harness, "make key for", host, err)
	}
	der, err := x509.CreateCertificate(rand.Reader, s.serverTemplate(host), s.ca.Certificate, key.Public(), s.ca.key)
	if err != nil {
		return tls.Certificate{}, record.NewFailure(record.Harness, "sign certificate for", host, err)
	}
	if err := s.keep(name, encodeCertificate(der), key); err != nil {
		return tls.Certificate{}, err
	}
	return s.loadServer(name, host)
}

// loadServer reads a server certificate that is still good: valid, for this
// host, signed by the present intermediate.
func (s *Store) loadServer(name, host string) (tls.Certificate, error) {
	r, err := s.loadAuthority(name)
	if err != nil {
		return tls.Certificate{}, err
	}
	switch {
	case !s.now().Add(renewBefore).Before(r.Certificate.NotAfter):
		return tls.Certificate{}, errors.New("runs out")
	case r.Certificate.VerifyHostname(host) != nil:
		return tls.Certificate{}, errors.New("names another host")
	case !signedBy(r, &s.ca):
		return tls.Certificate{}, errors.New("signed by a former CA")
	}
	return chain(r.Certificate.Raw, r.key, s.ca.Certificate.Raw), nil
}

func chain(leaf []byte, key *rsa.PrivateKey, above ...[]byte) tls.Certificate {
	return tls.Certificate{Certificate: append([][]byte{leaf}, above...), PrivateKey: key}
}

func (s *Store) serverTemplate(host string) *x509.Certificate {
	now := s.now().UTC().Truncate(time.Second)
	t := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: host},
		NotBefore: now.AddDate(-backdated, 0, 0).Add(time.Hour), NotAfter: now.AddDate(serverYears, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	name(t, host)
	return t
}

// name puts the host into the SAN: devices look there (RFC 6125).
func name(t *x509.Certificate, host string) {
	t.DNSNames, t.IPAddresses = nil, nil
	if ip := net.ParseIP(host); ip != nil {
		t.IPAddresses = []net.IP{ip}
		return
	}
	t.DNSNames = []string{host}
}

func fileName(host string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' {
			return r
		}
		return '_'
	}, host)
}

// RootSigns reports whether a chain (leaf first) ends in this root, now, for
// servers.
func RootSigns(root *x509.Certificate, chain []*x509.Certificate) error {
	if len(chain) == 0 {
		return errors.New("the hub has no certificate")
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(root)
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between})
	if err != nil {
		return fmt.Errorf("root %q does not sign the hub's certificate %q: %w", root.Subject, chain[0].Subject, err)
	}
	return nil
}
