package certs

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"

	"hilrig/record"
)

// Profile names a way in which a hub's certificate is wrong, or unusual.
type Profile string

// The profiles; each differs from the good certificate in one thing only.
const (
	UnknownRoot  Profile = "unknown-root"
	SelfSigned   Profile = "self-signed"
	WrongName    Profile = "wrong-name"
	Lookalike    Profile = "lookalike-name" // of a host whose name looks like it
	Expired      Profile = "expired"
	NotYetValid  Profile = "not-yet-valid"
	NoServerAuth Profile = "no-server-auth"
	NotACA       Profile = "not-a-ca"
	LargeChain   Profile = "large-chain"    // 8 kB and more
	LargeChain20 Profile = "large-chain-20" // a fifth larger than Azure's
	SecondRoot   Profile = "second-root"    // good, but of the rig's second root

	NamesakeRoot      Profile = "namesake-root"      // its root has the rig root's name and key identifiers, and another key
	StolenCertificate Profile = "stolen-certificate" // the true chain, shown by somebody who has another key
	FlippedSignature  Profile = "flipped-signature"  // the true chain and key, one bit of the handshake's signature wrong
)

// ProfileInfo is a row of the table of profiles.
type ProfileInfo struct {
	Profile Profile
	Wrong   string // what is wrong with it; empty where a device must take it
	Unusual string // what is unusual about it where nothing is wrong
	Source  string
	alter   func(context.Context, *draft) error
}

// Sizes of the certificates of a chain in DER, added up, in bytes.
const (
	azureChain   = 3700                 // IoT Hub's: a leaf with its names and SCTs, one issuing CA
	largeChain20 = azureChain * 12 / 10 // AWS's test makes the chain 20 % larger
	largeChain   = 8 * 1024             // beyond receive buffers of 4 and 8 kB
)

// Profiles is the table.
func Profiles() []ProfileInfo {
	return []ProfileInfo{
		{UnknownRoot, "its root was given to no device", "", "AWS Device Advisor TLS_Unsecure_Server_Cert; badssl.com untrusted-root", unknownRoot},
		{SelfSigned, "signed by itself", "", "badssl.com self-signed", selfSigned},
		{WrongName, "names another host", "", "AWS Device Advisor TLS_Incorrect_Subject_Name_Server_Cert; badssl.com wrong.host", wrongName},
		{Lookalike, "names hosts whose names begin and end with the hub's, and the hub in its subject alone", "", "RFC 6125 section 6.4; in no public catalogue", lookalike},
		{Expired, "expired in 2016", "", "AWS Device Advisor TLS_Expired_Server_Cert; badssl.com expired", expired},
		{NotYetValid, "valid from years ahead", "", "RFC 5280 section 4.1.2.5; in no public catalogue", notYetValid},
		{NoServerAuth, "for clients only (extended key usage)", "", "RFC 5280 section 4.2.1.12; in no public catalogue", noServerAuth},
		{NotACA, "issued by a certificate that is no CA (CA:FALSE)", "", "RFC 5280 section 4.2.1.9; CVE-2002-0862", notACA},
		{LargeChain, "", "a chain of 8 kB", "Mbed-TLS/mbedtls#984: receive buffers of 4 or 8 kB", atLeast(largeChain)},
		{LargeChain20, "", "a chain a fifth larger than Azure's", "AWS Device Advisor TLS_Large_Size_Server_Cert", atLeast(largeChain20)},
		{NamesakeRoot, "its root has only the name and the key identifiers of the rig's", "", "RFC 5280 section 6.1.3; in no public catalogue", namesakeRoot},
		{StolenCertificate, "shown without its key", "", "RFC 5246 section 7.4.3; CVE-2014-1266", stolenCertificate},
		{FlippedSignature, "shown with a signature that is wrong in one bit", "", "RFC 5246 section 7.4.3; in no public catalogue", flippedSignature},
		{SecondRoot, "", "of the rig's second root", "IoT Hub's move to DigiCert Global Root G2 in 2023", secondRoot},
	}
}

// draft is a server certificate in the making. It starts as the good one, for
// the good one's key.
type draft struct {
	store    *Store
	host     string
	template *x509.Certificate
	key      *rsa.PrivateKey
	issuer   *Root
	above    []Root        // sent after the leaf
	size     int           // of the chain, at least
	prover   crypto.Signer // signs the handshakes in place of the key, under the true chain
}

