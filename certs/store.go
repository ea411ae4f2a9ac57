package certs

import (
	"context"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"hilrig/record"
)

// Root is a certificate authority of the rig. Its key stays in this package.
type Root struct {
	Certificate *x509.Certificate
	PEM         []byte // clean, as [CheckPEM] wants it
	key         *rsa.PrivateKey
}

// Store keeps what a rig is known by in one folder (0700, files 0600):
//
//	root.pem, root.key            what devices hold: made once per rig
//	intermediate.pem, .key        signs server certificates, as IoT Hub's chain has one
//	server-<host>.pem, .key       one per host name
//	second-root.pem, .key         for rotation drills, made when first asked for
//	spare.key                     of authorities that are wrong, likewise
//
// A pair is written key first; the certificate is replaced alone, for the same
// key, when it runs out. So a reader without the lock, and one after a crash,
// finds a pair that fits or a key whose certificate is still to be made; and a
// device that holds the old root goes on trusting what the renewed one signs.
//
// Methods may be called at once.
type Store struct {
	dir  string
	now  func() time.Time
	root Root
	ca   Root

	turn    chan struct{} // one at a time, with a context; guards what is below
	servers map[string]Root
	wrong   map[wrongKey]tls.Certificate
	spare   *rsa.PrivateKey

	notesMu sync.Mutex
	notes   []string
}

const (
	rootName       = "root"
	caName         = "intermediate"
	secondRootName = "second-root"
	secondRootCN   = "hilrig rig second root"
	spareName      = "spare"

	// lockWithin bounds the wait for another process that makes the same
	// things: a few RSA keys, on the slowest board a rig has.
	lockWithin = 60 * time.Second
)

// OpenStore opens the folder and makes what is missing. Loading what is there
// takes a millisecond and no lock; making it two RSA keys. Failures are of
// class rig:host and name the file and its cure.
func OpenStore(dir string) (*Store, error) { return OpenStoreAt(dir, time.Now) }

// OpenStoreAt is [OpenStore] with a clock of the caller's.
func OpenStoreAt(dir string, now func() time.Time) (*Store, error) {
	s := &Store{
		dir: dir, now: now, turn: make(chan struct{}, 1),
		servers: map[string]Root{}, wrong: map[wrongKey]tls.Certificate{},
	}
	ctx, cancel := context.WithTimeout(context.Background(), lockWithin)
	defer cancel()
	if err := s.openFolder(); err != nil {
		return nil, err
	}
	if err := s.prepareKeys(ctx, rootName, caName); err != nil {
		return nil, err
	}
	var err error
	if s.root, err = s.obtain(ctx, rootEntry(rootName, "hilrig rig root")); err != nil {
		return nil, err
	}
	s.ca, err = s.obtain(ctx, caEntry(caName, "hilrig rig issuing CA", &s.root))
	return s, err
}

// openFolder makes the folder, or takes others' access to it away.
func (s *Store) openFolder() error {
	const cure = "set HILRIG_STATE to a folder you may write"
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return record.NewFailure(record.RigHost, "make", s.dir, err).WithCure(cure)
	}
	info, err := os.Stat(s.dir)
	if err != nil {
		return record.NewFailure(record.RigHost, "open", s.dir, err).WithCure(cure)
	}
	if openToOthers(info) && os.Chmod(s.dir, 0o700) == nil {
		s.note("%s was open to others: its mode is 0700 now", s.dir)
	}
	return nil
}

// Root is the rig's root: what goes into slot 10.
func (s *Store) Root() Root { return s.root }

// SecondRoot is the root that a hub moves to in a rotation drill. It is made
// at the first call and kept.
func (s *Store) SecondRoot() (Root, error) {
	ctx, cancel := context.WithTimeout(context.Background(), lockWithin)
	defer cancel()
	return s.obtain(ctx, rootEntry(secondRootName, secondRootCN))
}

// Notes are what the store did beyond loading: renewed, set aside, made
// private. One line each, for the log.
func (s *Store) Notes() []string {
	s.notesMu.Lock()
	defer s.notesMu.Unlock()
	return slices.Clone(s.notes)
}

func (s *Store) note(format string, args ...any) {
	s.notesMu.Lock()
	defer s.notesMu.Unlock()
	s.notes = append(s.notes, fmt.Sprintf(format, args...))
}

// awaitTurn waits for this store's turn; the caller gives it back.
func (s *Store) awaitTurn(ctx context.Context) (release func(), err error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	select {
	case s.turn <- struct{}{}:
		return func() { <-s.turn }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// entry is what the store keeps under one name.
type entry struct {
	name     string
	held     bool  // devices hold it: damage is reported, never mended
	issuer   *Root // nil: itself
	template func(now time.Time) *x509.Certificate
	accept   func(*x509.Certificate) error // nil, or what else must be right
}

func rootEntry(name, cn string) entry {
	return entry{name: name, held: true, template: caTemplate(cn)}
}

func caEntry(name, cn string, issuer *Root) entry {
	return entry{name: name, issuer: issuer, template: caTemplate(cn)}
}

func caTemplate(cn string) func(time.Time) *x509.Certificate {
	return func(now time.Time) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber: serial(), Subject: pkix.Name{CommonName: cn, Organization: []string{"hilrig"}},
			NotBefore: caFrom, NotAfter: validUntil(now, caYears), SignatureAlgorithm: x509.SHA256WithRSA,
			KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, IsCA: true, BasicConstraintsValid: true,
		}
	}
}

// errStale is a good certificate whose time is over: it is made anew for the
// same key.
var errStale = errors.New("to be renewed")

// check says whether a loaded pair can be used as it is.
func (e entry) check(r Root, now time.Time) error {
	issuer := e.issuer
	if issuer == nil {
		issuer = &r
	}
	c := r.Certificate
	switch {
	case !samePublicKey(c.PublicKey, r.key.Public()):
		return &damage{e.name + ".pem", ErrPairMismatch}
	case e.issuer == nil && c.CheckSignatureFrom(c) != nil:
		return &damage{e.name + ".pem", errors.New("not a root: it is not signed by itself")}
	case now.Before(c.NotBefore), !now.Add(renewBefore).Before(c.NotAfter):
		return fmt.Errorf("%w: valid from %s to %s", errStale, c.NotBefore.Format(time.DateOnly), c.NotAfter.Format(time.DateOnly))
	case string(c.RawIssuer) != string(issuer.Certificate.RawSubject), c.CheckSignatureFrom(issuer.Certificate) != nil:
		return fmt.Errorf("%w: signed by a former authority", errStale)
	}
	if e.accept == nil {
		return nil
	}
	if err := e.accept(c); err != nil {
		return fmt.Errorf("%w: %w", errStale, err)
	}
	return nil
}
