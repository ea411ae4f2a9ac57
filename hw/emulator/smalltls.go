package emulator

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"
)

// smallTLS is a TLS 1.2 client for what Go's cannot be made to do: it says hello
// as it is told, and a fault can leave out its check of the signature with which
// the hub proves that its certificate is its own (RFC 5246 section 7.4.3). It
// has one suite, ECDHE-RSA-AES128-GCM-SHA256, and one group, P-256, whatever
// its hello offers.
type smallTLS struct {
	net.Conn  // under TLS
	config    *tls.Config
	hello     hello
	credulous bool // the hub need not prove that it has its key

	transcript     []byte // of the handshake messages, both ways
	pending        []byte // handshake bytes that are no whole message yet
	ready          []byte // what the hub sent, for Read
	in, out        *gcmHalf
	asked          bool // for a certificate
	serverRandom   []byte
	hubCertificate *x509.Certificate
	hubKey         *ecdh.PublicKey
}

func newSmallTLS(raw net.Conn, config *tls.Config, h hello, credulous bool) *smallTLS {
	h.serverName = config.ServerName
	if h.suites == nil {
		h.suites = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
	}
	_, _ = rand.Read(h.random[:]) // never fails
	return &smallTLS{Conn: raw, config: config, hello: h, credulous: credulous}
}

// Handshake message types (RFC 5246 section 7.4) that this client needs.
const (
	messageClientHello        = 1
	messageCertificate        = 11
	messageServerKeyExchange  = 12
	messageCertificateRequest = 13
	messageServerHelloDone    = 14
	messageCertificateVerify  = 15
	messageClientKeyExchange  = 16
	messageFinished           = 20
)

const (
	recordData        = 23
	version12         = 0x0303
	suiteCareless     = 0xc02f // ECDHE-RSA-AES128-GCM-SHA256
	groupP256         = 23
	schemeRSAPSS      = 0x0804
	schemeRSA         = 0x0401
	schemeECDSA       = 0x0403
	alertDecodeError  = 50
	alertDecryptError = 51
	mostInRecord      = 16 << 10
	verifyDataSize    = 12
	masterSecretBytes = 48
)

var errOutOfTurn = errors.New("unexpected message")

// HandshakeContext does the handshake, bounded by ctx.
func (c *smallTLS) HandshakeContext(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = c.Conn.SetDeadline(time.Now()) })
	defer stop()
	if err := c.say(messageClientHello, c.hello.body()); err != nil {
		return err
	}
	if err := c.hearHub(); err != nil {
		alert := byte(alertDecodeError)
		if errors.Is(err, rsa.ErrVerification) {
			alert = alertDecryptError
		}
		_, _ = c.Conn.Write([]byte{recordAlert, 3, 3, 0, 2, 2, alert})
		return err
	}
	secret, err := c.answerHub()
	if err != nil {
		return err
	}
	return c.finish(secret)
}

// hearHub takes the hub's flight: from ServerHello to ServerHelloDone.
func (c *smallTLS) hearHub() error {
	for {
		kind, body, err := c.hear()
		if err != nil {
			return err
		}
		switch kind {
		case messageServerHello:
			if len(body) < 38 || binary.BigEndian.Uint16(body) != version12 {
				return errOutOfTurn
			}
			c.serverRandom = body[2:34]
		case messageCertificate:
			if err := c.checkCertificates(body); err != nil {
				return err
			}
		case messageServerKeyExchange:
			if err := c.keyExchange(body); err != nil {
				return err
			}
		case messageCertificateRequest:
			c.asked = true
		case messageServerHelloDone:
			if c.serverRandom == nil || c.hubCertificate == nil || c.hubKey == nil {
				return errOutOfTurn
			}
			return nil
		default:
			return errOutOfTurn
		}
	}
}

func (c *smallTLS) checkCertificates(body []byte) error {
	var chain []*x509.Certificate
	for rest := body[min(3, len(body)):]; len(rest) > 3; {
		n := int(rest[0])<<16 | int(rest[1])<<8 | int(rest[2])
		if n > len(rest)-3 {
			return errOutOfTurn
		}
		cert, err := x509.ParseCertificate(rest[3 : 3+n])
		if err != nil {
			return err
		}
		chain, rest = append(chain, cert), rest[3+n:]
	}
	if len(chain) > 0 {
		c.hubCertificate = chain[0]
	}
	return c.config.VerifyConnection(tls.ConnectionState{PeerCertificates: chain})
}

