package localhub

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"hilrig/azure/hub"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"hilrig/azure/tlswire"
)

// suites are those of IoT Hub's four that Go has; it lacks
// ECDHE-RSA-AES256-CBC-SHA384. The CBC one is off by default in Go.
var suites = []uint16{
	tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
}

// handshake does TLS on a connection, by the hub's rules or by those of the
// faults it is shown. It never resumes: a resumed session hides certificates.
func (h *Hub) handshake(id int64, raw *rawConn, shown []*hub.Shows) (*tls.Conn, *hub.Handshake) {
	start, hs := time.Now(), &hub.Handshake{}
	config, wire := h.tls, net.Conn(raw)
	if slices.ContainsFunc(shown, func(s *hub.Shows) bool { return s.TLS() }) {
		config = h.tls.Clone()
	}
	met := sync.OnceFunc(func() { // the device has said hello: what it gets for an answer is shown to it
		for _, s := range shown {
			if s.TLS() {
				s.Met(id)
			}
		}
	})
	for _, s := range shown {
		if s.TLS() {
			wire = applyFault(s.Fault, config, wire, raw.o, met)
			config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
				met()
				return nil, nil
			}
			hs.Fault = s.Name
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), handshakeWithin)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Now()) })()
	t := tls.Server(wire, config)
	err := t.HandshakeContext(ctx)
	fill(hs, raw.o, config, t.ConnectionState(), err, time.Since(start))
	if hs.Hello != nil {
		met()
	}
	return t, hs
}

// tlsConfig is that of a hub without a fault.
func tlsConfig(server tls.Certificate) *tls.Config {
	return &tls.Config{
		Certificates:           []tls.Certificate{server},
		MinVersion:             tls.VersionTLS12,
		MaxVersion:             tls.VersionTLS12,
		CipherSuites:           suites,
		ClientAuth:             tls.RequestClientCert, // judged at CONNECT, as IoT Hub does
		SessionTicketsDisabled: true,
	}
}

func fill(hs *hub.Handshake, o *tlswire.Observer, config *tls.Config, st tls.ConnectionState, err error, took time.Duration) {
	hs.Observed(o)
	hs.OK, hs.Duration, hs.Resumed = err == nil, took, st.DidResume
	hs.Presented(st.PeerCertificates)
	if err != nil {
		hs.Err = explain(err, o, config)
	}
}

// explain says in a line why a handshake failed.
func explain(err error, o *tlswire.Observer, config *tls.Config) string {
	if g := o.Garbage(); len(g) > 0 && g[0].FromClient {
		return g[0].Text
	}
	text := err.Error()
	if why := refusalCause(o, config); why != "" {
		text = why
	}
	if errors.Is(err, context.DeadlineExceeded) {
		text = fmt.Sprintf("no end within %s", handshakeWithin)
	}
	if last := o.Messages(); len(last) > 0 {
		text += " (after " + last[len(last)-1].Name + ")"
	}
	return strings.TrimPrefix(text, "tls: ")
}