func unknownRoot(ctx context.Context, d *draft) error {
	key, err := d.store.spareKey(ctx)
	if err != nil {
		return err
	}
	now := d.store.now()
	root, err := sign(caTemplate("a root of nobody's")(now), key, &Root{key: key})
	if err != nil {
		return err
	}
	ca, err := sign(caTemplate("an issuing CA of nobody's")(now), key, &root)
	if err != nil {
		return err
	}
	d.issuer, d.above = &ca, []Root{ca}
	return nil
}

func selfSigned(_ context.Context, d *draft) error {
	d.issuer, d.above = &Root{key: d.key}, nil
	return nil
}

func wrongName(_ context.Context, d *draft) error {
	other := "another-hub.example" // RFC 2606: nobody's
	if net.ParseIP(d.host) != nil {
		other = "192.0.2.1" // RFC 5737: nobody's
	}
	nameHost(d.template, other)
	return nil
}

// lookalike is what a careless comparison takes: the host's name is at the
// beginning and the end of the certificate's names, and its whole common name,
// which is not looked at where there are others (RFC 6125 section 6.4.4).
func lookalike(_ context.Context, d *draft) error {
	nameHost(d.template, d.host)
	d.template.IPAddresses = nil
	d.template.DNSNames = []string{d.host + ".another-hub.example", "another-" + d.host}
	return nil
}

func expired(_ context.Context, d *draft) error {
	d.template.NotBefore, d.template.NotAfter = expiredFrom, expiredUntil
	return nil
}

func notYetValid(_ context.Context, d *draft) error {
	d.template.NotBefore, d.template.NotAfter = notYet(d.store.now())
	return nil
}

func noServerAuth(_ context.Context, d *draft) error {
	d.template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return nil
}

// notACA puts a certificate between that says CA:FALSE and nothing else: with
// a key usage beside it there would be two reasons to refuse it, or, with
// keyCertSign, a contradiction.
func notACA(ctx context.Context, d *draft) error {
	key, err := d.store.spareKey(ctx)
	if err != nil {
		return err
	}
	t := caTemplate("hilrig rig issuing CA that is none")(d.store.now())
	t.IsCA, t.KeyUsage = false, 0
	ca, err := sign(t, key, &d.store.root)
	if err != nil {
		return err
	}
	d.issuer, d.above = &ca, []Root{ca}
	return nil
}

func secondRoot(ctx context.Context, d *draft) error {
	root, err := d.store.obtain(ctx, rootEntry(secondRootName, secondRootCN))
	if err != nil {
		return err
	}
	key, err := d.store.spareKey(ctx)
	if err != nil {
		return err
	}
	ca, err := sign(caTemplate("hilrig rig second issuing CA")(d.store.now()), key, &root)
	if err != nil {
		return err
	}
	d.issuer, d.above = &ca, []Root{ca}
	return nil
}

// namesakeRoot signs its issuing CA as if it were the rig's root: subject, key
// identifier and serial number are the root's, the key is not. The chain holds
// it too, for devices that look for their root in there by its name.
func namesakeRoot(ctx context.Context, d *draft) error {
	key, err := d.store.spareKey(ctx)
	if err != nil {
		return err
	}
	root, err := namesake(&d.store.root, key, &Root{key: key})
	if err != nil {
		return err
	}
	ca, err := namesake(&d.store.ca, key, &root)
	if err != nil {
		return err
	}
	d.issuer, d.above = &ca, []Root{ca, root}
	return nil
}

// namesake is a certificate that differs from the model in its key alone, and
// in what signed it.
func namesake(model *Root, key *rsa.PrivateKey, issuer *Root) (Root, error) {
	m := model.Certificate
	t := &x509.Certificate{
		SerialNumber: m.SerialNumber, Subject: m.Subject, NotBefore: m.NotBefore, NotAfter: m.NotAfter,
		SignatureAlgorithm: m.SignatureAlgorithm, KeyUsage: m.KeyUsage, IsCA: m.IsCA, BasicConstraintsValid: true,
		SubjectKeyId: m.SubjectKeyId, AuthorityKeyId: m.AuthorityKeyId,
	}
	return signAs(t, key, issuer)
}

