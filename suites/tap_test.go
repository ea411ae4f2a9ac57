package suites_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"hilrig/azure/hub"
	"hilrig/azure/localhub"
	"hilrig/azure/tap"
	"hilrig/fixtures"
	"hilrig/record"
	"hilrig/suites"
)

// TestGalleryThroughATap shows that what a tap adds to a hub catches through a
// tap what the local hub catches itself: handshakes, and a bad link.
func TestGalleryThroughATap(t *testing.T) {
	if testing.Short() {
		t.Skip("short: the gallery takes a minute")
	}
	adds := slices.DeleteFunc(suites.All(), func(s fixtures.Spec) bool {
		return s.Has("soak") || s.WhyNotAt(hub.OfBroker) == "" || s.WhyNotAt(hub.OfBroker.With(hub.OfTap)) != ""
	})
	gallery(t, adds, true)
}

// A sound device is green through a tap.
func TestASoundDeviceThroughATap(t *testing.T) {
	t.Parallel()
	specs, err := suites.Select(suites.All(), "core", nil)
	if err != nil {
		t.Fatal(err)
	}
	job := emulatedJob(t, specs)
	job.Hub.Tap.On = true
	results := runChild(t, job)
	for _, s := range specs {
		if r := results[s.ID]; r.Verdict != record.Pass {
			t.Errorf("%s: %s %s %s", s.ID, r.Verdict, r.Message, r.Cause)
		}
	}
}

// At a hub that sees messages alone a tap shows handshakes and makes the link a
// bad one; keep-alives are the type's word.
func TestATapAtAHubThatSeesOnlyMessages(t *testing.T) {
	t.Parallel()
	ids := []string{"provisioning/presented", "tls/version", "tls/client-certificate", "session/ping-unanswered", "recovery/connection-cut", "recovery/black-hole", "recovery/hub-restart"}
	specs, err := suites.Select(suites.All(), "", ids)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name      string
		keepAlive time.Duration
		fault     []string
		other     record.Verdict // of what counts in keep-alives
	}{
		{"the type says its keep-alive", 2 * time.Second, nil, record.Pass},
		{"nobody says it", 0, nil, record.NotApplicable},
		{"a device that misses no answer", 2 * time.Second, []string{"half-open-blind"}, record.Fail},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			job := emulatedJob(t, specs)
			job.Hub.Kind, job.Hub.Tap.On = kindMessages, true
			job.Device.Type.MQTT.KeepAlive, job.Device.Serial.Emulated.Faults = c.keepAlive, c.fault
			results := runChild(t, job)
			for _, s := range specs {
				want := record.Pass
				if s.ID == "session/ping-unanswered" || s.ID == "recovery/black-hole" {
					want = c.other
				}
				if r := results[s.ID]; r.Verdict != want {
					t.Errorf("%s: %s %s %s, want %s", s.ID, r.Verdict, r.Message, r.Cause, want)
				}
			}
		})
	}
}

// A hub that goes away behind a tap is the rig's trouble, whatever the device
// does meanwhile.
func TestAHubThatGoesAwayBehindATap(t *testing.T) {
	t.Parallel()
	specs, err := suites.Select(suites.All(), "", []string{"recovery/connection-cut"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, job := t.Context(), emulatedJob(t, specs)
	short(&job)
	b, err := fixtures.Open(ctx, ctx, job, tap.Wrap(localhub.Open, tap.Config{Local: true}), slog.New(slog.DiscardHandler), func(record.Event) {})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := b.Close(context.WithoutCancel(ctx)); err != nil {
			t.Error(err)
		}
	}()
	if err := b.Connected(ctx); err != nil {
		t.Fatal(err)
	}
	behind := hub.Of(b.Hub.Hub.(hub.Fronting).Behind())
	stop := b.Hub.Events().Watch(func(e hub.Event) {
		if e.Kind == hub.KindFaultShown && e.Fault == hub.OutageReset { // in the middle of the spec
			go behind.Down()
		}
	})
	defer stop()
	if r := b.Begin(specs[0]).Judge(ctx, 1); r.Verdict != record.Error || r.Class != record.RigHub {
		t.Errorf("%s (%s): %s %s", r.Verdict, r.Class, r.Message, r.Cause)
	}
}
