package suites_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"hilrig/azure/hub"
	"hilrig/azure/localhub"
	"hilrig/certs"
	"hilrig/fixtures"
	"hilrig/record"
	"hilrig/suites"
)

// The specs that judge the rig are turned red by faults of the rig, and the
// device is not blamed for one of them.
func TestRigFaults(t *testing.T) {
	for _, c := range []struct {
		fault, spec string
		words       string
		make        func(t *testing.T, b *fixtures.Bench)
	}{
		{"a key of 4096 bits", "identity/key-pair", "4096 bits", identityOf(certs.IdentitySpec{Bits: 4096})},
		{"an identity that has expired", "identity/key-pair", "now is", identityOf(certs.IdentitySpec{NotBefore: time.Now().AddDate(-2, 0, 0)})},
		{"an identity of ten years", "identity/key-pair", "instead of 365", identityOf(certs.IdentitySpec{Days: 3650})},
		{"a wrong thumbprint in the registry", "identity/thumbprint", "the hub has", wrongThumbprint},
		{"a wrong thumbprint in the registry", "identity/registered", "other thumbprints", wrongThumbprint},
		{"a device that the hub does not know", "identity/registered", "does not know", func(t *testing.T, b *fixtures.Bench) {
			_ = b.Hub.Unregister(t.Context(), b.Device.DeviceID)
		}},
		{"a device that is disabled at the hub", "identity/registered", "disabled", func(t *testing.T, b *fixtures.Bench) {
			d, _, _ := b.Hub.Lookup(t.Context(), b.Device.DeviceID)
			d.Disabled = true
			_ = b.Hub.Register(t.Context(), d)
		}},
		{"files above the type's size limit", "identity/pem", "bytes", func(_ *testing.T, b *fixtures.Bench) { b.Type.Console.MaxFile = 500 }},
		{"a star in front of the root", "identity/pem", "outside the PEM block", func(_ *testing.T, b *fixtures.Bench) {
			b.Root.PEM = append([]byte("* my root *\n"), b.Root.PEM...)
		}},
		{"a root that does not sign the hub", "identity/root", "", func(t *testing.T, b *fixtures.Bench) {
			second, err := b.Store.SecondRoot()
			if err != nil {
				t.Fatal(err)
			}
			b.Root = second
		}},
		{"a device registered for tokens", "delivery/auth-method", `"type":"sas"`, func(_ *testing.T, b *fixtures.Bench) {
			b.Hub.Show(hub.Fault{Name: "sas", AuthMethod: `{"scope":"device","type":"sas","issuer":"iothub"}`}, 0)
		}},
	} {
		t.Run(c.spec+"/"+c.fault, func(t *testing.T) {
			t.Parallel()
			specs, err := suites.Select(suites.All(), "", []string{c.spec})
			if err != nil {
				t.Fatal(err)
			}
			ctx := t.Context()
			b, err := fixtures.Open(ctx, ctx, emulatedJob(t, specs), localhub.Open, slog.New(slog.DiscardHandler), func(record.Event) {})
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := b.Close(context.WithoutCancel(ctx)); err != nil {
					t.Error(err)
				}
			}()
			if _, err := b.Identity(ctx); err != nil {
				t.Fatal(err)
			}
			c.make(t, b)
			r := b.Begin(specs[0]).Judge(ctx, 1)
			if r.Verdict != record.Error || !r.Class.Rig() || !strings.Contains(r.Message, c.words) {
				t.Errorf("%s (%s): %s %s; want an error of the rig that says %q", r.Verdict, r.Class, r.Message, r.Cause, c.words)
			}
		})
	}
}

// identityOf gives the device an identity of another kind.
func identityOf(spec certs.IdentitySpec) func(*testing.T, *fixtures.Bench) {
	return func(t *testing.T, b *fixtures.Bench) {
		id, err := b.MakeIdentity(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.ProvisionFiles(t.Context(), id, nil); err != nil {
			t.Fatal(err)
		}
	}
}

func wrongThumbprint(t *testing.T, b *fixtures.Bench) {
	_ = b.Hub.Register(t.Context(), hub.Device{ID: b.Device.DeviceID, Thumbprints: []string{strings.Repeat("AB", 32)}})
}
