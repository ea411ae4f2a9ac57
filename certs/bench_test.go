package certs_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"hilrig/certs"
	"hilrig/peers"
)

func BenchmarkOpenStoreWarm(b *testing.B) {
	f := madeStore(b)
	for b.Loop() {
		s := open(b, f.dir)
		if _, err := s.Server(b.Context(), "localhost"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpenStoreCold(b *testing.B) {
	dir := b.TempDir()
	for i := 0; b.Loop(); i++ {
		open(b, filepath.Join(dir, fmt.Sprint(i)))
	}
}

func BenchmarkNewIdentity(b *testing.B) {
	for b.Loop() {
		newIdentity(b, certs.IdentitySpec{DeviceID: "NewDevice"})
	}
}

func BenchmarkWrongServer(b *testing.B) {
	f := madeStore(b)
	for _, p := range certs.Profiles() {
		b.Run(string(p.Profile), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				s := open(b, f.dir) // each keeps what it made
				b.StartTimer()
				if _, err := s.WrongServer(b.Context(), "localhost", p.Profile); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCompareWithOpenSSL(b *testing.B) {
	peers.Find(b, "openssl")
	id := shared(b, sharedIdentity)
	for b.Loop() {
		if _, err := certs.CompareWithOpenSSL(b.Context(), id.CertificatePEM, id.KeyPEM); err != nil {
			b.Fatal(err)
		}
	}
}
