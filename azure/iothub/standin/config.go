package standin

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"time"
)

// Config is what the endpoint is. What is left out has a value as on a real hub.
type Config struct {
	Hub         string            // host name of the IoT Hub
	Namespace   string            // host name of the Event Hubs namespace
	Entity      string            // name of the Event Hub
	Partitions  int               // 4
	Groups      []string          // consumer groups; [Group] and $Default
	Policies    map[string]string // keys by policy, in base64; [Policy] with [Key]
	Tokens      []string          // Entra tokens that are taken
	Devices     []string          // that messages may go to; empty: any
	Certificate *tls.Certificate  // its own for the host names, 127.0.0.1 and localhost where there is none
}

// The names and the key of a stand-in that was not told others.
const (
	Hub       = "rig.azure-devices.net"
	Namespace = "ihsuprodamres049dednamespace.servicebus.windows.net"
	Entity    = "iothub-ehub-rig-1234567-abcdef0123"
	Group     = "hilrig"
	Policy    = "service"
	Key       = "aGlscmlnOiBhIGtleSBvZiBubyBodWIsIDMyIGJ5dGU="
)

// script is the configuration as the script reads it.
type script struct {
	Hub         string            `json:"hub"`
	Namespace   string            `json:"namespace"`
	Entity      string            `json:"entity"`
	Partitions  int               `json:"partitions"`
	Groups      []string          `json:"groups"`
	Policies    map[string]string `json:"policies"`
	Tokens      []string          `json:"tokens"`
	Devices     []string          `json:"devices"`
	Certificate string            `json:"certificate"`
	Key         string            `json:"key"`
}

// Events is the connection string that belongs to it, right or wrong.
func (c Config) Events() string { return c.filled().events() }

// Service is the connection string of its hub.
func (c Config) Service() string { return c.filled().service() }

func (s script) events() string {
	return "Endpoint=sb://" + s.Namespace + "/;SharedAccessKeyName=" + Policy + ";SharedAccessKey=" + s.Policies[Policy] + ";EntityPath=" + s.Entity
}

func (s script) service() string {
	return "HostName=" + s.Hub + ";SharedAccessKeyName=" + Policy + ";SharedAccessKey=" + s.Policies[Policy]
}

// filled is the configuration with what was left out.
func (c Config) filled() script {
	s := script{
		Hub: cmp.Or(c.Hub, Hub), Namespace: cmp.Or(c.Namespace, Namespace), Entity: cmp.Or(c.Entity, Entity), Partitions: cmp.Or(c.Partitions, 4),
		Groups: c.Groups, Policies: c.Policies, Tokens: c.Tokens, Devices: c.Devices,
	}
	if s.Groups == nil {
		s.Groups = []string{"$Default", Group}
	}
	if s.Policies == nil {
		s.Policies = map[string]string{Policy: Key}
	}
	if s.Tokens == nil {
		s.Tokens = []string{}
	}
	if s.Devices == nil {
		s.Devices = []string{}
	}
	return s
}

// script is all that the script needs, and the root of its certificate.
func (c Config) script() (s script, root []byte, err error) {
	s = c.filled()
	certificate := c.Certificate
	if certificate == nil {
		if certificate, err = selfSigned(s.Hub, s.Namespace, "localhost"); err != nil {
			return script{}, nil, err
		}
	}
	for _, der := range certificate.Certificate {
		root = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
		s.Certificate += string(root)
	}
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		return script{}, nil, err
	}
	s.Key = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	return s, root, nil
}

func selfSigned(names ...string) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "hilrig stand-in"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		DNSNames: names, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
