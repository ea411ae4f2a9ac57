package certs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"hilrig/record"
)

// Field is one fact of an identity as two libraries read it.
type Field struct {
	Name, Ours, OpenSSLs string
	Equal                bool
}

// OpenSSLReport is an identity read by openssl beside our own reading.
type OpenSSLReport struct {
	Available bool
	Version   string
	Fields    []Field
}

// CompareWithOpenSSL asks the openssl of this machine about an identity. The
// key goes in by standard input and comes out as its public half only. No
// openssl here is not an error: Available is false.
func CompareWithOpenSSL(ctx context.Context, certPEM, keyPEM []byte) (OpenSSLReport, error) {
	var r OpenSSLReport
	id, err := ParseIdentity(certPEM, keyPEM)
	if err != nil {
		return r, record.NewFailure(record.Harness, "read", "identity", err)
	}
	if _, err := exec.LookPath("openssl"); err != nil {
		return r, nil
	}
	o := opensslRun{ctx: ctx}
	r.Available, r.Version = true, o.ask(nil, "version")
	facts := o.certificate(certPEM)
	keyPub := o.ask(keyPEM, "pkey", "-pubout")
	if o.err != nil {
		return r, record.NewFailure(record.RigHost, "run", "openssl", o.err)
	}
	c, p := id.Certificate, ThumbprintsOf(id.Certificate)
	add := func(name, ours, theirs string) {
		r.Fields = append(r.Fields, Field{Name: name, Ours: ours, OpenSSLs: theirs, Equal: ours == theirs})
	}
	add("SHA-1 thumbprint", p.SHA1, facts["sha1 Fingerprint"])
	add("SHA-256 thumbprint", p.SHA256, facts["sha256 Fingerprint"])
	add("serial", fmt.Sprintf("%X", c.SerialNumber), strings.TrimLeft(facts["serial"], "0"))
	add("valid from", opensslTime(c.NotBefore), facts["notBefore"])
	add("valid to", opensslTime(c.NotAfter), facts["notAfter"])
	add("common name of subject", "CN = "+c.Subject.CommonName, lastRDN(facts["subject"]))
	add("issuer is subject", fmt.Sprint(c.Issuer.String() == c.Subject.String()), fmt.Sprint(facts["issuer"] == facts["subject"]))
	add("key size", fmt.Sprintf("(%d bit)", KeyBits(c)), between(facts["text"], "Public-Key: ", "\n"))
	add("signature algorithm", "sha256WithRSAEncryption", between(facts["text"], "Signature Algorithm: ", "\n"))
	add("key fits", "true", fmt.Sprint(keyPub != "" && keyPub == facts["pubkey"]))
	return r, nil
}

// opensslRun keeps the first error of a series of questions.
type opensslRun struct {
	ctx context.Context
	err error
}

func (o *opensslRun) ask(stdin []byte, args ...string) string {
	if o.err != nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(o.ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "openssl", args...)
	cmd.Stdin, cmd.WaitDelay = bytes.NewReader(stdin), time.Second
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		o.err = fmt.Errorf("openssl %s: %w", args[0], errors.Join(err, errors.New(strings.TrimSpace(errs.String()))))
	}
	return strings.TrimSpace(out.String())
}

// certificate asks for everything at once: each process costs milliseconds.
func (o *opensslRun) certificate(certPEM []byte) map[string]string {
	facts := map[string]string{}
	out := o.ask(certPEM, "x509", "-noout", "-fingerprint", "-sha1", "-serial", "-dates", "-subject", "-issuer", "-nameopt", "RFC2253,sep_comma_plus_space,space_eq", "-text")
	for line := range strings.Lines(out) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && facts[name] == "" {
			facts[name] = strings.TrimSpace(value)
		}
	}
	facts["text"] = out
	facts["sha1 Fingerprint"] = strings.ReplaceAll(facts["sha1 Fingerprint"], ":", "")
	sha256 := o.ask(certPEM, "x509", "-noout", "-fingerprint", "-sha256")
	_, value, _ := strings.Cut(sha256, "=")
	facts["sha256 Fingerprint"] = strings.ReplaceAll(value, ":", "")
	facts["pubkey"] = o.ask(certPEM, "x509", "-noout", "-pubkey")
	return facts
}

// opensslTime is how openssl prints a time: "Nov 23 17:00:00 2026 GMT".
func opensslTime(t time.Time) string { return t.UTC().Format("Jan _2 15:04:05 2006 GMT") }

// lastRDN is the common name in openssl's RFC 2253 order, which is reversed.
func lastRDN(dn string) string {
	for _, part := range strings.Split(dn, ", ") {
		if strings.HasPrefix(part, "CN") {
			return strings.ReplaceAll(strings.ReplaceAll(part, " ", ""), "CN=", "CN = ")
		}
	}
	return dn
}

func between(s, a, b string) string {
	_, s, ok := strings.Cut(s, a)
	if !ok {
		return ""
	}
	s, _, _ = strings.Cut(s, b)
	return strings.TrimSpace(s)
}
