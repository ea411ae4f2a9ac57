package localhub_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hilrig/azure/hub"
	"hilrig/azure/tlswire"
	"hilrig/peers"
)

// A real client's handshake that fails is told by what was missing.
func TestHandshakeNamesItsCause(t *testing.T) {
	t.Parallel()
	name := peers.Find(t, "openssl")
	b := start(t)
	for what, x := range map[string]struct {
		args     []string
		want, no string
	}{
		"one group that Go has not":       {[]string{"-curves", "secp256k1"}, "client offers: secp256k1; the hub has: x25519", "cipher suite"},
		"another":                         {[]string{"-curves", "brainpoolP256r1:X448"}, "client offers: brainpoolP256r1, x448", "cipher suite"},
		"a suite of IoT Hub's, not of Go": {[]string{"-cipher", "ECDHE-RSA-AES256-SHA384"}, "IoT Hub has it, this hub has not", "group"},
		"RSA key exchange":                {[]string{"-cipher", "AES128-SHA256"}, "no cipher suite that both have; client offers: TLS_RSA_WITH_AES_128_CBC_SHA256", "group"},
		"a suite of neither":              {[]string{"-cipher", "ECDHE-RSA-CHACHA20-POLY1305"}, "no cipher suite that both have", "group"},
	} {
		mark := b.hub.Events().Mark()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		out, err := exec.CommandContext(ctx, name, append([]string{"s_client", "-connect", b.addr, "-tls1_2"}, x.args...)...).CombinedOutput()
		cancel()
		if err == nil {
			t.Errorf("%s: the handshake was completed\n%s", what, out)
		}
		h := b.await(mark, what, kind(hub.KindHandshake)).Handshake
		if h.OK || !strings.Contains(h.Err, x.want) || strings.Contains(h.Err, x.no) {
			t.Errorf("%s: %s", what, h.Err)
		}
	}
}

// opensslIdentity makes a device's certificate as a home-made generator does.
func opensslIdentity(t *testing.T, key []string, request ...string) (certificate, keyFile string, der []byte) {
	t.Helper()
	name, dir := peers.Find(t, "openssl"), t.TempDir()
	certificate, keyFile = filepath.Join(dir, "device.pem"), filepath.Join(dir, "device.key")
	for _, args := range [][]string{
		append([]string{"genpkey", "-out", keyFile}, key...),
		append([]string{"req", "-x509", "-new", "-key", keyFile, "-subj", "/CN=NewDevice", "-days", "2", "-out", certificate}, request...),
	} {
		if out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput(); err != nil {
			t.Fatalf("openssl %v: %v\n%s", args, err, out)
		}
	}
	data, err := os.ReadFile(certificate)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(data)
	return certificate, keyFile, block.Bytes
}

// connectWithOpenSSL says CONNECT over openssl s_client and gives what the hub
// answers.
func connectWithOpenSSL(t *testing.T, b *bench, certificate, key string) (answer []byte) {
	t.Helper()
	body := append(text("MQTT"), 4, 0x82, 0, 60)
	body = append(append(body, text(deviceID)...), text(userName)...)
	connect := append([]byte{0x10, byte(len(body))}, body...)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, peers.Find(t, "openssl"), "s_client", "-connect", b.addr, "-tls1_2", "-quiet", "-cert", certificate, "-key", key)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }() // cancel ends it
	defer cancel()
	if _, err := in.Write(connect); err != nil {
		return nil
	}
	answer = make([]byte, 4)
	n, _ := out.Read(answer)
	return answer[:n]
}

// A certificate that many libraries cannot read has its CONNACK, as at the hub:
// a serial number whose first bit is set counts as negative.
func TestNegativeSerialNumber(t *testing.T) {
	t.Parallel()
	b := start(t)
	certificate, key, der := opensslIdentity(t, []string{"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"}, "-set_serial", "-8070450532247928832")
	c, err := x509.ParseCertificate(der)
	if err != nil || c.SerialNumber.Sign() >= 0 {
		t.Fatalf("not negative: %v", err)
	}
	for _, registered := range []bool{false, true} {
		want := []byte{0x20, 2, 0, 5}
		if registered {
			sum := sha1.Sum(der)
			b.hub.Register(hub.Device{ID: deviceID, Thumbprints: []string{hex.EncodeToString(sum[:])}})
			want[3] = 0
		}
		if got := connectWithOpenSSL(t, b, certificate, key); !bytes.Equal(got, want) {
			t.Errorf("registered %v: answered % x, want % x", registered, got, want)
		}
	}
}

// Keys that Go does not know end TLS here; the event names them.
func TestKeyThatGoDoesNotKnow(t *testing.T) {
	t.Parallel()
	b := start(t)
	for curve, want := range map[string]string{"secp256k1": "secp256k1", "brainpoolP256r1": "brainpoolP256r1", "brainpoolP384t1": "brainpoolP384t1"} {
		certificate, key, der := opensslIdentity(t, []string{"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:" + curve, "-pkeyopt", "ec_param_enc:named_curve"})
		if got := tlswire.KeyName(der); got != want {
			t.Errorf("%s is called %s", curve, got)
		}
		mark := b.hub.Events().Mark()
		if got := connectWithOpenSSL(t, b, certificate, key); len(got) > 0 {
			t.Errorf("%s: answered % x", curve, got)
		}
		h := b.await(mark, curve, kind(hub.KindHandshake)).Handshake
		if h.OK || !strings.Contains(h.Err, "its key: "+want) || !strings.Contains(h.Err, "IoT Hub completes TLS") {
			t.Errorf("%s: %s", curve, h.Err)
		}
	}
}
