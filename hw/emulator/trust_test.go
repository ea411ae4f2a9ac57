package emulator

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"strings"
	"testing"
	"time"
)

// wrongHub is a hub with a certificate that is wrong in one way.
type wrongHub struct {
	cert  func(t *testing.T, ca authority) tls.Certificate
	alert string // of sound firmware, in Go's words
	fault string // firmware that takes it
}

func wrongHubs() map[string]wrongHub {
	changed := func(change func(*x509.Certificate)) func(*testing.T, authority) tls.Certificate {
		return func(t *testing.T, ca authority) tls.Certificate { return ca.server(t, "hub.test", change) }
	}
	return map[string]wrongHub{
		"unknown root": {
			func(t *testing.T, _ authority) tls.Certificate {
				return newAuthority(t, "somebody").server(t, "hub.test", nil)
			}, "unknown certificate authority", "no-verify",
		},
		"another name": {changed(func(c *x509.Certificate) { c.DNSNames = []string{"other.test"} }), "bad certificate", "no-host-check"},
		"expired": {changed(func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().AddDate(-3, 0, 0), time.Now().AddDate(-2, 0, 0)
		}), "expired certificate", "no-expiry-check"},
		"not yet valid": {changed(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Hour) }), "expired certificate", "no-not-before-check"},
		"not for servers": {changed(func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		}), "unsupported certificate", "no-purpose-check"},
		"a namesake's":    {signedByNamesake, "unknown certificate authority", "namesake-root"},
		"signed by no CA": {signedByNoCA, "unknown certificate authority", "no-ca-check"},
	}
}

// signedByNoCA is a hub whose certificate is signed by somebody who has an
// ordinary one from the CA.
func signedByNoCA(t *testing.T, ca authority) tls.Certificate {
	t.Helper()
	key := ecKey(t)
	c := template("an ordinary certificate")
	der, err := x509.CreateCertificate(rand.Reader, c, ca.cert, key.Public(), ca.key)
	if err != nil {
		t.Fatal(err)
	}
	ordinary, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	hub := authority{ordinary, key, ""}.server(t, "hub.test", nil)
	hub.Certificate = append(hub.Certificate, der)
	return hub
}

// signedByNamesake is a hub whose issuing CA is signed by a root that has the
// name and key identifier of the device's, and another key.
func signedByNamesake(t *testing.T, ca authority) tls.Certificate {
	t.Helper()
	namesake := newAuthority(t, ca.cert.Subject.CommonName)
	namesake.cert.SubjectKeyId = ca.cert.SubjectKeyId
	key := ecKey(t)
	c := template("an issuing CA")
	c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, c, namesake.cert, key.Public(), namesake.key)
	if err != nil {
		t.Fatal(err)
	}
	issuing, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	hub := authority{issuing, key, ""}.server(t, "hub.test", nil)
	hub.Certificate = append(hub.Certificate, der)
	return hub
}

// meet boots a device with a fault (none if empty) before a hub.
func meet(t *testing.T, h *hub, ca authority, fault string) *board {
	t.Helper()
	c := Config{Hub: h.addr(), HubName: "hub.test", Interval: 20 * time.Millisecond}
	if fault != "" {
		c.Faults = []string{fault}
	}
	b := start(t, c)
	b.provision(ca.pem, newIdentity(t, "NewDevice", rsaKeys()[0]))
	return b
}

// Sound firmware refuses every wrong hub, with the alert that names the cause;
// the fault that lacks the check completes, and MQTT comes over it.
func TestWrongHubs(t *testing.T) {
	t.Parallel()
	for name, w := range wrongHubs() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ca := newAuthority(t, "the rig's root")
			h := newHub(t, w.cert(t, ca), nil)
			meet(t, h, ca, "")
			e := h.await("handshake that fails", isKind("failed"))
			if !strings.HasSuffix(e.err.Error(), "tls: "+w.alert) {
				t.Errorf("%v, want alert %q", e.err, w.alert)
			}
			for _, fault := range []string{w.fault, "no-verify"} {
				h := newHub(t, w.cert(t, ca), nil)
				meet(t, h, ca, fault)
				h.packet("CONNECT from "+fault, kindConnect)
			}
			for _, other := range wrongHubs() {
				if other.fault == w.fault || other.fault == "no-verify" {
					continue
				}
				h := newHub(t, w.cert(t, ca), nil)
				meet(t, h, ca, other.fault)
				if e := h.await("handshake", func(e hubEvent) bool { return e.kind == "failed" || e.kind == "handshake" }); e.kind != "failed" {
					t.Errorf("%s takes it too", other.fault)
				}
			}
		})
	}
}

