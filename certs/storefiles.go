package certs

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"hilrig/record"
)

// damage is a file that is there and cannot be what it should be.
type damage struct {
	file  string
	cause error
}

func (d *damage) Error() string { return d.file + ": " + d.cause.Error() }
func (d *damage) Unwrap() error { return d.cause }

// lock keeps other processes, and other stores of this one, from making the
// same things.
func (s *Store) lock(ctx context.Context) (unlock func(), err error) {
	within, cancel := context.WithTimeout(ctx, lockWithin)
	defer cancel()
	l := flock.New(filepath.Join(s.dir, ".lock"), flock.SetPermissions(0o600))
	if _, err := l.TryLockContext(within, 5*time.Millisecond); err != nil {
		if errors.Is(ctx.Err(), context.Canceled) {
			return nil, context.Cause(ctx)
		}
		return nil, record.NewFailure(record.RigHost, "lock", s.dir, err).
			WithCure("another hilrig is making this rig's certificates: is it stuck? is the folder yours?")
	}
	return func() { _ = l.Unlock() }, nil
}

// prepareKeys makes the keys that are not there, all at once: on a first start
// they are the whole cost, and two cores share it.
func (s *Store) prepareKeys(ctx context.Context, names ...string) error {
	if !s.missesKey(names) {
		return nil
	}
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	errs := make([]error, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		if !s.missesKey(names[i : i+1]) {
			continue
		}
		wg.Go(func() { _, errs[i] = s.makeKey(ctx, name) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// missesKey reports whether a pair is still to be begun: neither file is there.
// A key that was lost from beside its certificate is another matter.
func (s *Store) missesKey(names []string) bool {
	for _, name := range names {
		_, keyErr := os.Lstat(s.path(name + ".key"))
		_, certErr := os.Lstat(s.path(name + ".pem"))
		if errors.Is(keyErr, fs.ErrNotExist) && errors.Is(certErr, fs.ErrNotExist) {
			return true
		}
	}
	return false
}

func (s *Store) path(file string) string { return filepath.Join(s.dir, file) }

// obtain loads an entry, or takes the lock and makes, renews or mends it.
func (s *Store) obtain(ctx context.Context, e entry) (Root, error) {
	if r, err := s.load(e); err == nil {
		return r, nil
	}
	unlock, err := s.lock(ctx)
	if err != nil {
		return Root{}, err
	}
	defer unlock()
	r, err := s.load(e) // again: whoever had the lock may have made it
	if err == nil {
		return r, nil
	}
	var d *damage
	switch {
	case errors.As(err, &d) && e.held:
		return Root{}, record.NewFailure(record.RigHost, "read", s.path(d.file), fmt.Errorf("damaged: %w", d.cause)).
			WithCure("devices hold this root: put the file back from a backup, or move " + s.dir + " away, then a new root is made and every device must be provisioned again")
	case errors.As(err, &d):
		if err := s.setAside(e.name, d); err != nil {
			return Root{}, err
		}
		r = Root{}
	case errors.Is(err, errStale):
		s.note("%s: %v", e.name, err)
	case !errors.Is(err, fs.ErrNotExist):
		return Root{}, record.NewFailure(record.RigHost, "read", s.path(e.name+".pem"), cause(err)).
			WithCure("is the folder yours? HILRIG_STATE names another")
	}
	return s.make(ctx, e, r.key)
}

// load reads an entry. Its errors are fs.ErrNotExist (no certificate yet; the
// key comes along where there is one), errStale (the key comes along too),
// *damage, or what the system said.
func (s *Store) load(e entry) (Root, error) {
	var r Root
	key, keyErr := s.readKey(e.name + ".key")
	if keyErr != nil && !errors.Is(keyErr, fs.ErrNotExist) {
		return r, keyErr
	}
	r.key = key
	cert, err := s.readCertificate(e.name + ".pem")
	switch {
	case err != nil:
		return r, err
	case keyErr != nil:
		return r, &damage{e.name + ".key", errors.New("is missing beside its certificate")}
	}
	r.Certificate, r.PEM = cert, encodeCertificate(cert.Raw)
	return r, e.check(r, s.now())
}

func (s *Store) readCertificate(file string) (*x509.Certificate, error) {
	data, err := os.ReadFile(s.path(file))
	if err != nil {
		return nil, err
	}
	c, err := ParseCertificate(data)
	if err != nil {
		return nil, &damage{file, err}
	}
	return c, nil
}

// readKey reads a key of the rig's, and takes others' access to it away.
func (s *Store) readKey(file string) (*rsa.PrivateKey, error) {
	data, err := os.ReadFile(s.path(file))
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(s.path(file)); err == nil && openToOthers(info) && os.Chmod(s.path(file), 0o600) == nil {
		s.note("%s was open to others: its mode is 0600 now", file)
	}
	k, err := ParseKey(data)
	if err != nil {
		return nil, &damage{file, err}
	}
	key, ok := k.(*rsa.PrivateKey)
	if !ok {
		return nil, &damage{file, errors.New("is no RSA key")}
	}
	return key, nil
}

func openToOthers(info fs.FileInfo) bool {
	return runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0
}

// setAside keeps a damaged pair for whoever wants to know what happened.
func (s *Store) setAside(name string, d *damage) error {
	stamp := s.now().UTC().Format("20060102T150405.000000000Z")
	for _, file := range []string{name + ".pem", name + ".key"} {
		aside := file + ".damaged-" + stamp
		err := os.Rename(s.path(file), s.path(aside))
		switch {
		case err == nil:
			s.note("%v: %s is set aside as %s and made anew", d, file, aside)
		case !errors.Is(err, fs.ErrNotExist):
			return record.NewFailure(record.RigHost, "set aside", s.path(file), cause(err))
		}
	}
	return nil
}

// make writes an entry's key where there is none, then its certificate. The
// lock is held.
func (s *Store) make(ctx context.Context, e entry, key *rsa.PrivateKey) (r Root, err error) {
	if key == nil {
		if key, err = s.makeKey(ctx, e.name); err != nil {
			return r, err
		}
	}
	issuer := e.issuer
	if issuer == nil {
		issuer = &Root{key: key}
	}
	if r, err = sign(e.template(s.now()), key, issuer); err != nil {
		return Root{}, err
	}
	if err := record.WriteFile(s.path(e.name+".pem"), r.PEM, 0o600); err != nil {
		return Root{}, err
	}
	return r, nil
}

func (s *Store) makeKey(ctx context.Context, name string) (*rsa.PrivateKey, error) {
	key, err := generateKey(ctx, 2048)
	if err != nil {
		return nil, record.NewFailure(record.Harness, "make key of", name, err)
	}
	text, err := encodeKey(key, PKCS8)
	if err != nil {
		return nil, err
	}
	return key, record.WriteFile(s.path(name+".key"), text, 0o600)
}

// sign makes a certificate. An issuer without a certificate is the certificate
// itself. One that begins within its issuer's time ends within it too.
func sign(t *x509.Certificate, key *rsa.PrivateKey, issuer *Root) (Root, error) {
	t.SubjectKeyId = keyID(&key.PublicKey)
	return signAs(t, key, issuer)
}

// signAs is sign with the key identifier that the template has.
func signAs(t *x509.Certificate, key *rsa.PrivateKey, issuer *Root) (Root, error) {
	parent := issuer.Certificate
	if parent == nil {
		parent, t.AuthorityKeyId = t, t.SubjectKeyId
	} else if t.NotAfter.After(parent.NotAfter) && t.NotBefore.Before(parent.NotAfter) {
		t.NotAfter = parent.NotAfter
	}
	der, err := x509.CreateCertificate(rand.Reader, t, parent, key.Public(), issuer.key)
	if err != nil {
		return Root{}, record.NewFailure(record.Harness, "sign", t.Subject.String(), err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return Root{}, record.NewFailure(record.Harness, "read back", t.Subject.String(), err)
	}
	return Root{Certificate: c, PEM: encodeCertificate(der), key: key}, nil
}

// cause is err without the path, which the failure names already.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
