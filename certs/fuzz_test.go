package certs_test

import (
	"bytes"
	"strings"
	"testing"

	"hilrig/certs"
)

func addSeeds(f *testing.F) {
	id, other := shared(f, sharedIdentity), shared(f, sharedPKCS1)
	for _, seed := range [][]byte{
		id.CertificatePEM, id.KeyPEM, other.KeyPEM, id.CertificatePEM[:400], id.KeyPEM[:400], id.Certificate.Raw, nil,
		append(bytes.Clone(id.CertificatePEM), id.KeyPEM...),
		bytes.ReplaceAll(id.KeyPEM, []byte("\n"), []byte("\r\n")),
		bytes.ReplaceAll(id.KeyPEM, []byte("\n"), nil),
		[]byte("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n"),
		[]byte("-----BEGIN CERTIFICATE-----\nA: b\n\nAAAA\n-----END CERTIFICATE-----\n"),
		[]byte("-----BEGIN *-----\n-----END *-----"),
	} {
		f.Add(seed)
	}
}

// What is accepted is one block; what is not is said in one line that repeats
// nothing of the file.
func FuzzParsePEM(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		_, certErr := certs.ParseCertificate(data)
		_, keyErr := certs.ParseKey(data)
		if certErr == nil && keyErr == nil {
			t.Error("both a certificate and a key")
		}
		if n := bytes.Count(data, []byte("-----BEGIN ")); (certErr == nil || keyErr == nil) && n != 1 {
			t.Errorf("accepted with %d BEGIN lines", n)
		}
		for _, err := range []error{certErr, keyErr} {
			if err == nil {
				continue
			}
			if strings.ContainsAny(err.Error(), "\r\n") {
				t.Errorf("not one line: %q", err)
			}
		}
		if keyErr != nil && holdsKeyText(keyErr.Error(), data) {
			t.Errorf("the file's text in %q", keyErr)
		}
	})
}

// A file without findings can be read, and is laid out in the one way.
func FuzzCheckPEM(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		_, keyErr := certs.ParseKey(data)
		_, certErr := certs.ParseCertificate(data)
		for kind, err := range map[certs.PEMKind]error{certs.KindKey: keyErr, certs.KindCertificate: certErr} {
			found := certs.CheckPEM(kind, data, 1<<14)
			if err != nil && len(found) == 0 {
				t.Errorf("%s: no findings though %v", kind, err)
			}
			if len(found) == 0 && (bytes.ContainsAny(data, "*\r\x00") || !bytes.HasSuffix(data, []byte("-----\n")) || len(data) > 1<<14) {
				t.Errorf("%s: no findings", kind)
			}
			for _, finding := range found {
				if finding.Line < 0 || finding.Line > 1+bytes.Count(data, []byte("\n")) || strings.Contains(finding.Text, "\n") {
					t.Errorf("finding %+v", finding)
				}
			}
		}
	})
}
