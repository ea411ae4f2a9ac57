package broker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"hilrig/record"
)

// dialWithin bounds everything up to a CONNACK.
const dialWithin = 10 * time.Second

// wire is the connection to the broker. It knows when the broker was last heard
// of, and why it was no more.
type wire struct {
	*tls.Conn
	heard atomic.Int64 // UnixNano of the last byte

	mu    sync.Mutex
	first []byte // of what came
	err   error  // of reading
}

// mostBegun are so many bytes of what came first, to tell another protocol by.
const mostBegun = 12

func (w *wire) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	if n > 0 {
		w.heard.Store(time.Now().UnixNano())
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if more := min(n, mostBegun-len(w.first)); more > 0 {
		w.first = append(w.first, b[:more]...)
	}
	if err != nil && w.err == nil && !errors.Is(err, net.ErrClosed) {
		w.err = err
	}
	return n, err
}

// began are the first bytes that came.
func (w *wire) began() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.first)
}

// lastHeard is when the broker last said anything.
func (w *wire) lastHeard() time.Time { return time.Unix(0, w.heard.Load()) }

// broken is why nothing can be read any more.
func (w *wire) broken() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// alerted reports whether the broker ended TLS by an alert: in TLS 1.3 that is
// how it says no to a client certificate, once the handshake is over.
func (w *wire) alerted() bool {
	var op *net.OpError
	return errors.As(w.broken(), &op) && op.Op == "remote error"
}

// dial opens TLS as whoever has this certificate, or has none. The broker's
// chain is verified as a device verifies it.
func (c Config) dial(ctx context.Context, own *tls.Certificate) (*wire, error) {
	root, err := c.root()
	if err != nil {
		return nil, err
	}
	raw, err := c.reach(ctx)
	if err != nil {
		return nil, err
	}
	host, _, err := net.SplitHostPort(c.Address)
	if err != nil {
		_ = raw.Close()
		return nil, record.NewFailure(record.Usage, "read address of", c.Address, err)
	}
	var verdict error
	conn := tls.Client(raw, &tls.Config{
		ServerName: host, MinVersion: tls.VersionTLS12,
		InsecureSkipVerify: true, // verified below, so that the error says what is wrong
		VerifyConnection: func(s tls.ConnectionState) error {
			verdict = checkChain(s.PeerCertificates, root, host, time.Now())
			return verdict
		},
		// Whatever authorities the broker names: a device's certificate has none.
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			if own == nil {
				return &tls.Certificate{}, nil
			}
			return own, nil
		},
	})
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		if verdict != nil {
			return nil, verdict
		}
		return nil, c.handshakeFailure(inTime(ctx, err))
	}
	w := &wire{Conn: conn}
	w.heard.Store(time.Now().UnixNano())
	return w, nil
}

// reach opens TCP.
func (c Config) reach(ctx context.Context) (net.Conn, error) {
	raw, err := (&net.Dialer{Timeout: dialWithin}).DialContext(ctx, "tcp", c.reached())
	if err == nil {
		return raw, nil
	}
	f := record.NewFailure(record.RigHub, "reach broker", c.reached(), record.WithoutAddress(err))
	var unresolved *net.DNSError
	if errors.As(err, &unresolved) {
		return nil, f.WithCure("add the name to the lab's DNS or to /etc/hosts, or mend url")
	}
	return nil, f.WithCure("does the broker run, does it listen at this port, is a firewall between?")
}

func (c Config) handshakeFailure(err error) error {
	f := record.NewFailure(record.RigHub, "open TLS to", c.reached(), record.WithoutAddress(err))
	var noTLS tls.RecordHeaderError
	var op *net.OpError
	switch {
	case errors.As(err, &noTLS):
		return f.WithCure("this port speaks no TLS: the broker's TLS listener is another port, usually 8883")
	case errors.Is(err, io.EOF), ctxEnded(err):
		return f.WithCure("the port is open and begins no TLS: is it the broker's listener without TLS (usually 1883), is it another service's, is a firewall between? openssl s_client -connect " + c.reached() + " shows it")
	case errors.As(err, &op) && op.Op == "remote error":
		return f.WithCure(refusedCertificate)
	}
	return f.WithCure("openssl s_client -connect " + c.reached() + " shows where it ends")
}

const refusedCertificate = "the broker does not take the certificate of who connects, or wants one and got none: is its issuer in the broker's cafile, has it expired?"

// presented is the chain that a connection has shown, DER, leaf first.
func presented(chain []*x509.Certificate) (der [][]byte) {
	for _, c := range chain {
		der = append(der, c.Raw)
	}
	return der
}
