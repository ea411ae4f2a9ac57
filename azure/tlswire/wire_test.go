package tlswire

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"os/exec"
	"sync"
	"testing"
	"time"

	"hilrig/peers"
)

// segment is a run of bytes of one direction.
type segment struct {
	fromClient bool
	b          []byte
}

// tee is a server's connection that keeps what passes, in order, and shows it
// to an Observer before the other side can react.
type tee struct {
	net.Conn
	o  *Observer
	mu sync.Mutex

	segments []segment
}

func (t *tee) Read(b []byte) (int, error) {
	n, err := t.Conn.Read(b)
	t.take(true, b[:n])
	return n, err
}

func (t *tee) Write(b []byte) (int, error) {
	t.take(false, b)
	return t.Conn.Write(b)
}

func (t *tee) take(fromClient bool, b []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.segments = append(t.segments, segment{fromClient, append([]byte(nil), b...)})
	if fromClient {
		t.o.FromClient(b)
	} else {
		t.o.FromServer(b)
	}
}

// certificate makes a server certificate nobody trusts.
func certificate(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "hub.test"}, DNSNames: []string{"hub.test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// outcome is one handshake as the Observer and as the server saw it.
type outcome struct {
	*Observer
	info     *tls.ClientHelloInfo
	segments []segment
	err      error // of the server's handshake
}

// serve accepts one connection, shakes hands, reads until the client is gone.
func serve(t testing.TB, config *tls.Config, dial func(addr string)) outcome {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	done := make(chan outcome, 1)
	go func() {
		conn, err := ln.Accept()
		if err != nil {
			done <- outcome{err: err}
			return
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		out := outcome{Observer: NewObserver(nil)}
		w := &tee{Conn: conn, o: out.Observer}
		config := config.Clone()
		config.GetConfigForClient = func(i *tls.ClientHelloInfo) (*tls.Config, error) {
			out.info = i
			return nil, nil
		}
		server := tls.Server(w, config)
		if out.err = server.Handshake(); out.err == nil {
			buf := make([]byte, 100)
			for {
				if _, err := server.Read(buf); err != nil {
					break
				}
			}
		}
		out.segments = w.segments
		done <- out
	}()
	dial(ln.Addr().String())
	select {
	case out := <-done:
		return out
	case <-time.After(15 * time.Second):
		t.Fatal("no end of the handshake")
		return outcome{}
	}
}

// goClient shakes hands, says a word and leaves.
func goClient(config *tls.Config) func(string) {
	return func(addr string) {
		conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", addr, config)
		if err != nil {
			return
		}
		conn.Write([]byte("hello"))
		conn.Close()
	}
}

// openssl runs s_client with more arguments.
func openssl(t *testing.T, more ...string) func(string) {
	t.Helper()
	path := peers.Find(t, "openssl")
	return func(addr string) {
		cmd := exec.CommandContext(t.Context(), path, append([]string{"s_client", "-connect", addr}, more...)...)
		out, _ := cmd.CombinedOutput() // stdin is /dev/null: it leaves at once
		t.Logf("openssl %v: %d bytes of output", more, len(out))
	}
}
