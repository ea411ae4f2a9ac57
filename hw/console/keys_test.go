package console

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"
)

type testKey struct{ pkcs8, pkcs1, certificate string }

// gram is how many characters of a key's base64 text in a row nobody may see.
const gram = 12

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

// publicText is what a key's base64 text may have that is public, at each of
// its alignments.
func publicText(key string) string {
	block, _ := pem.Decode([]byte(key))
	if block == nil {
		return ""
	}
	public, err := x509.MarshalPKIXPublicKey(publicOf(parsed(block.Bytes)))
	if err != nil {
		return ""
	}
	var all []string
	for shift := range 3 {
		all = append(all, base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), public...)))
	}
	return strings.Join(all, " ")
}

// leaks finds a piece of the key in a text, whatever white space and escapes of
// it are in between. What its public half has too is none.
func leaks(text, key string) string {
	text = strings.NewReplacer(`\r`, "", `\n`, "", `\t`, "", " ", "", "\n", "").Replace(text)
	body := string(base64Text([]byte(key)))
	public := publicText(key)
	for i := 0; i+gram <= len(body); i++ {
		if strings.Contains(text, body[i:i+gram]) && !strings.Contains(public, body[i:i+gram]) {
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