func TestSilentRefusal(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t, "the rig's root")
	h := newHub(t, newAuthority(t, "somebody").server(t, "hub.test", nil), nil)
	meet(t, h, ca, "silent-refusal")
	if e := h.await("handshake that fails", isKind("failed")); strings.Contains(e.err.Error(), "remote error") {
		t.Errorf("an alert came: %v", e.err)
	}
}

func TestVerifiesNothingAfterABadRoot(t *testing.T) {
	t.Parallel()
	h := newHub(t, newAuthority(t, "somebody").server(t, "hub.test", nil), nil)
	b := start(t, Config{Hub: h.addr(), HubName: "hub.test", Faults: []string{"verifies-nothing-after-bad-root"}})
	b.provision("garbage", newIdentity(t, "NewDevice", rsaKeys()[0]))
	h.packet("CONNECT", kindConnect)
}

// Firmware that says OK to what it cannot read never connects.
func TestOKAndThenNoConnection(t *testing.T) {
	t.Parallel()
	id, other := newIdentity(t, "NewDevice", rsaKeys()[0]), newIdentity(t, "other", rsaKeys()[1])
	half := id.cert[:len(id.cert)/2]
	crlf := func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }
	long := template("long")
	long.Subject.OrganizationalUnit = []string{strings.Repeat("x", 1200)}
	der, err := x509.CreateCertificate(rand.Reader, long, long, rsaKeys()[0].Public(), rsaKeys()[0])
	if err != nil {
		t.Fatal(err)
	}
	for fault, load := range map[string]identity{
		"accepts-garbage":         {"garbage", id.key},
		"accepts-truncated":       {half, id.key},
		"accepts-wrong-kind":      {id.cert, id.cert},
		"accepts-mismatched-pair": {id.cert, other.key},
		"truncates-2k":            {pemOf("CERTIFICATE", der), id.key},
		"drops-newlines":          {crlf(id.cert), id.key},
		"needs-lf":                {crlf(id.cert), id.key},
		"needs-final-newline":     {strings.TrimSpace(id.cert), id.key},
		"counts-nul":              {strings.TrimSpace(id.cert), id.key},
		"no-pkcs8":                {id.cert, id.key},
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			ca := newAuthority(t, "the rig's root")
			h := newHub(t, ca.server(t, "hub.test", nil), nil)
			b := start(t, Config{Hub: h.addr(), HubName: "hub.test", Faults: []string{fault}})
			b.provision(ca.pem, load)
			if e, ok := h.within(500*time.Millisecond, isKind("accepted")); ok {
				t.Errorf("it dials: %+v", e)
			}
		})
	}
}

func TestSwapsSlots(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t, "the rig's root")
	h := newHub(t, ca.server(t, "hub.test", nil), nil)
	meet(t, h, ca, "swaps-slots")
	e, ok := h.within(5*time.Second, func(e hubEvent) bool { return e.kind == "failed" || e.kind == "handshake" })
	if !ok || e.kind != "failed" {
		t.Errorf("it presents a certificate whose key it has: %+v", e)
	}
}

func TestSingleRoot(t *testing.T) {
	t.Parallel()
	first, second := newAuthority(t, "first root"), newAuthority(t, "second root")
	for fault, follows := range map[string]bool{"": true, "single-root": false} {
		h := newHub(t, second.server(t, "hub.test", nil), nil)
		b := meet(t, h, first, fault)
		h.await("handshake that fails", isKind("failed"))
		b.loadOK("10", second.pem) // alone: the rest stays
		if _, ok := h.within(3*time.Second, isKind("handshake")); ok != follows {
			t.Errorf("fault %q follows the hub to its second root: %v", fault, ok)
		}
	}
}
