package console

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"
)

type testKey struct{ pkcs8, pkcs1, certificate string }

// aKey is one RSA key in both forms, with a certificate.
var aKey = sync.OnceValue(func() testKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "NewDevice"}, NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	text := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return testKey{text("PRIVATE KEY", der), text("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key)), text("CERTIFICATE", cert)}
})

// leaks finds a piece of the key in a text, whatever white space and escapes of
// it are in between.
func leaks(text, key string) string {
	text = strings.NewReplacer(`\r`, "", `\n`, "", `\t`, "", " ", "", "\n", "").Replace(text)
	body := string(base64Text([]byte(key)))
	for i := 0; i+gram <= len(body); i++ {
		if strings.Contains(text, body[i:i+gram]) {
			return body[i : i+gram]
		}
	}
	return ""
}

func wantNoLeak(t *testing.T, where, text, key string) {
	t.Helper()
	if piece := leaks(text, key); piece != "" {
		t.Errorf("%s shows %q of the key:\n%.2000s", where, piece, text)
	}
}
