package certs

import (
	"errors"
	"slices"
	"testing"
)

func TestAChainIsReadFromWhatOpensslPrints(t *testing.T) {
	leaf, err := NewIdentity(t.Context(), IdentitySpec{DeviceID: "leaf"})
	if err != nil {
		t.Fatal(err)
	}
	above, err := NewIdentity(t.Context(), IdentitySpec{DeviceID: "above"})
	if err != nil {
		t.Fatal(err)
	}
	shown := slices.Concat([]byte("CONNECTED(00000003)\n 0 s:CN = leaf\n"), leaf.CertificatePEM, []byte(" 1 s:CN = above\n"), above.CertificatePEM, []byte("---\n"))
	chain, err := ParseChain(shown)
	if err != nil || len(chain) != 2 || !chain[0].Equal(leaf.Certificate) || !chain[1].Equal(above.Certificate) {
		t.Errorf("%d certificates, %v", len(chain), err)
	}
	if _, err := ParseChain(leaf.KeyPEM); !errors.Is(err, ErrKeyForCertificate) {
		t.Errorf("a key: %v", err)
	}
	if _, err := ParseChain([]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")); err == nil {
		t.Error("a block that is no certificate was taken")
	}
}
