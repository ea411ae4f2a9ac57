package certs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hilrig/certs"
	"hilrig/peers"
	"hilrig/record"
)

// tool runs a command line in a folder, as a person would, and types answers.
func tool(t *testing.T, dir, line, answers string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Dir, cmd.Stdin, cmd.SysProcAttr = dir, strings.NewReader(answers), withoutTerminal()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
}

// needs skips a test whose program is not here; in CI every peer must be.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil && p == "keytool" { // a Java for one row is not asked of a CI machine
			t.Skip("peer not installed:", p)
		}
		peers.Find(t, p)
	}
}

// Every kind of file that people have in place of PEM, made by the tool that
// makes it: what is said, and that the cure, typed as it stands, cures.
func TestTheCureCures(t *testing.T) {
	needs(t, "openssl", "ssh-keygen", "iconv")
	g := newGiven(t)
	setUp := []string{
		"openssl req -x509 -nodes -sha256 -days 365 -newkey rsa:2048 -subj /CN=NewDevice -keyout d.key -out d.pem 2>&1",
		"openssl pkcs8 -topk8 -nocrypt -in d.key -out d.p8",
	}
	for _, line := range setUp {
		tool(t, g.dir, line, "")
	}
	for _, c := range []struct {
		name  string
		needs string
		make  string // of d.pem or d.key, into f
		place string // root, certificate or key
		says  string
		types string // answers to what the cure asks
	}{
		{"UTF-16 of PowerShell", "", `(printf '\377\376'; iconv -f UTF-8 -t UTF-16LE d.pem) > f`, "certificate", "UTF-16", ""},
		{"UTF-16 of PowerShell, a key", "", `(printf '\377\376'; sed 's/$/\r/' d.key | iconv -f UTF-8 -t UTF-16LE) > f`, "key", "UTF-16", ""},
		{"UTF-16 of PowerShell, a root", "", `(printf '\377\376'; sed 's/$/\r/' d.pem | iconv -f UTF-8 -t UTF-16LE) > f`, "root", "UTF-16", ""},
		{"UTF-16, high bytes first", "", `(printf '\376\377'; iconv -f UTF-8 -t UTF-16BE d.pem) > f`, "certificate", "UTF-16", ""},
		{"UTF-16 without a mark", "", `iconv -f UTF-8 -t UTF-16LE d.pem > f`, "root", "UTF-16", ""},
		{"UTF-8 with a mark", "", `(printf '\357\273\277'; cat d.pem) > f`, "certificate", "byte order mark", ""},
		{"DER", "", "openssl x509 -in d.pem -outform DER -out f", "certificate", "a certificate in DER", ""},
		{"DER, a root", "", "openssl x509 -in d.pem -outform DER -out f", "root", "a certificate in DER", ""},
		{"DER, PKCS#8", "", "openssl pkcs8 -topk8 -nocrypt -in d.key -outform DER -out f", "key", "a private key in DER", ""},
		{"DER, PKCS#1", "", "openssl rsa -traditional -in d.key -outform DER -out f 2>&1", "key", "a private key in DER", ""},
		{"DER, encrypted", "", "openssl pkcs8 -topk8 -passout pass:secret -in d.key -outform DER -out f", "key", "an encrypted private key in DER", "secret\n"},
		{"encrypted", "", "openssl pkcs8 -topk8 -passout pass:secret -in d.key -out f", "key", "encrypted", "secret\n"},
		{"encrypted, PKCS#1", "", "openssl rsa -traditional -aes128 -passout pass:secret -in d.key -out f 2>&1", "key", "encrypted", "secret\n"},
		{"PKCS#12", "", "openssl pkcs12 -export -passout pass:secret -in d.pem -inkey d.key -out f", "certificate", "a PKCS#12 archive", "secret\n"},
		{"PKCS#12, its key", "", "openssl pkcs12 -export -passout pass:secret -in d.pem -inkey d.key -out f", "key", "a PKCS#12 archive", "secret\n"},
		{"PKCS#12 of keytool", "keytool", "openssl pkcs12 -export -passout pass:secret -in d.pem -inkey d.key -name x -out i && keytool -importkeystore -srckeystore i -srcstorepass secret -destkeystore f -deststoretype PKCS12 -deststorepass secret 2>&1", "certificate", "a PKCS#12 archive", "secret\n"},
		{"PKCS#7", "", "openssl crl2pkcs7 -nocrl -certfile d.pem -out f", "certificate", "a PKCS#7 bundle", ""},
		{"PKCS#7 in DER", "", "openssl crl2pkcs7 -nocrl -certfile d.pem -outform DER -out f", "root", "a PKCS#7 bundle (.p7b) in DER", ""},
		{"OpenSSH", "", "cp d.key f && chmod 600 f && ssh-keygen -q -p -N '' -f f", "key", "a private key of OpenSSH", ""},
		{"a trusted certificate", "", "openssl x509 -in d.pem -trustout -addtrust serverAuth -out f", "root", "a TRUSTED CERTIFICATE", ""},
		{"line breaks to blanks", "", "tr '\\n' ' ' < d.pem > f", "certificate", "line breaks were lost", ""},
		{"line breaks gone", "", "tr -d '\\n' < d.key > f", "key", "line breaks were lost", ""},
		{"line breaks as in JSON", "", `(printf '"'; awk '{printf "%s\\n", $0}' d.key; printf '"') > f`, "key", "line breaks were lost", ""},
		{"line breaks of an old Mac", "", "tr '\\n' '\\r' < d.pem > f", "certificate", "line breaks were lost", ""},
		{"indented, as in YAML", "", "sed 's/^/    /' d.pem > f", "root", "line breaks were lost", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.needs != "" {
				needs(t, c.needs)
			}
			dir := filepath.Join(g.dir, "it's "+strings.ReplaceAll(c.name, "/", "-")) // a name that a shell would take apart
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			tool(t, dir, "cp ../d.pem ../d.key .", "")
			tool(t, dir, c.make, "secret\nsecret\n")
			file := filepath.Join(dir, "f")
			check := func(f string) error {
				root, crt, key := g.root, filepath.Join(dir, "d.pem"), filepath.Join(dir, "d.key")
				switch c.place {
				case "root":
					root, crt, key = f, g.crt, g.key
				case "certificate":
					crt = f
				case "key":
					key = f
				}
				_, err := certs.CheckFiles(root, crt, key)
				return err
			}
			err := check(file)
			var fail *record.Failure
			if !errors.As(err, &fail) || fail.Class != record.Usage || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("says %v, want %q", err, c.says)
			}
			if strings.Contains(err.Error(), "damaged") && !strings.Contains(c.says, "line breaks") {
				t.Errorf("it is not damaged: %v", err)
			}
			tool(t, dir, fail.Cure, c.types)
			made := file + ".pem"
			if c.place == "key" {
				made = file + ".key"
			}
			if err := check(made); err != nil {
				t.Errorf("%s\nleaves %v", fail.Cure, err)
			}
			if st, err := os.Stat(made); c.place == "key" && err == nil && st.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s\nleaves a key that others can read: %s", fail.Cure, st.Mode())
			}
			if before, err := os.ReadFile(file); err != nil || len(before) == 0 {
				t.Errorf("the file itself was touched: %v", err)
			}
		})
	}
}

