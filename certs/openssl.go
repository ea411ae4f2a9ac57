package certs

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
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
	Available bool   // whether this machine has an openssl
	Version   string // as it says itself; asked only where a field differs, for the message
	Fields    []Field
}

// An answer of openssl takes 10 ms; a host that is short of processor or disk
// has been seen to need ten seconds, and to have its output late.
const (
	opensslWithin = 30 * time.Second // for one question
	opensslOutput = 10 * time.Second // for what it wrote, once it has ended
)

// CompareWithOpenSSL asks the openssl of this machine about an identity and
// sets every field beside our own reading. The key goes in by standard input
// and comes out as its public half only. No openssl here is not an error:
// Available is false. An identity that cannot be read is a harness failure, an
// openssl that does not answer one of rig:host.
func CompareWithOpenSSL(ctx context.Context, certPEM, keyPEM []byte) (OpenSSLReport, error) {
	var r OpenSSLReport
	id, err := ParseIdentity(certPEM, keyPEM)
	if err != nil {
		return r, record.NewFailure(record.Harness, "read", "identity", err)
	}
	path, err := exec.LookPath("openssl")
	if err != nil {
		return r, nil
	}
	said, err := ask(ctx, path, certPEM, id.Certificate.Raw, keyPEM)
	if err != nil {
		return r, record.NewFailure(record.RigHost, "compare identity with", path, err)
	}
	r.Available, r.Version = true, "openssl"
	ours, theirs := factsOf(id), said.facts()
	for _, name := range factNames {
		r.Fields = append(r.Fields, Field{Name: name, Ours: ours[name], OpenSSLs: theirs[name], Equal: ours[name] == theirs[name]})
	}
	if slices.ContainsFunc(r.Fields, func(f Field) bool { return !f.Equal }) {
		if said, err := runOpenSSL(ctx, path, nil, "version"); err == nil { // the difference counts without it
			r.Version = strings.TrimSpace(said)
		}
	}
	return r, nil
}

// answers are openssl's, as text.
type answers struct {
	x509, sha256, publicKey, asn1 string
}

// ask puts all questions at once: each is a process, and nothing waits for
// another's answer.
func ask(ctx context.Context, path string, certPEM, certDER, keyPEM []byte) (answers, error) {
	var a answers
	questions := []struct {
		into  *string
		stdin []byte
		args  []string
	}{
		{&a.x509, certPEM, []string{
			"x509", "-noout", "-sha1", "-fingerprint", "-serial", "-dates", "-subject", "-issuer",
			"-nameopt", "oid,sep_multiline,utf8,esc_ctrl", "-text", "-certopt", "no_sigdump", "-pubkey",
		}},
		{&a.sha256, certDER, []string{"dgst", "-sha256"}}, // half the work of x509, which has told by SHA-1 that it reads the same bytes
		{&a.publicKey, keyPEM, []string{"pkey", "-pubout"}},
		{&a.asn1, certPEM, []string{"asn1parse"}},
	}
	errs := make([]error, len(questions))
	var wg sync.WaitGroup
	for i, q := range questions {
		wg.Go(func() { *q.into, errs[i] = runOpenSSL(ctx, path, q.stdin, q.args...) })
	}
	wg.Wait()
	return a, errors.Join(errs...)
}

// noRoots keeps openssl from reading every root that this host trusts, which
// x509 does though no answer is asked of them: two thirds of its time.
var noRoots = []string{"SSL_CERT_FILE=" + os.DevNull, "SSL_CERT_DIR=" + os.DevNull}

// runOpenSSL is one question. Of what openssl complains only the first line is
// repeated.
func runOpenSSL(ctx context.Context, path string, stdin []byte, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, opensslWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(record.ToolEnviron(), noRoots...)
	cmd.Stdin, cmd.WaitDelay = bytes.NewReader(stdin), opensslOutput
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		first, _, _ := strings.Cut(strings.TrimSpace(complaint.String()), "\n")
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if first == "" {
			return "", fmt.Errorf("openssl %s: %w", args[0], err)
		}
		return "", fmt.Errorf("openssl %s: %w: %s", args[0], err, first)
	}
	return out.String(), nil
}

// The facts that are compared, in this order.
const (
	factVersion    = "version"
	factSerial     = "serial"
	factSubject    = "subject"
	factIssuer     = "issuer"
	factFrom       = "valid from"
	factTo         = "valid to"
	factAlgorithm  = "key algorithm"
	factSize       = "key size"
	factPublicKey  = "public key"
	factSignature  = "signature algorithm"
	factExtensions = "extensions"
	factSHA1       = "SHA-1 thumbprint"
	factSHA256     = "SHA-256 thumbprint"
	factFits       = "key fits"
)

var factNames = []string{
	factVersion, factSerial, factSubject, factIssuer, factFrom, factTo, factAlgorithm, factSize, factPublicKey,
	factSignature, factExtensions, factSHA1, factSHA256, factFits,
}

// factsOf is our reading, in openssl's words.
func factsOf(id *Identity) map[string]string {
	c, p := id.Certificate, ThumbprintsOf(id.Certificate)
	return map[string]string{
		factVersion:    fmt.Sprint(c.Version),
		factSerial:     fmt.Sprintf("%X", c.SerialNumber),
		factSubject:    nameLines(c.RawSubject),
		factIssuer:     nameLines(c.RawIssuer),
		factFrom:       opensslTime(c.NotBefore),
		factTo:         opensslTime(c.NotAfter),
		factAlgorithm:  opensslKeys[c.PublicKeyAlgorithm],
		factSize:       fmt.Sprintf("%d bit", keySize(c)),
		factPublicKey:  digest(string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: c.RawSubjectPublicKeyInfo}))),
		factSignature:  opensslSignatures[c.SignatureAlgorithm],
		factExtensions: extensionsOf(c),
		factSHA1:       p.SHA1,
		factSHA256:     p.SHA256,
		factFits:       fmt.Sprint(samePublicKey(c.PublicKey, id.Key.Public())),
	}
}

// opensslSignatures are openssl's names of what identities are signed with.
var opensslSignatures = map[x509.SignatureAlgorithm]string{
	x509.SHA1WithRSA: "sha1WithRSAEncryption", x509.SHA256WithRSA: "sha256WithRSAEncryption",
	x509.SHA384WithRSA: "sha384WithRSAEncryption", x509.SHA512WithRSA: "sha512WithRSAEncryption",
	x509.SHA256WithRSAPSS: "rsassaPss", x509.SHA384WithRSAPSS: "rsassaPss", x509.SHA512WithRSAPSS: "rsassaPss",
	x509.ECDSAWithSHA1: "ecdsa-with-SHA1", x509.ECDSAWithSHA256: "ecdsa-with-SHA256",
	x509.ECDSAWithSHA384: "ecdsa-with-SHA384", x509.ECDSAWithSHA512: "ecdsa-with-SHA512", x509.PureEd25519: "ED25519",
}

var opensslKeys = map[x509.PublicKeyAlgorithm]string{
	x509.RSA: "rsaEncryption", x509.ECDSA: "id-ecPublicKey", x509.Ed25519: "ED25519",
}

// opensslTime is how openssl prints a time: "Nov 23 17:00:00 2026 GMT".
func opensslTime(t time.Time) string { return t.UTC().Format("Jan _2 15:04:05 2006 GMT") }