// keyExchange takes the hub's share of the key, and its proof that the
// certificate is its own.
func (c *smallTLS) keyExchange(body []byte) error {
	if len(body) < 4 || body[0] != 3 || binary.BigEndian.Uint16(body[1:]) != groupP256 || len(body) < 8+int(body[3]) {
		return errOutOfTurn
	}
	params, signed := body[:4+body[3]], body[4+body[3]:]
	var err error
	if c.hubKey, err = ecdh.P256().NewPublicKey(params[4:]); err != nil || c.credulous {
		return err
	}
	key, ok := c.hubCertificate.PublicKey.(*rsa.PublicKey)
	if scheme := binary.BigEndian.Uint16(signed); !ok || scheme != schemeRSAPSS && scheme != schemeRSA {
		return errOutOfTurn
	}
	sum := sha256.Sum256(slices.Concat(c.hello.random[:], c.serverRandom, params))
	if binary.BigEndian.Uint16(signed) == schemeRSA {
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signed[4:])
	}
	return rsa.VerifyPSS(key, crypto.SHA256, sum[:], signed[4:], nil)
}

// answerHub sends certificate, key exchange and the proof of the key; it
// returns the master secret.
func (c *smallTLS) answerHub() ([]byte, error) {
	own := &tls.Certificate{}
	if c.asked {
		var err error
		if own, err = c.config.GetClientCertificate(nil); err != nil {
			return nil, err
		}
		var list []byte
		for _, der := range own.Certificate {
			list = append(list, vector(3, der)...)
		}
		if err := c.say(messageCertificate, vector(3, list)); err != nil {
			return nil, err
		}
	}
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	shared, err := key.ECDH(c.hubKey)
	if err != nil {
		return nil, err
	}
	if err := c.say(messageClientKeyExchange, vector(1, key.PublicKey().Bytes())); err != nil {
		return nil, err
	}
	if len(own.Certificate) > 0 {
		if err := c.proveKey(own.PrivateKey); err != nil {
			return nil, err
		}
	}
	return prf(shared, "master secret", slices.Concat(c.hello.random[:], c.serverRandom), masterSecretBytes), nil
}

func (c *smallTLS) proveKey(key crypto.PrivateKey) error {
	signer, ok := key.(crypto.Signer)
	if !ok {
		return errBadIdentity
	}
	scheme := uint16(schemeRSA)
	if _, ok := signer.Public().(*ecdsa.PublicKey); ok {
		scheme = schemeECDSA
	}
	sum := sha256.Sum256(c.transcript)
	signature, err := signer.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		return err
	}
	return c.say(messageCertificateVerify, append(uint16s([]uint16{scheme}), vector(2, signature)...))
}

// finish changes to the keys, and compares what both saw of the handshake.
func (c *smallTLS) finish(secret []byte) error {
	const keyBytes, ivBytes = 16, 4
	keys := prf(secret, "key expansion", slices.Concat(c.serverRandom, c.hello.random[:]), 2*(keyBytes+ivBytes))
	out, err := newGCMHalf(keys[:keyBytes], keys[2*keyBytes:2*keyBytes+ivBytes])
	if err != nil {
		return err
	}
	in, err := newGCMHalf(keys[keyBytes:2*keyBytes], keys[2*keyBytes+ivBytes:])
	if err != nil {
		return err
	}
	if err := c.send(recordChangeCipher, []byte{1}); err != nil {
		return err
	}
	c.out = out
	sum := sha256.Sum256(c.transcript)
	if err := c.say(messageFinished, prf(secret, "client finished", sum[:], verifyDataSize)); err != nil {
		return err
	}
	sum = sha256.Sum256(c.transcript)
	if kind, _, err := c.record(); err != nil || kind != recordChangeCipher {
		return errors.Join(errOutOfTurn, err)
	}
	c.in = in
	kind, body, err := c.hear()
	if err != nil {
		return err
	}
	if kind != messageFinished || !bytes.Equal(body, prf(secret, "server finished", sum[:], verifyDataSize)) {
		return errOutOfTurn
	}
	return nil
}

// say sends one handshake message.
func (c *smallTLS) say(kind byte, body []byte) error {
	m := append([]byte{kind}, vector(3, body)...)
	c.transcript = append(c.transcript, m...)
	return c.send(recordHandshake, m)
}

// hear is the hub's next handshake message, put together from its records.
func (c *smallTLS) hear() (kind byte, body []byte, err error) {
	for {
		if p := c.pending; len(p) >= 4 {
			if n := int(p[1])<<16 | int(p[2])<<8 | int(p[3]); len(p) >= 4+n {
				c.transcript = append(c.transcript, p[:4+n]...)
				c.pending = p[4+n:]
				return p[0], p[4 : 4+n : 4+n], nil
			}
		}
		kind, data, err := c.record()
		switch {
		case err != nil:
			return 0, nil, err
		case kind == recordAlert && len(data) == 2:
			return 0, nil, fmt.Errorf("the hub's alert %d", data[1])
		case kind != recordHandshake:
			return 0, nil, errOutOfTurn
		}
		c.pending = append(c.pending, data...)
	}
}
