package certs

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"hilrig/record"
)

// Kind is what a PEM file should hold.
type Kind string

// The kinds.
const (
	KindCertificate Kind = "certificate"
	KindKey         Kind = "private key"
)

// Finding is one thing that is wrong with the form of a PEM file.
type Finding struct{ Text string }

// CheckPEM checks the form in which a file goes over the console: one block of
// the kind, LF line ends with a final one, nothing outside the block, no `*`
// (it would end the transfer, guide section 4), and at most maxSize bytes
// (0: no limit). Its findings hold no key text.
func CheckPEM(kind Kind, data []byte, maxSize int) []Finding {
	var out []Finding
	add := func(format string, args ...any) { out = append(out, Finding{fmt.Sprintf(format, args...)}) }
	block, rest := pem.Decode(data)
	switch {
	case block == nil:
		add("%v", ErrNotPEM)
	case (block.Type == "CERTIFICATE") != (kind == KindCertificate):
		add("a PEM block %s where a %s belongs", block.Type, kind)
	}
	if next, _ := pem.Decode(rest); next != nil {
		add("%v", ErrSeveralBlocks)
	}
	if i := bytes.IndexByte(data, '*'); i >= 0 {
		add("a `*` at byte %d: it would end the transfer there", i)
	}
	if bytes.IndexByte(data, '\r') >= 0 {
		add("carriage returns: line ends must be LF alone")
	}
	if !bytes.HasSuffix(data, []byte("\n")) {
		add("no newline at its end")
	}
	if block != nil && (!bytes.HasPrefix(data, []byte("-----BEGIN ")) || len(bytes.TrimSpace(rest)) > 0) {
		add("text outside the PEM block")
	}
	if maxSize > 0 && len(data) > maxSize {
		add("%d bytes; the device takes %d (console.max_file)", len(data), maxSize)
	}
	return out
}

// Files are the three files of a device, read and checked.
type Files struct {
	RootPEM  []byte
	Root     *x509.Certificate
	Identity *Identity
}

// CheckFiles reads a root, a certificate and a key as a person gives them, and
// refuses what cannot work before any device is touched. Errors are usage
// failures of one line that name the file and what is wrong with it.
func CheckFiles(rootPath, certPath, keyPath string) (Files, error) {
	var f Files
	rootPEM, err := read("root", rootPath)
	if err != nil {
		return f, err
	}
	if f.Root, err = checkRoot(rootPEM); err != nil {
		return f, bad("root", rootPath, err)
	}
	certPEM, err := read("certificate", certPath)
	if err != nil {
		return f, err
	}
	cert, err := ParseCertificate(certPEM)
	if err == nil {
		err = checkDates(cert)
	}
	if err != nil {
		return f, bad("certificate", certPath, err)
	}
	keyPEM, err := read("key", keyPath)
	if err != nil {
		return f, err
	}
	if _, err = ParseKey(keyPEM); err != nil {
		return f, bad("key", keyPath, err)
	}
	for _, p := range []struct {
		step, path string
		data       []byte
	}{{"root", rootPath, rootPEM}, {"certificate", certPath, certPEM}, {"key", keyPath, keyPEM}} {
		if i := bytes.IndexByte(p.data, '*'); i >= 0 {
			return f, bad(p.step, p.path, fmt.Errorf("a `*` at byte %d would end the transfer there", i))
		}
	}
	f.RootPEM = rootPEM
	if f.Identity, err = ParseIdentity(certPEM, keyPEM); err != nil {
		return f, record.NewFailure(record.Usage, "check", certPath+" and "+keyPath, err).WithCure("give the key that was made with this certificate")
	}
	return f, nil
}

func read(what, path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && info.Size() > 1<<20 {
		err = errors.New("larger than 1 MiB: not a PEM file")
	}
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	var data []byte
	if err == nil {
		data, err = os.ReadFile(path)
	}
	if err != nil {
		var p *os.PathError
		if errors.As(err, &p) {
			err = p.Err
		}
		return nil, bad(what, path, err)
	}
	return data, nil
}

func bad(what, path string, err error) error {
	f := record.NewFailure(record.Usage, "check "+what, path, err)
	switch {
	case errors.Is(err, ErrKeyForCertificate), errors.Is(err, ErrCertificateForKey):
		return f.WithCure("are --certificate and --key swapped?")
	case errors.Is(err, ErrNotPEM):
		return f.WithCure("give PEM: openssl x509 -inform DER -in F -out F.pem converts a certificate")
	}
	return f
}

// checkRoot takes one root, or a bundle, and returns the first.
func checkRoot(data []byte) (*x509.Certificate, error) {
	var first *x509.Certificate
	for rest := data; ; {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			break
		}
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			return nil, ErrKeyForCertificate
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("not a certificate: %w", err)
		}
		if !c.IsCA {
			return nil, fmt.Errorf("%q is no certificate authority: it cannot be the root that signs a hub", c.Subject)
		}
		if err := checkDates(c); err != nil {
			return nil, err
		}
		if first == nil {
			first = c
		}
	}
	if first == nil {
		return nil, ErrNotPEM
	}
	return first, nil
}

func checkDates(c *x509.Certificate) error {
	switch now := time.Now(); {
	case now.After(c.NotAfter):
		return fmt.Errorf("expired on %s", c.NotAfter.Format(time.DateOnly))
	case now.Before(c.NotBefore):
		return fmt.Errorf("not valid before %s", c.NotBefore.Format(time.RFC3339))
	}
	return nil
}

// Described is one line of what `certs show` prints.
type Described struct{ Name, Value string }

// DescribeCertificate is a certificate for people, thumbprints as Azure wants
// them.
func DescribeCertificate(c *x509.Certificate) []Described {
	p := ThumbprintsOf(c)
	d := []Described{
		{"subject", c.Subject.String()},
		{"issuer", c.Issuer.String()},
		{"valid from", c.NotBefore.UTC().Format(time.RFC3339)},
		{"valid to", c.NotAfter.UTC().Format(time.RFC3339)},
		{"key", fmt.Sprintf("%s %d", c.PublicKeyAlgorithm, KeyBits(c))},
		{"signature", c.SignatureAlgorithm.String()},
		{"serial", fmt.Sprintf("%X", c.SerialNumber)},
	}
	if len(c.DNSNames)+len(c.IPAddresses) > 0 {
		names := c.DNSNames
		for _, ip := range c.IPAddresses {
			names = append(names, ip.String())
		}
		d = append(d, Described{"names", strings.Join(names, ", ")})
	}
	return append(d, Described{"SHA-1 thumbprint", p.SHA1}, Described{"SHA-256 thumbprint", p.SHA256})
}
