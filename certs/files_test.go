package certs_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"hilrig/certs"
	"hilrig/record"
)

// given are the files that the cases of TestCheckFiles start from.
type given struct {
	folder
	root, crt, key string
	id, other      *certs.Identity
}

func newGiven(t *testing.T) given {
	t.Helper()
	f := newFolder(t)
	store, err := certs.OpenStore(f.path("pki"))
	if err != nil {
		t.Fatal(err)
	}
	g := given{folder: f, id: shared(t, sharedIdentity), other: shared(t, sharedPKCS1)}
	g.root, g.crt, g.key = f.put("root.pem", store.Root().PEM), f.put("device.crt", g.id.CertificatePEM), f.put("device.key", g.id.KeyPEM)
	server, err := store.Server(t.Context(), "localhost")
	if err != nil {
		t.Fatal(err)
	}
	f.put("leaf.pem", pemOf("CERTIFICATE", server.Certificate[0]))
	f.put("intermediate.pem", pemOf("CERTIFICATE", server.Certificate[1]))
	return g
}

func inUTF16(text []byte) []byte {
	out := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(string(text))) {
		out = append(out, byte(u), byte(u>>8))
	}
	return out
}

func der(t *testing.T, text []byte) []byte {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	out, err := base64.StdEncoding.DecodeString(strings.Join(lines[1:len(lines)-1], ""))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// How bad input ends: a usage failure of one line that names the file, the
// slot it is for and what is wrong; never with a piece of a key.
func TestCheckFilesRefuses(t *testing.T) {
	g := newGiven(t)
	old := newIdentity(t, certs.IdentitySpec{DeviceID: "a", NotBefore: time.Now().AddDate(-2, 0, 0)})
	early := newIdentity(t, certs.IdentitySpec{DeviceID: "a", NotBefore: time.Now().AddDate(0, 0, 2)})
	oneLine := []byte("-----BEGIN PRIVATE KEY-----" + strings.ReplaceAll(string(g.id.KeyPEM[28:]), "\n", ""))
	keyInWords := []byte("-----BEGIN " + string(g.id.KeyPEM[28:92]) + "-----\nAAAA\n-----END " + string(g.id.KeyPEM[28:92]) + "-----\n")
	none := g.path("none")
	for name, c := range map[string]struct {
		root, crt, key string // empty: the good one
		is             error
		says           []string
	}{
		"no root":              {root: none, is: fs.ErrNotExist, says: []string{"check root for slot 10 " + none + ": no such file"}},
		"no certificate":       {crt: none, is: fs.ErrNotExist, says: []string{"check certificate for slot 20 " + none}},
		"no key":               {key: none, is: fs.ErrNotExist, says: []string{"check key for slot 30 " + none}},
		"a folder":             {root: g.dir, says: []string{g.dir, "is a folder"}},
		"empty":                {crt: g.put("empty", nil), is: certs.ErrNotPEM, says: []string{"empty"}},
		"garbage":              {root: g.put("garbage", []byte("hello")), is: certs.ErrNotPEM, says: []string{"garbage", "no BEGIN line"}},
		"too large":            {root: g.put("large", make([]byte, 2<<20)), says: []string{"larger than 1 MiB"}},
		"DER certificate":      {crt: g.put("device.der", g.id.Certificate.Raw), is: certs.ErrNotPEM, says: []string{"DER", "openssl x509 -inform DER"}},
		"DER key":              {key: g.put("key.der", der(t, g.id.KeyPEM)), is: certs.ErrNotPEM, says: []string{"DER", "openssl pkey -inform DER"}},
		"UTF-16":               {crt: g.put("utf16", inUTF16(g.id.CertificatePEM)), is: certs.ErrNotPEM, says: []string{"UTF-16"}},
		"byte order mark":      {crt: g.put("bom", append([]byte("\xef\xbb\xbf"), g.id.CertificatePEM...)), is: certs.ErrNotPEM, says: []string{"byte order mark"}},
		"cut short":            {crt: g.put("cut", g.id.CertificatePEM[:700]), is: certs.ErrDamagedPEM, says: []string{"cut short"}},
		"not base64":           {crt: g.put("dirty", bytes.Replace(g.id.CertificatePEM, []byte("MII"), []byte("M!I"), 1)), is: certs.ErrDamagedPEM, says: []string{"base64"}},
		"not a certificate":    {crt: g.put("notcert", pemOf("CERTIFICATE", []byte("hello"))), is: certs.ErrDamagedPEM, says: []string{"no certificate"}},
		"a request":            {crt: g.put("csr", pemOf("CERTIFICATE REQUEST", []byte("x"))), says: []string{"CERTIFICATE REQUEST"}},
		"key for certificate":  {crt: g.key, is: certs.ErrKeyForCertificate, says: []string{"device.key: a private key in the certificate's place", "swapped?"}},
		"key for root":         {root: g.key, says: []string{"slot 10", "device.key: a private key in the root's place"}},
		"certificate for key":  {key: g.crt, is: certs.ErrCertificateForKey, says: []string{"device.crt: a certificate in the private key's place", "swapped?"}},
		"public key":           {key: g.put("pub", pemOf("PUBLIC KEY", []byte("x"))), says: []string{"PUBLIC KEY"}},
		"encrypted key":        {key: g.put("enc", pemOf("ENCRYPTED PRIVATE KEY", []byte("x"))), is: certs.ErrEncryptedKey, says: []string{"openssl pkey"}},
		"key of another":       {key: g.put("other.key", g.other.KeyPEM), is: certs.ErrPairMismatch, says: []string{"other.key", "device.crt"}},
		"key cut short":        {key: g.put("cut.key", g.id.KeyPEM[:900]), is: certs.ErrDamagedPEM, says: []string{"cut.key", "cut short"}},
		"key on one line":      {key: g.put("line.key", oneLine), says: []string{"line.key"}},
		"key in BEGIN's words": {key: g.put("words.key", keyInWords), says: []string{"words.key"}},
		"key body damaged":     {key: g.put("body.key", bytes.Replace(g.id.KeyPEM, g.id.KeyPEM[100:104], []byte("AAAA"), 1)), says: []string{"body.key"}},
		"two certificates":     {crt: g.put("two", append(bytes.Clone(g.id.CertificatePEM), g.other.CertificatePEM...)), is: certs.ErrSeveralBlocks, says: []string{"slot 20"}},
		"certificate and key":  {crt: g.put("both", append(bytes.Clone(g.id.CertificatePEM), g.id.KeyPEM...)), is: certs.ErrSeveralBlocks},
		"two keys":             {key: g.put("keys", append(bytes.Clone(g.id.KeyPEM), g.id.KeyPEM...)), is: certs.ErrSeveralBlocks},
		"asterisk before":      {crt: g.put("star", append([]byte("* a comment\n"), g.id.CertificatePEM...)), says: []string{"star: a `*` at byte 0 (line 1) would end the transfer there"}},
		"asterisk behind":      {root: g.put("star.root", append(g.read("root.pem"), "\nCN=*.azure-devices.net\n"...)), says: []string{"`*` at byte"}},
		"asterisk in a key":    {key: g.put("star.key", append([]byte("Key: *\n"), g.id.KeyPEM...)), says: []string{"`*` at byte 5"}},
		"root is no CA":        {root: g.path("leaf.pem"), says: []string{"leaf.pem", "no certificate authority"}},
		"bundle with a leaf":   {root: g.put("bundle.bad", append(g.read("root.pem"), g.read("leaf.pem")...)), says: []string{"no certificate authority"}},
		"bundle with a key":    {root: g.put("bundle.key", append(g.read("root.pem"), g.id.KeyPEM...)), says: []string{"private key in the root's place"}},
		"bundle cut short":     {root: g.put("bundle.cut", append(g.read("root.pem"), g.read("root.pem")[:300]...)), is: certs.ErrDamagedPEM},
		"expired certificate":  {crt: g.put("old.crt", old.CertificatePEM), key: g.put("old.key", old.KeyPEM), says: []string{"old.crt: expired on " + old.Certificate.NotAfter.Format(time.DateOnly)}},
		"certificate too new":  {crt: g.put("new.crt", early.CertificatePEM), key: g.put("new.key", early.KeyPEM), says: []string{"new.crt: not valid before"}},
		"expired in a bundle":  {root: g.put("bundle.old", slices.Concat(g.read("root.pem"), old.CertificatePEM)), says: []string{`certificate 2 of 2, line ` + fmt.Sprint(1+bytes.Count(g.read("root.pem"), []byte("\n"))) + `, "CN=a": expired on`}},
		"damaged in a bundle":  {root: g.put("bundle.bad2", slices.Concat(g.read("root.pem"), pemOf("CERTIFICATE", []byte("hello")))), says: []string{"certificate 2 of 2, line "}},
		"expired root":         {root: g.path("old.crt"), says: []string{"slot 10", "expired on"}},
	} {
		t.Run(name, func(t *testing.T) {
			or := func(path, good string) string {
				if path == "" {
					return good
				}
				return path
			}
			_, err := certs.CheckFiles(or(c.root, g.root), or(c.crt, g.crt), or(c.key, g.key))
			if err == nil || record.ClassOf(err) != record.Usage || c.is != nil && !errors.Is(err, c.is) {
				t.Fatalf("error %v", err)
			}
			text := err.Error()
			for _, w := range c.says {
				if !strings.Contains(text, w) {
					t.Errorf("%q does not say %q", text, w)
				}
			}
			if strings.ContainsAny(text, "\r\n") || len(text) > 700 {
				t.Errorf("not one line: %q", text)
			}
			if holdsKeyText(text, g.id.KeyPEM) {
				t.Errorf("key text in %q", text)
			}
		})
	}
}

func TestCheckFilesUnreadable(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root reads everything")
	}
	g := newGiven(t)
	if err := os.Chmod(g.key, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := certs.CheckFiles(g.root, g.crt, g.key); !errors.Is(err, fs.ErrPermission) || record.ClassOf(err) != record.Usage {
		t.Errorf("error %v", err)
	}
}

// What works on a device is let through; what may not be meant is said.
func TestCheckFilesTakes(t *testing.T) {
	g := newGiven(t)
	crlf := func(name string, data []byte) string {
		return g.put(name, bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n")))
	}
	for name, c := range map[string]struct {
		root, crt, key string
		warns          string // empty: no warning
	}{
		"as made":               {g.root, g.crt, g.key, ""},
		"CRLF line ends":        {crlf("r.crlf", g.read("root.pem")), crlf("c.crlf", g.id.CertificatePEM), crlf("k.crlf", g.id.KeyPEM), ""},
		"no final newline":      {g.root, g.put("c.end", bytes.TrimSpace(g.id.CertificatePEM)), g.put("k.end", bytes.TrimSpace(g.id.KeyPEM)), ""},
		"PKCS#1 key":            {g.root, g.put("o.crt", g.other.CertificatePEM), g.put("o.key", g.other.KeyPEM), ""},
		"text around":           {g.root, g.put("text.crt", append([]byte("subject=CN = a\n"), g.id.CertificatePEM...)), g.key, "text.crt: text outside"},
		"a bundle of roots":     {g.put("bundle", append(g.read("root.pem"), g.id.CertificatePEM...)), g.crt, g.key, "bundle: 2 certificates"},
		"an intermediate":       {g.path("intermediate.pem"), g.crt, g.key, "intermediate.pem: not self-signed"},
		"long lines":            {g.root, g.put("wide.crt", wide(g.id.CertificatePEM)), g.key, "wide.crt: line 2"},
		"its own root, guide's": {g.crt, g.crt, g.key, "device.crt: the same certificate as "},
	} {
		t.Run(name, func(t *testing.T) {
			files, err := certs.CheckFiles(c.root, c.crt, c.key)
			if err != nil {
				t.Fatal(err)
			}
			want, _ := os.ReadFile(c.root)
			if !bytes.Equal(files.RootPEM, want) || files.Root == nil || files.Identity == nil {
				t.Error("the files are not handed on as they are")
			}
			got := strings.Join(files.Warnings, "; ")
			if (c.warns == "") != (got == "") || !strings.Contains(got, c.warns) {
				t.Errorf("warnings %q, expected %q", got, c.warns)
			}
			if strings.Contains(filepath.ToSlash(got), "\n") {
				t.Errorf("not a line each: %q", got)
			}
		})
	}
}

// wide joins the first two lines of a body, as editors do.
func wide(text []byte) []byte {
	lines := strings.SplitN(string(text), "\n", 4)
	return []byte(lines[0] + "\n" + lines[1] + lines[2] + "\n" + lines[3])
}
