package certs

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"strings"
	"time"

	"hilrig/record"
)

// Profile names a way in which a hub's certificate is wrong, or unusual.
type Profile string

// The profiles; each differs from the good certificate in one thing only.
const (
	UnknownRoot  Profile = "unknown-root"
	SelfSigned   Profile = "self-signed"
	WrongName    Profile = "wrong-name"
	Expired      Profile = "expired"
	NotYetValid  Profile = "not-yet-valid"
	NoServerAuth Profile = "no-server-auth"
	NotACA       Profile = "not-a-ca"
	LargeChain   Profile = "large-chain"  // 8 kB and more
	LargerChain  Profile = "larger-chain" // a fifth larger than Azure's
	OfSecondRoot Profile = "second-root"  // good, but of the rig's second root
)

// ProfileInfo is a row of the table of profiles.
type ProfileInfo struct {
	Profile Profile
	Wrong   string // what is wrong with it; empty where a device must take it
	Source  string
	alter   func(*wrongCase)
}

// wrongCase is a server certificate in the making. It starts as the good one.
type wrongCase struct {
	s        *Store
	host     string
	template *x509.Certificate
	issuer   Root
	above    [][]byte // sent after the leaf
	self     bool     // signed by its own key
}

// Profiles is the table.
func Profiles() []ProfileInfo {
	return []ProfileInfo{
		{UnknownRoot, "signed by a root that no device was given", "AWS Device Advisor TLS_Unsecure_Server_Cert; badssl untrusted-root", func(c *wrongCase) {
			c.issuer, c.above = c.s.wrong.strange, nil
		}},
		{SelfSigned, "signed by itself", "badssl self-signed", func(c *wrongCase) { c.self, c.above = true, nil }},
		{WrongName, "names another host", "AWS Device Advisor TLS_Incorrect_Subject_Name_Server_Cert; badssl wrong.host", func(c *wrongCase) {
			c.template.Subject.CommonName = "another-hub.example"
			name(c.template, "another-hub.example")
		}},
		{Expired, "expired in 2019", "AWS Device Advisor TLS_Expired_Server_Cert; badssl expired", func(c *wrongCase) {
			c.template.NotBefore = time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC)
			c.template.NotAfter = time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC)
		}},
		{NotYetValid, "valid from thirty years ahead", "device clocks; no public catalogue has it", func(c *wrongCase) {
			c.template.NotBefore = c.s.now().UTC().AddDate(30, 0, 0).Truncate(time.Second)
			c.template.NotAfter = c.template.NotBefore.AddDate(1, 0, 0)
		}},
		{NoServerAuth, "for clients only (extended key usage)", "RFC 5280 section 4.2.1.12", func(c *wrongCase) {
			c.template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		}},
		{NotACA, "issued by a certificate that is no CA", "RFC 5280 section 4.2.1.9", func(c *wrongCase) {
			c.issuer, c.above = c.s.wrong.notCA, [][]byte{c.s.wrong.notCA.Certificate.Raw}
		}},
		{LargeChain, "", "mbedtls#984: receive buffers of 4 or 8 kB", func(c *wrongCase) { c.grow(9 * 1024) }},
		{LargerChain, "", "AWS Device Advisor TLS_Large_Size_Server_Cert", func(c *wrongCase) { c.grow(azureChain * 13 / 10) }},
		{OfSecondRoot, "", "Azure's root migration of 2023", func(c *wrongCase) { c.issuer, c.above = c.s.wrong.second, nil }},
	}
}

// azureChain is the size of the chain that IoT Hub sends, in bytes: a leaf
// with a dozen names and one issuing CA.
const azureChain = 3700

// grow adds host names until the chain has at least this many bytes.
func (c *wrongCase) grow(size int) {
	have := 900
	for _, a := range c.above {
		have += len(a)
	}
	for i := 0; have < size; i++ {
		n := fmt.Sprintf("%s.node-%04d.hub.example", strings.Repeat("x", 40), i)
		c.template.DNSNames = append(c.template.DNSNames, n)
		have += len(n) + 2
	}
}

// wrongKeys are made once per process: one key serves every wrong leaf.
type wrongKeys struct {
	leaf                   *rsa.PrivateKey
	strange, notCA, second Root
}

// WrongServer is the hub's certificate, wrong in the one way of the profile.
func (s *Store) WrongServer(ctx context.Context, host string, p Profile) (tls.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return tls.Certificate{}, context.Cause(ctx)
	}
	if err := s.prepareWrong(); err != nil {
		return tls.Certificate{}, err
	}
	for _, info := range Profiles() {
		if info.Profile == p {
			return s.wrongServer(host, info)
		}
	}
	return tls.Certificate{}, record.NewFailure(record.Harness, "make certificate", string(p), fmt.Errorf("no such profile"))
}

func (s *Store) wrongServer(host string, info ProfileInfo) (tls.Certificate, error) {
	c := &wrongCase{s: s, host: host, template: s.serverTemplate(host), issuer: s.ca, above: [][]byte{s.ca.Certificate.Raw}}
	info.alter(c)
	parent, signer := c.issuer.Certificate, c.issuer.key
	if c.self {
		parent, signer = c.template, s.wrong.leaf
	}
	der, err := x509.CreateCertificate(rand.Reader, c.template, parent, s.wrong.leaf.Public(), signer)
	if err != nil {
		return tls.Certificate{}, record.NewFailure(record.Harness, "sign certificate", string(info.Profile), err)
	}
	return chain(der, s.wrong.leaf, c.above...), nil
}

func (s *Store) prepareWrong() (err error) {
	if s.wrong.leaf != nil {
		return nil
	}
	w := wrongKeys{}
	if w.leaf, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		return record.NewFailure(record.Harness, "make key", "", err)
	}
	if w.strange, err = s.sign("a root of nobody's", w.leaf, nil, true); err != nil {
		return err
	}
	if w.notCA, err = s.sign("hilrig rig issuing CA that is none", w.leaf, &s.root, false); err != nil {
		return err
	}
	if w.second, err = s.SecondRoot(); err != nil {
		return err
	}
	s.wrong = w
	return nil
}

// sign makes an authority in memory, signed by itself where issuer is nil.
func (s *Store) sign(cn string, key *rsa.PrivateKey, issuer *Root, ca bool) (Root, error) {
	now := s.now().UTC().Truncate(time.Second)
	t := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: cn},
		NotBefore: now.AddDate(-backdated, 0, 0), NotAfter: now.AddDate(rootYears, 0, 0),
		IsCA: ca, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	if !ca {
		t.KeyUsage = x509.KeyUsageDigitalSignature
	}
	parent, signer := t, key
	if issuer != nil {
		parent, signer = issuer.Certificate, issuer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, t, parent, key.Public(), signer)
	if err != nil {
		return Root{}, record.NewFailure(record.Harness, "sign", cn, err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return Root{}, record.NewFailure(record.Harness, "read back", cn, err)
	}
	return Root{Certificate: c, PEM: encodeCertificate(der), key: key}, nil
}
