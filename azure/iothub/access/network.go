package access

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"
	"time"
)

// Causes on the way to a hub, below its protocol. Errors of [Explain] wrap one.
var (
	ErrName      = errors.New("the name does not resolve")
	ErrRefused   = errors.New("nothing listens there")
	ErrNoWay     = errors.New("there is no way there")
	ErrSilent    = errors.New("no answer in time")
	ErrUntrusted = errors.New("the certificate is not trusted")
	ErrClock     = errors.New("the certificate is outside its time by this machine's clock")
	ErrProxy     = errors.New("something stands in between")
	ErrCut       = errors.New("the connection was cut")
)

// Network is the way to a hub. Its zero value is that of the machine.
type Network struct {
	Endpoint string                                // HOST:PORT to dial in the hub's place; the certificate still is to name the hub
	Roots    *x509.CertPool                        `json:"-"` // nil: the system's
	Proxy    func(*http.Request) (*url.URL, error) `json:"-"` // nil: that of the environment (HTTPS_PROXY, NO_PROXY)
}

const (
	dialWithin      = 5 * time.Second
	handshakeWithin = 5 * time.Second
	idleWithin      = 60 * time.Second
)

// TLS is the TLS configuration of a client of the hub. The system's roots are
// read here: a busy host takes seconds for it, which within a handshake would be
// the hub's silence.
func (n Network) TLS(hostName string) *tls.Config {
	if n.Roots == nil {
		_, _ = x509.SystemCertPool() // read once; that there are none is told where they are missed
	}
	c := &tls.Config{RootCAs: n.Roots, MinVersion: tls.VersionTLS12}
	if n.Endpoint != "" {
		c.ServerName = hostName
	}
	return c
}

// Transport is HTTPS on this way. A proxy that refuses is told from a hub that
// does.
func (n Network) Transport(hostName string) *http.Transport {
	proxy := n.Proxy
	if proxy == nil {
		proxy = http.ProxyFromEnvironment
	}
	return &http.Transport{
		Proxy:                  proxy,
		DialContext:            (&net.Dialer{Timeout: dialWithin}).DialContext,
		TLSClientConfig:        n.TLS(hostName),
		TLSHandshakeTimeout:    handshakeWithin,
		IdleConnTimeout:        idleWithin,
		MaxResponseHeaderBytes: 64 << 10,
		OnProxyConnectResponse: func(_ context.Context, at *url.URL, _ *http.Request, answer *http.Response) error {
			if answer.StatusCode == http.StatusOK {
				return nil
			}
			return &refusedByProxy{at.Host, answer.StatusCode}
		},
	}
}

// refusedByProxy is a proxy's answer to CONNECT.
type refusedByProxy struct {
	host   string // and port; not who signs in there
	status int
}

func (e *refusedByProxy) Error() string {
	return fmt.Sprintf("the proxy %s answers %d %s", e.host, e.status, http.StatusText(e.status))
}

// Explain names the cause of an error, and what to do about it. The cause is nil
// where it is none of the network's.
func Explain(hostName string, err error) (cure string, cause error) {
	cure, class := networkCause(hostName, err)
	if class == nil {
		return "", nil
	}
	return cure, fmt.Errorf("%w: %w", class, err)
}

func networkCause(hostName string, err error) (cure string, class error) {
	var (
		proxy   *refusedByProxy
		op      *net.OpError
		dns     *net.DNSError
		unknown x509.UnknownAuthorityError
		name    x509.HostnameError
		invalid x509.CertificateInvalidError
		record  tls.RecordHeaderError
		timeout net.Error
	)
	switch {
	case errors.As(err, &proxy):
		if proxy.status == http.StatusProxyAuthRequired {
			return "HTTPS_PROXY takes http://USER:PASSWORD@HOST:PORT; or NO_PROXY=" + hostName, ErrProxy
		}
		return "let the proxy pass " + hostName + ":443, or NO_PROXY=" + hostName, ErrProxy
	case errors.As(err, &op) && op.Op == "proxyconnect":
		return "the proxy of HTTPS_PROXY is not reached: is it right? NO_PROXY=" + hostName + " goes past it", ErrProxy
	case errors.As(err, &dns) && dns.IsNotFound:
		return "is the host name right (Azure portal, IoT Hub, Overview)? A hub with a private link resolves in its own network only", ErrName
	case errors.As(err, &dns):
		return "does this machine's name server answer? resolvectl query " + hostName, ErrName
	case errors.As(err, &unknown):
		return untrustedCure(err), ErrUntrusted
	case errors.As(err, &name):
		return "the certificate names somebody else: does DNS lead to the hub, or to something in between?", ErrUntrusted
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "is this machine's clock right (timedatectl)? It says " + time.Now().UTC().Format(time.RFC3339), ErrClock
	case errors.As(err, &invalid):
		return untrustedCure(err), ErrUntrusted
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return "what answers there speaks no TLS: a proxy or a captive portal?", ErrProxy
	case errors.Is(err, syscall.ECONNREFUSED):
		return "is the port open on the way out? A firewall may refuse it for the hub", ErrRefused
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "has this machine a network?", ErrNoWay
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, net.ErrClosed), isEnd(err):
		return "a firewall that cuts what it does not know? Try again", ErrCut
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "a firewall that drops what it does not know? Is the port open on the way out?", ErrSilent
	}
	return "", nil
}

// untrustedCure names who signed: that tells a missing root from somebody who
// opens TLS.
func untrustedCure(err error) string {
	var failed *tls.CertificateVerificationError
	if !errors.As(err, &failed) || len(failed.UnverifiedCertificates) == 0 {
		return "are the system's roots there (ca-certificates)?"
	}
	last := failed.UnverifiedCertificates[len(failed.UnverifiedCertificates)-1]
	return fmt.Sprintf("its chain ends at %q: Azure's ends at DigiCert Global Root G2 or Microsoft RSA Root CA 2017, which must be among the system's roots; another one is a proxy that opens TLS", last.Issuer.String())
}

func isEnd(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
