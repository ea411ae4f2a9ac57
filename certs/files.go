package certs

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"hilrig/record"
)

// Files are the three files of a device, read and checked.
type Files struct {
	RootPEM  []byte
	Root     *x509.Certificate // the first, where the file is a bundle
	Identity *Identity
	// Warnings are one line each, with the file's name: what can be loaded but
	// may not be what was meant, or what some devices cannot read.
	Warnings []string
}

// place is what a file is for: 9270,<slot> loads it there (guide section 4).
type place struct {
	name string // as errors call it
	slot int
	kind PEMKind
}

var (
	placeRoot        = place{"root", 10, KindCertificate}
	placeCertificate = place{"certificate", 20, KindCertificate}
	placeKey         = place{"key", 30, KindKey}
)

// maxFile bounds what is read: no PEM file of a device is near it.
const maxFile = 1 << 20

// CheckFiles reads a root, a certificate and a key as a person gives them, and
// refuses what cannot work before any device is touched. Errors are usage
// failures of one line that name the file, the slot it is for and what is
// wrong with it. CRLF line ends and a missing final newline are let through:
// what goes over the line is the console's newline policy. A root file may be
// a bundle of roots.
func CheckFiles(rootPath, certPath, keyPath string) (Files, error) {
	return checkFiles(rootPath, certPath, keyPath, time.Now())
}

func checkFiles(rootPath, certPath, keyPath string, now time.Time) (f Files, err error) {
	if f.RootPEM, err = placeRoot.read(rootPath); err != nil {
		return Files{}, err
	}
	if f.Root, err = checkRoot(f.RootPEM, now); err != nil {
		return Files{}, placeRoot.refuse(rootPath, err)
	}
	certPEM, err := placeCertificate.read(certPath)
	if err != nil {
		return Files{}, err
	}
	cert, err := ParseCertificate(certPEM)
	if err == nil {
		err = checkDates(cert, now)
	}
	if err != nil {
		return Files{}, placeCertificate.refuse(certPath, err)
	}
	keyPEM, err := placeKey.read(keyPath)
	if err != nil {
		return Files{}, err
	}
	if _, err = ParseKey(keyPEM); err != nil {
		return Files{}, placeKey.refuse(keyPath, err)
	}
	if f.Identity, err = ParseIdentity(certPEM, keyPEM); err != nil {
		return Files{}, placeKey.refuse(keyPath, fmt.Errorf("%w in %s", err, certPath))
	}
	f.warn(rootPath, certPath, keyPath)
	return f, nil
}

// read takes a file in and refuses what would break the transfer itself.
func (p place) read(path string) ([]byte, error) {
	data, err := ReadFile(path)
	var pathError *os.PathError
	if errors.As(err, &pathError) {
		err = pathError.Err // the path is the failure's subject already
	}
	if i := bytes.IndexByte(data, '*'); err == nil && i >= 0 && bytes.Contains(data, beginMark) {
		err = fmt.Errorf("a `*` at byte %d (line %d) would end the transfer there", i, lineOf(data, i))
	}
	if err != nil {
		return nil, p.refuse(path, err)
	}
	return data, nil
}

// Unread is the failure of a file that [ReadFile] could not read at all; where
// the error names the file already it is not said twice.
func Unread(step, path string, err error) *record.Failure {
	var known *os.PathError
	if errors.As(err, &known) {
		path = ""
	}
	return record.NewFailure(record.Usage, step, path, err)
}