// A key of another kind than the device's is converted all the same; whether
// the device takes it is another question.
func TestECParametersFirst(t *testing.T) {
	needs(t, "openssl")
	f := newFolder(t)
	tool(t, f.dir, "openssl ecparam -name prime256v1 -genkey -out ec.key && openssl req -x509 -days 30 -key ec.key -subj /CN=a -out ec.pem", "")
	g := newGiven(t)
	_, err := certs.CheckFiles(g.root, f.path("ec.pem"), f.path("ec.key"))
	var fail *record.Failure
	if !errors.As(err, &fail) || !strings.Contains(err.Error(), "EC PARAMETERS before the private key") {
		t.Fatal(err)
	}
	tool(t, f.dir, fail.Cure, "")
	if _, err := certs.CheckFiles(g.root, f.path("ec.pem"), f.path("ec.key.key")); err != nil {
		t.Error(err)
	}
}

// Where no command helps, what helps is said in words.
func TestWhatNoCommandCures(t *testing.T) {
	needs(t, "openssl", "ssh-keygen")
	g := newGiven(t)
	tool(t, g.dir, "ssh-keygen -q -t ed25519 -N '' -f ed && ssh-keygen -q -t rsa -b 2048 -N '' -f rsa && openssl req -new -newkey rsa:2048 -nodes -subj /CN=a -keyout r.key -out r.csr 2>&1 && openssl req -in r.csr -outform DER -out r.der", "")
	for _, c := range []struct {
		name, place, file string
		says              []string
	}{
		{"empty", "certificate", g.put("empty", nil), []string{"the file is empty", "copy it once more"}},
		{"blank", "key", g.put("blank", []byte("\r\n\n")), []string{"the file is empty"}},
		{"a login page", "root", g.put("root.crt", []byte("\n<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>\n")), []string{"a web page", "curl -fL"}},
		{"an error of a store", "root", g.put("error.xml", []byte("\xef\xbb\xbf<?xml version=\"1.0\"?><Error><Code>BlobNotFound</Code></Error>")), []string{"a web page"}},
		{"a request", "certificate", g.path("r.csr"), []string{"REQUEST", "the certificate that the authority made of it"}},
		{"a request in DER", "certificate", g.path("r.der"), []string{"a certificate request in DER", "the authority made"}},
		{"a public key of OpenSSH", "certificate", g.path("rsa.pub"), []string{"a public key of OpenSSH", "give a certificate"}},
		{"an Ed25519 key of OpenSSH", "key", g.path("ed"), []string{"OpenSSH of kind ssh-ed25519", "RSA 2048"}},
		{"a zip", "certificate", g.put("z", []byte("PK\x03\x04rest")), []string{"a zip archive", "unzip"}},
	} {
		files := map[string]string{"root": g.root, "certificate": g.crt, "key": g.key}
		files[c.place] = c.file
		_, err := certs.CheckFiles(files["root"], files["certificate"], files["key"])
		for _, says := range c.says {
			if record.ClassOf(err) != record.Usage || !strings.Contains(fmt.Sprint(err), says) {
				t.Errorf("%s: %v does not say %q", c.name, err, says)
			}
		}
	}
}

