package certs

import (
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"hilrig/record"
)

// ThumbprintsOf is what Azure calls a certificate's thumbprints.
func ThumbprintsOf(c *x509.Certificate) record.Thumbprints {
	return record.ThumbprintsOf(c.Raw)
}

// KeyBits is the size of an RSA key; 0 for another kind.
func KeyBits(c *x509.Certificate) int {
	if k, ok := c.PublicKey.(*rsa.PublicKey); ok {
		return k.N.BitLen()
	}
	return 0
}

// Described is one line of what `certs show` prints.
type Described = struct{ Name, Value string }

// purposes are the extended key usages that a rig meets.
var purposes = map[x509.ExtKeyUsage]string{
	x509.ExtKeyUsageAny: "any", x509.ExtKeyUsageServerAuth: "server", x509.ExtKeyUsageClientAuth: "client",
	x509.ExtKeyUsageCodeSigning: "code signing", x509.ExtKeyUsageEmailProtection: "e-mail",
	x509.ExtKeyUsageTimeStamping: "time stamping", x509.ExtKeyUsageOCSPSigning: "OCSP signing",
}

// DescribeCertificate is a certificate for people, thumbprints as Azure wants
// them. Values are printable whatever the certificate holds: a name in it may
// come from anywhere, and this goes to a terminal.
func DescribeCertificate(c *x509.Certificate) []Described {
	p := ThumbprintsOf(c)
	key := c.PublicKeyAlgorithm.String()
	if bits := KeyBits(c); bits > 0 {
		key = fmt.Sprintf("%s %d", key, bits)
	}
	d := []Described{
		{"subject", c.Subject.String()},
		{"issuer", c.Issuer.String()},
		{"serial", fmt.Sprintf("%X", c.SerialNumber)},
		{"valid from", c.NotBefore.UTC().Format(time.RFC3339)},
		{"valid to", c.NotAfter.UTC().Format(time.RFC3339)},
		{"key", key},
		{"signature", c.SignatureAlgorithm.String()},
		{"authority", map[bool]string{true: "yes", false: "no"}[c.IsCA]},
	}
	if names := hostNames(c); len(names) > 0 {
		d = append(d, Described{"names", strings.Join(names, ", ")})
	}
	var uses []string
	for _, u := range c.ExtKeyUsage {
		uses = append(uses, purposes[u])
	}
	if len(uses) > 0 {
		d = append(d, Described{"purposes", strings.Join(uses, ", ")})
	}
	d = append(d, Described{"SHA-1 thumbprint", p.SHA1}, Described{"SHA-256 thumbprint", p.SHA256})
	for i := range d {
		d[i].Value = printable(d[i].Value)
	}
	return d
}

func hostNames(c *x509.Certificate) []string {
	names := slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	return names
}

// printable shows what a terminal would obey.
func printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) && r != unicode.ReplacementChar {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
	}
	return b.String()
}