// ReadFile reads a file of a certificate or a key. What is no regular file, a
// pipe that nobody writes to, is refused and not waited for; a file above 1 MiB
// too.
func ReadFile(path string) ([]byte, error) {
	info, err := os.Stat(path) // before opening: opening a FIFO waits for its writer
	if err != nil {
		var known *os.PathError
		if errors.As(err, &known) {
			known.Op = "open" // what was asked for
		}
		return nil, err
	}
	if info.IsDir() {
		return nil, errors.New("is a folder")
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // only read
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(data) > maxFile {
		return nil, errors.New("larger than 1 MiB: not a PEM file")
	}
	return data, err
}

// refuse makes the one line.
func (p place) refuse(path string, err error) error {
	if errors.Is(err, ErrKeyForCertificate) && p != placeCertificate {
		err = fmt.Errorf("%w in the %s's place", errPrivateKey, p.name)
	}
	f := record.NewFailure(record.Usage, fmt.Sprintf("check %s for slot %d", p.name, p.slot), path, err)
	switch {
	case errors.Is(err, ErrKeyForCertificate), errors.Is(err, ErrCertificateForKey):
		return f.WithCure("are --certificate and --key swapped?")
	case errors.Is(err, errPrivateKey):
		return f.WithCure("give the certificate of the authority that signs the hub")
	case errors.Is(err, ErrPairMismatch):
		return f.WithCure("give the key that was made with this certificate")
	}
	if cure := Cure(err, p.kind, path); cure != "" {
		return f.WithCure(cure)
	}
	switch {
	case errors.Is(err, ErrSeveralBlocks) && p.kind == KindCertificate:
		return f.WithCure("the device's certificate goes alone, the root into slot 10")
	}
	return f
}

// errPrivateKey is ErrKeyForCertificate in the place of something else.
var errPrivateKey = errors.New("a private key")

// ParseRoot is the root, or the bundle of roots, that a device is to hold. What
// it names is the first.
func ParseRoot(data []byte) (Root, error) {
	first, err := checkRoot(data, time.Now())
	return Root{Certificate: first, PEM: data}, err
}

// checkRoot takes one root, or a bundle of them, and returns the first.
func checkRoot(data []byte, now time.Time) (first *x509.Certificate, err error) {
	blocks := bytes.Count(data, beginMark)
	rest := data
	for i := range blocks {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, whyNotPEM(data)
		}
		c, err := certificateOf(block)
		if err == nil {
			err = checkAuthority(c)
		}
		if err == nil {
			err = checkDates(c, now)
		}
		if err != nil {
			return nil, inBundle(err, data, i, blocks, c)
		}
		if first == nil {
			first = c
		}
	}
	if first == nil {
		return nil, whyNotPEM(data)
	}
	return first, nil
}

// inBundle says which certificate of several an error is about.
func inBundle(err error, data []byte, i, of int, c *x509.Certificate) error {
	if of == 1 {
		return err
	}
	at := 0
	for range i {
		at += bytes.Index(data[at:], beginMark) + len(beginMark)
	}
	at += bytes.Index(data[at:], beginMark)
	if c == nil {
		return fmt.Errorf("certificate %d of %d, line %d: %w", i+1, of, lineOf(data, at), err)
	}
	return fmt.Errorf("certificate %d of %d, line %d, %q: %w", i+1, of, lineOf(data, at), c.Subject, err)
}

// checkAuthority refuses a certificate that may not sign another. One of
// version 1 has no way to say so; it is one when it signed itself.
func checkAuthority(c *x509.Certificate) error {
	switch {
	case c.Version < 3 && bytes.Equal(c.RawIssuer, c.RawSubject):
		return nil
	case !c.IsCA:
		return fmt.Errorf("%q is no certificate authority: it cannot be the root that signs a hub", c.Subject)
	case c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageCertSign == 0:
		return fmt.Errorf("%q may not sign certificates (key usage): it cannot be the root that signs a hub", c.Subject)
	}
	return nil
}

func checkDates(c *x509.Certificate, now time.Time) error {
	switch {
	case now.After(c.NotAfter):
		return fmt.Errorf("expired on %s", c.NotAfter.UTC().Format(time.DateOnly))
	case now.Before(c.NotBefore):
		return fmt.Errorf("not valid before %s", c.NotBefore.UTC().Format(time.RFC3339))
	}
	return nil
}

// Doubt is what may keep others from taking a certificate that this library
// and IoT Hub take; empty: nothing.
func Doubt(c *x509.Certificate) string {
	if c.SerialNumber.Sign() < 0 {
		return "its serial number is negative, which RFC 5280 does not allow: some TLS libraries and brokers refuse it; make it anew where you can"
	}
	return ""
}

// warn fills Warnings.
func (f *Files) warn(rootPath, certPath, keyPath string) {
	add := func(path, text string) { f.Warnings = append(f.Warnings, path+": "+text) }
	if f.Root.Equal(f.Identity.Certificate) {
		add(rootPath, "the same certificate as "+certPath+": the device will trust no hub but one that this certificate signs; slot 10 is for the root of the hub's authority")
	}
	if w := Doubt(f.Root); w != "" {
		add(rootPath, w)
	}
	if w := Doubt(f.Identity.Certificate); w != "" {
		add(certPath, w)
	}
	if !bytes.Equal(f.Root.RawIssuer, f.Root.RawSubject) {
		add(rootPath, "not self-signed: an intermediate rolls over without notice, roots do not")
	}
	if n := bytes.Count(f.RootPEM, beginMark); n > 1 {
		add(rootPath, fmt.Sprintf("%d certificates: not every device takes a bundle", n))
	}
	for _, file := range []struct {
		path string
		kind PEMKind
		data []byte
	}{{rootPath, KindCertificate, f.RootPEM}, {certPath, KindCertificate, f.Identity.CertificatePEM}, {keyPath, KindKey, f.Identity.KeyPEM}} {
		for _, finding := range CheckPEM(file.kind, file.data, 0) {
			switch finding.Rule {
			case RuleOutside, RuleASCII, RuleLayout:
				add(file.path, strings.TrimSpace(finding.Text))
			}
		}
	}
}