func stolenCertificate(ctx context.Context, d *draft) error {
	key, err := d.store.spareKey(ctx)
	if err != nil {
		return err
	}
	d.prover = key
	return nil
}

func flippedSignature(_ context.Context, d *draft) error {
	d.prover = flipped{d.key}
	return nil
}

// flipped is a key whose signatures are wrong in their last bit.
type flipped struct{ *rsa.PrivateKey }

func (f flipped) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	s, err := f.PrivateKey.Sign(random, digest, opts)
	if err == nil {
		s[len(s)-1] ^= 1
	}
	return s, err
}

func atLeast(size int) func(context.Context, *draft) error {
	return func(_ context.Context, d *draft) error {
		d.size = size
		return nil
	}
}

// finish signs the draft, with more names in it until the chain has its size.
func (d *draft) finish() (tls.Certificate, error) {
	for {
		leaf, err := sign(d.template, d.key, d.issuer)
		if err != nil {
			return tls.Certificate{}, err
		}
		c := chainOf(leaf, d.above...)
		missing := d.size - chainSize(c)
		if missing <= 0 {
			return c, nil
		}
		const each = 64 // bytes that one more name takes: tag, length, 62 characters
		for range (missing + each - 1) / each {
			n := fmt.Sprintf("node-%04d.%s.example", len(d.template.DNSNames), strings.Repeat("x", 44))
			d.template.DNSNames = append(d.template.DNSNames, n)
		}
	}
}

// chainSize is that of the certificates in DER, added up.
func chainSize(c tls.Certificate) (n int) {
	for _, der := range c.Certificate {
		n += len(der)
	}
	return n
}

type wrongKey struct {
	host    string
	profile Profile
}

// WrongServer is the hub's certificate, wrong or unusual in the one way of the
// profile. It has the key of the good one, and authorities that are wrong
// share one key that is made once per rig, so this takes milliseconds. It is
// kept in memory.
func (s *Store) WrongServer(ctx context.Context, host string, p Profile) (tls.Certificate, error) {
	release, err := s.awaitTurn(ctx)
	if err != nil {
		return tls.Certificate{}, err
	}
	defer release()
	if c, ok := s.wrong[wrongKey{host, p}]; ok {
		return c, nil
	}
	for _, info := range Profiles() {
		if info.Profile != p {
			continue
		}
		c, err := s.makeWrong(ctx, host, info)
		if err == nil {
			s.wrong[wrongKey{host, p}] = c
		}
		return c, err
	}
	return tls.Certificate{}, record.NewFailure(record.Harness, "make certificate", string(p), errors.New("no such profile"))
}

func (s *Store) makeWrong(ctx context.Context, host string, info ProfileInfo) (tls.Certificate, error) {
	good, err := s.server(ctx, host)
	if err != nil {
		return tls.Certificate{}, err
	}
	d := &draft{store: s, host: host, template: serverTemplate(host, s.now()), key: good.key, issuer: &s.ca, above: []Root{s.ca}}
	if err := info.alter(ctx, d); err != nil {
		return tls.Certificate{}, err
	}
	if d.prover != nil {
		c := chainOf(good, s.ca)
		c.PrivateKey = d.prover
		return c, nil
	}
	return d.finish()
}

// spareKey is the key of every authority that is not the rig's own.
func (s *Store) spareKey(ctx context.Context) (*rsa.PrivateKey, error) {
	if s.spare != nil {
		return s.spare, nil
	}
	key, err := s.readKey(spareName + ".key")
	if err != nil {
		if key, err = s.makeSpareKey(ctx); err != nil {
			return nil, err
		}
	}
	s.spare = key
	return key, nil
}

func (s *Store) makeSpareKey(ctx context.Context) (*rsa.PrivateKey, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	key, err := s.readKey(spareName + ".key") // again: whoever had the lock may have made it
	var d *damage
	switch {
	case err == nil:
		return key, nil
	case errors.As(err, &d):
		if err := s.setAside(spareName, d); err != nil {
			return nil, err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, record.NewFailure(record.RigHost, "read", s.path(spareName+".key"), cause(err))
	}
	return s.makeKey(ctx, spareName)
}