// What is whole and of a kind that the library does not know is not called
// damaged: openssl reads it.
func TestWhatTheLibraryCannotReadIsNotCalledDamaged(t *testing.T) {
	needs(t, "openssl")
	g := newGiven(t)
	for _, curve := range []string{"secp256k1", "brainpoolP256r1"} {
		tool(t, g.dir, "openssl req -x509 -days 30 -newkey ec -pkeyopt ec_paramgen_curve:"+curve+" -nodes -subj /CN=a -keyout "+curve+".key -out "+curve+".pem 2>&1", "")
		for _, c := range [][2]string{{g.path(curve + ".pem"), g.key}, {g.crt, g.path(curve + ".key")}} {
			_, err := certs.CheckFiles(g.root, c[0], c[1])
			if !errors.Is(err, certs.ErrUnreadable) || errors.Is(err, certs.ErrDamagedPEM) || strings.Contains(err.Error(), "damaged") {
				t.Errorf("%s: %v", curve, err)
			}
		}
	}
	cut := pemOf("CERTIFICATE", g.id.Certificate.Raw[:len(g.id.Certificate.Raw)-3])
	if _, err := certs.ParseCertificate(cut); !errors.Is(err, certs.ErrDamagedPEM) {
		t.Errorf("one without its last bytes: %v", err)
	}
}

// A certificate whose serial number is negative, as old scripts made them, is
// taken, and told of.
func TestANegativeSerialIsTakenWithAWarning(t *testing.T) {
	needs(t, "openssl")
	g := newGiven(t)
	tool(t, g.dir, "openssl req -x509 -nodes -days 30 -newkey rsa:2048 -subj /CN=NewDevice -set_serial -7 -keyout n.key -out n.pem 2>&1", "")
	files, err := certs.CheckFiles(g.root, g.path("n.pem"), g.path("n.key"))
	if err != nil || !strings.Contains(strings.Join(files.Warnings, ""), "n.pem: its serial number is negative") {
		t.Errorf("%v, warnings %q", err, files.Warnings)
	}
	if files.Identity != nil && !bytes.Contains([]byte(fmt.Sprint(certs.DescribeCertificate(files.Identity.Certificate))), []byte("-7")) {
		t.Error("its serial is not shown")
	}
}

func FuzzCure(f *testing.F) {
	f.Add([]byte("\xff\xfe-\x00"), "it's")
	f.Add([]byte("-----BEGIN PRIVATE KEY----- MAAA -----END PRIVATE KEY-----"), "-f")
	f.Add([]byte("0\x82"), "f")
	f.Fuzz(func(t *testing.T, data []byte, path string) {
		if _, err := certs.ParseCertificate(data); err != nil {
			certs.Cure(err, certs.KindCertificate, path)
		}
		if _, err := certs.ParseKey(data); err != nil {
			certs.Cure(err, certs.KindKey, path)
		}
	})
}
