package identity

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"hilrig/certs"
	"hilrig/fixtures"
	"hilrig/record"
)

// rig books what is wrong on the rig: the device has not been touched.
func rig(b *fixtures.Trial, ok bool, step, format string, args ...any) {
	if !ok {
		b.Must(record.NewFailure(record.RigHost, step, b.Device.Name, fmt.Errorf(format, args...)))
	}
}

func identityOf(ctx context.Context, b *fixtures.Trial) *certs.Identity {
	id, err := b.Identity(ctx)
	b.Must(err)
	return id
}

func keyPair(ctx context.Context, b *fixtures.Trial) {
	id := identityOf(ctx, b)
	c := id.Certificate
	bits := certs.KeyBits(c)
	days := c.NotAfter.Sub(c.NotBefore).Hours() / 24
	b.Measure("validity", days, "d", nil, nil)
	if made := !b.FixedIdentity(); made { // of one that is given the maker chose the form
		rig(b, bits == 2048, "check key of", "RSA %d bits instead of 2048", bits)
		rig(b, c.SignatureAlgorithm == x509.SHA256WithRSA, "check signature of", "%s instead of SHA256-RSA", c.SignatureAlgorithm)
		rig(b, c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil, "check signature of", "the certificate is not self-signed")
		rig(b, days >= 364.9 && days <= 365.1, "check dates of", "%.2f days instead of 365", days)
	}
	now := time.Now()
	rig(b, now.After(c.NotBefore) && now.Before(c.NotAfter), "check dates of", "valid %s to %s, now is %s", c.NotBefore, c.NotAfter, now)
	_, err := certs.ParseIdentity(id.CertificatePEM, id.KeyPEM)
	rig(b, err == nil, "pair key and certificate of", "%v", err)
	askOpenSSL(ctx, b, id, nil)
}

// askOpenSSL holds our reading of the identity against openssl's. Without an
// openssl on this machine that is a warning, not a pass.
func askOpenSSL(ctx context.Context, b *fixtures.Trial, id *certs.Identity, only []string) {
	r, err := b.ReadByOpenSSL(ctx, id)
	b.Must(err)
	if !r.Available {
		b.Warn("openssl is not installed here: judged by one library alone")
		return
	}
	for _, f := range r.Fields {
		rig(b, f.Equal || !among(f.Name, only), "compare identity of", "%s: hilrig reads %q, %s reads %q", f.Name, f.Ours, r.Version, f.OpenSSLs)
	}
}

func among(name string, only []string) bool {
	if only == nil {
		return true
	}
	for _, o := range only {
		if strings.EqualFold(o, name) {
			return true
		}
	}
	return false
}

func thumbprint(ctx context.Context, b *fixtures.Trial) {
	id := identityOf(ctx, b)
	askOpenSSL(ctx, b, id, nil)
	d, known, err := b.Hub.Lookup(ctx, b.Device.DeviceID)
	b.Must(err)
	rig(b, known, "look up", "the hub does not know %s", b.Device.DeviceID)
	p := certs.ThumbprintsOf(id.Certificate)
	rig(b, holds(d.Thumbprints, p), "compare thumbprint of", "the hub has %s, the certificate's are SHA-1 %s and SHA-256 %s", strings.Join(d.Thumbprints, ", "), p.SHA1, p.SHA256)
}

func holds(registered []string, p record.Thumbprints) bool {
	for _, r := range registered {
		if strings.EqualFold(r, p.SHA1) || strings.EqualFold(r, p.SHA256) {
			return true
		}
	}
	return false
}

func pemFiles(ctx context.Context, b *fixtures.Trial) {
	id := identityOf(ctx, b)
	for _, f := range []struct {
		slot fixtures.Slot
		kind certs.PEMKind
	}{{fixtures.SlotRoot, certs.KindCertificate}, {fixtures.SlotCertificate, certs.KindCertificate}, {fixtures.SlotKey, certs.KindKey}} {
		data := b.FileFor(f.slot, id)
		b.Measure("size of "+f.slot.String(), float64(len(data)), "B", nil, nil)
		for _, finding := range certs.CheckPEM(f.kind, data, b.Type.Console.MaxFile) {
			rig(b, false, "check file for "+f.slot.String()+" of", "%s", finding.Text)
		}
	}
}

func root(ctx context.Context, b *fixtures.Trial) {
	presented, err := b.HubChain(ctx)
	b.Must(err)
	chain, err := parse(presented)
	b.Must(err)
	roots, err := certs.ParseChain(b.Root.PEM)
	b.Must(err)
	err = signedByOne(roots, chain)
	rig(b, err == nil, "verify chain of hub for", "%v", err)
	end := time.Now().Add(24 * time.Hour)
	for _, c := range append(chain, roots...) {
		rig(b, end.Before(c.NotAfter), "check dates of", "%s runs out on %s", c.Subject, c.NotAfter.Format(time.DateOnly))
	}
}

// signedByOne is why none of the roots signs the chain; of several that is the
// last one's reason.
func signedByOne(roots, chain []*x509.Certificate) (err error) {
	for _, r := range roots {
		if err = certs.RootSigns(r, chain); err == nil {
			return nil
		}
	}
	return err
}

func parse(ders [][]byte) (chain []*x509.Certificate, err error) {
	for _, der := range ders {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, record.NewFailure(record.RigHub, "read certificate of", "hub", err)
		}
		chain = append(chain, c)
	}
	if len(chain) == 0 {
		return nil, record.NewFailure(record.RigHub, "read certificate of", "hub", errors.New("no certificate"))
	}
	return chain, nil
}

func registered(ctx context.Context, b *fixtures.Trial) {
	id := identityOf(ctx, b)
	d, known, err := b.Hub.Lookup(ctx, b.Device.DeviceID)
	b.Must(err)
	rig(b, known, "look up", "the hub does not know %s", b.Device.DeviceID)
	rig(b, !d.Disabled, "look up", "%s is disabled at the hub", b.Device.DeviceID)
	rig(b, holds(d.Thumbprints, certs.ThumbprintsOf(id.Certificate)), "look up", "registered with other thumbprints: %s", strings.Join(d.Thumbprints, ", "))
}
