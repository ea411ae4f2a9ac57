package broker_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"hilrig/peers"
)

// issued is a certificate with its key.
type issued struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// issue makes a certificate; without a signer it signs itself.
func issue(t *testing.T, name string, by *issued, change ...func(*x509.Certificate)) *issued {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		BasicConstraintsValid: true, IsCA: by == nil,
	}
	if by != nil {
		template.DNSNames = []string{name}
	} else { // as openssl req -x509 does: OpenSSL tells certificates of one name apart by it
		template.SubjectKeyId = template.SerialNumber.Bytes()
		template.AuthorityKeyId = template.SubjectKeyId
	}
	for _, f := range change {
		f(template)
	}
	signer := &issued{template, key}
	if by != nil {
		signer = by
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer.cert, &key.PublicKey, signer.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &issued{cert, key}
}

func (i *issued) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.cert.Raw})
}

func (i *issued) keyPEM(t *testing.T) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(i.key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func (i *issued) tls() *tls.Certificate {
	return &tls.Certificate{Certificate: [][]byte{i.cert.Raw}, PrivateKey: i.key, Leaf: i.cert}
}

func write(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// mosquitto is a real one, with a root of its own and a certificate for
// localhost.
type mosquitto struct {
	t       *testing.T
	dir     string
	address string
	root    *issued
	conf    string
	process *exec.Cmd
}

// startMosquitto starts one with these lines in its configuration; "%[1]s" in
// them is its folder. Files are written there first.
func startMosquitto(t *testing.T, lines string, files map[string][]byte) *mosquitto {
	t.Helper()
	peers.Find(t, "mosquitto")
	m := &mosquitto{t: t, dir: t.TempDir(), root: issue(t, "root of the broker", nil)}
	server := issue(t, "localhost", m.root)
	write(t, m.dir, "server.crt", server.pem())
	write(t, m.dir, "server.key", server.keyPEM(t))
	for name, data := range files {
		write(t, m.dir, name, data)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(free.Addr().String())
	free.Close()
	m.address = net.JoinHostPort("localhost", port)
	text := fmt.Sprintf("user root\nlistener %s 127.0.0.1\ncertfile %s/server.crt\nkeyfile %s/server.key\npersistence false\n%s\n", port, m.dir, m.dir, fmt.Sprintf(lines+"%[2]s", m.dir, ""))
	m.conf = write(t, m.dir, "mosquitto.conf", []byte(text))
	m.start()
	t.Cleanup(m.kill)
	return m
}

func (m *mosquitto) start() {
	m.t.Helper()
	m.process = exec.Command(peers.Find(m.t, "mosquitto"), "-c", m.conf)
	log, err := os.OpenFile(filepath.Join(m.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		m.t.Fatal(err)
	}
	defer log.Close()
	m.process.Stdout, m.process.Stderr = log, log
	if err := m.process.Start(); err != nil {
		m.t.Fatal(err)
	}
	m.awaitPort()
}

func (m *mosquitto) awaitPort() {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), 30*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		if conn, err := net.Dial("tcp", m.address); err == nil {
			conn.Close()
			return
		}
		time.Sleep(10 * time.Millisecond) // it says nothing when it listens
	}
	m.t.Fatalf("mosquitto does not listen:\n%s", m.log())
}

func (m *mosquitto) log() []byte {
	text, _ := os.ReadFile(filepath.Join(m.dir, "log"))
	return text
}

func (m *mosquitto) kill() {
	_ = m.process.Process.Kill() // it may have ended by itself
	_ = m.process.Wait()
}

// passwords is a password file for one user, as mosquitto_passwd writes it.
func passwords(t *testing.T, user, password string) []byte {
	t.Helper()
	path := write(t, t.TempDir(), "passwords", nil)
	if out, err := exec.Command(peers.Find(t, "mosquitto_passwd"), "-b", path, user, password).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// plain is a port that speaks, and no TLS.
func plain(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("220 mail.test ready\r\n")) // to whoever comes
			_, _ = conn.Read(make([]byte, 1))
			_ = conn.Close()
		}
	}()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return "localhost:" + port
}
