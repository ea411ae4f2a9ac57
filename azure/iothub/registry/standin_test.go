package registry_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hilrig/azure/iothub/access"
	"hilrig/azure/iothub/registry"
	"hilrig/azure/localhub"
	"hilrig/azure/localhub/registryapi"
)

const hostName = "rig.azure-devices.net"

var printA, printB = strings.Repeat("A", 40), strings.Repeat("B", 40)

// someCertificate is for a hub that does not listen.
var someCertificate = tls.Certificate{Certificate: [][]byte{{0}}}

// authority signs certificates of servers.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, name string) authority {
	t.Helper()
	a := authority{}
	a.certificate, a.key = sign(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}, authority{})
	return a
}

func (a authority) roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}

// server is a certificate for a host name, and perhaps another time.
func (a authority) server(t *testing.T, host string, until time.Time) tls.Certificate {
	t.Helper()
	leaf, key := sign(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: host}, DNSNames: []string{host}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: until,
	}, a)
	return tls.Certificate{Certificate: [][]byte{leaf.Raw, a.certificate.Raw}, PrivateKey: key}
}

func (a authority) tls(t *testing.T, host string, until time.Time) *tls.Config {
	t.Helper()
	return &tls.Config{Certificates: []tls.Certificate{a.server(t, host, until)}}
}

func sign(t *testing.T, template *x509.Certificate, by authority) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if by.key == nil {
		by = authority{template, key}
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	der, err := x509.CreateCertificate(rand.Reader, template, by.certificate, key.Public(), by.key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c, key
}

// local is the local hub's registry over TLS, under the name of a hub of
// Azure's, and a client of it.
type local struct {
	*registry.Client
	hub        *localhub.Hub
	connection access.Connection
}

func startLocal(t *testing.T, change ...func(*registryapi.Config)) local {
	t.Helper()
	ca := newAuthority(t, "a root")
	l := local{}
	var err error
	check := func() {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	l.hub, err = localhub.New(localhub.Config{Host: hostName, Certificate: someCertificate})
	check()
	dir := t.TempDir()
	key, err := registryapi.OpenKey(t.Context(), filepath.Join(dir, "key"))
	check()
	c := registryapi.Config{Host: hostName, Hub: l.hub, Key: key, Certificate: ca.server(t, hostName, time.Now().Add(time.Hour))}
	for _, f := range change {
		f(&c)
	}
	s := registryapi.New(c)
	at, err := s.Listen(t.Context(), "127.0.0.1:0")
	check()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := errors.Join(s.Close(ctx), l.hub.Close(ctx)); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	path, err := key.WriteConnectionString(dir, hostName, &net.TCPAddr{Port: 443})
	check()
	text, err := os.ReadFile(path)
	check()
	l.connection, err = access.ParseConnectionString(string(text))
	check()
	l.Client = registry.New(access.ByKey(l.connection), registry.Options{Network: access.Network{Endpoint: at.String(), Roots: ca.roots()}, Pause: time.Millisecond})
	t.Cleanup(l.Close)
	return l
}

// someConnection is one of no hub.
func someConnection(t *testing.T) access.Connection {
	t.Helper()
	c, err := access.ParseConnectionString("HostName=" + hostName + ";SharedAccessKeyName=registryReadWrite;SharedAccessKey=" + keyText)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// keyText is a key of no hub.
var keyText = base64.StdEncoding.EncodeToString([]byte("hilrig: a key of no hub, 32 bytes"))

// serve is a server over TLS with the hub's name; where it listens.
func serve(t *testing.T, ca authority, until time.Time, h http.Handler) string {
	t.Helper()
	return serveAs(t, ca, hostName, until, h)
}

func serveAs(t *testing.T, ca authority, name string, until time.Time, h http.Handler) string {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.TLS = ca.tls(t, name, until)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug) // clients that go away are what is tried
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}
