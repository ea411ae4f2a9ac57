package devicebound_test

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	"hilrig/azure"
	"hilrig/azure/hub"
	"hilrig/azure/iothub/access"
	"hilrig/azure/iothub/devicebound"
	"hilrig/azure/iothub/standin"
	"hilrig/record"
)

const within = 30 * time.Second

func byKey(t *testing.T, text string) access.Credential {
	t.Helper()
	c, err := access.ParseConnectionString(text)
	if err != nil {
		t.Fatal(err)
	}
	return access.ByKey(c)
}

func config(t *testing.T, e *standin.Endpoint) devicebound.Config {
	t.Helper()
	return devicebound.Config{
		Credential: byKey(t, e.Service()), Network: access.Network{Endpoint: e.Address, Roots: e.Roots()},
	}
}

func client(t *testing.T, c devicebound.Config) *devicebound.Client {
	t.Helper()
	client := devicebound.New(c)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), within)
		defer cancel()
		if err := client.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return client
}

func send(t *testing.T, c *devicebound.Client, id string, m hub.DeviceBound) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	return c.Send(ctx, id, m)
}

func TestAMessageReachesTheHubAsItWasGiven(t *testing.T) {
	t.Parallel()
	e := standin.Start(t, standin.Config{})
	for _, c := range []struct {
		name     string
		feedback bool
		m        hub.DeviceBound
		want     standin.Sent
		ttl      time.Duration
	}{
		{
			"all of it", true,
			hub.DeviceBound{ID: "m-1", Payload: []byte("hello"), Properties: map[string]string{"color": "dark blue"}, TTL: time.Minute},
			standin.Sent{ID: "m-1", Ack: "full", Body: []byte("hello"), Properties: map[string]string{"color": "dark blue"}}, time.Minute,
		},
		{"no more than a payload", false, hub.DeviceBound{ID: "m-2", Payload: []byte{0, 0xff}}, standin.Sent{ID: "m-2", Body: []byte{0, 0xff}}, time.Hour},
		{"a system property", false, hub.DeviceBound{ID: "m-3", Properties: map[string]string{"$.mid": "other"}}, standin.Sent{ID: "other"}, time.Hour},
	} {
		config := config(t, e)
		config.Feedback = c.feedback
		began := time.Now()
		if err := send(t, client(t, config), "rig device", c.m); err != nil {
			t.Fatal(err)
		}
		got := e.AwaitSent()
		if got.Device != "rig device" || got.To != "/devices/rig%20device/messages/devicebound" || got.ID != c.want.ID || got.Ack != c.want.Ack ||
			string(got.Body) != string(c.want.Body) || !maps.Equal(got.Properties, c.want.Properties) {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
		if got.Expiry.Before(began.Add(c.ttl).Truncate(time.Millisecond)) || got.Expiry.After(time.Now().Add(c.ttl)) {
			t.Errorf("%s: expires at %s, want %s after %s", c.name, got.Expiry, c.ttl, began)
		}
	}
}

// The connection may have ended between two messages: the next has another. One
// that may have been sent is not sent again.
func TestALostConnectionIsReplaced(t *testing.T) {
	t.Parallel()
	e := standin.Start(t, standin.Config{})
	c := client(t, config(t, e))
	for _, id := range []string{"1", "2"} {
		if err := send(t, c, "d", hub.DeviceBound{ID: id}); err != nil {
			t.Fatal(err)
		}
		if got := e.AwaitSent(); got.ID != id {
			t.Errorf("got %s, want %s", got.ID, id)
		}
		e.Down()
		if err := send(t, c, "d", hub.DeviceBound{ID: "lost"}); err == nil {
			t.Error("sent to nobody")
		}
		e.Up()
	}
}

func TestTokensOfEntra(t *testing.T) {
	t.Parallel()
	e := standin.Start(t, standin.Config{Tokens: []string{"taken"}})
	config := config(t, e)
	config.Credential = access.ByEntra(standin.Hub, tokens("taken"))
	if err := send(t, client(t, config), "d", hub.DeviceBound{}); err != nil {
		t.Error(err)
	}
	config.Credential = access.ByEntra(standin.Hub, tokens("another"))
	if err := send(t, client(t, config), "d", hub.DeviceBound{}); !errors.Is(err, devicebound.ErrToken) {
		t.Error(err)
	}
}

func TestFailuresAreToldApart(t *testing.T) {
	t.Parallel()
	large := hub.DeviceBound{Payload: make([]byte, azure.MaxCloudToDevice+1)}
	for _, c := range []struct {
		name  string
		of    func(e *standin.Endpoint, c *devicebound.Config)
		m     hub.DeviceBound
		want  error
		class record.Class
	}{
		{"another key", func(_ *standin.Endpoint, c *devicebound.Config) {
			c.Credential = byKey(t, standin.Config{Policies: map[string]string{standin.Policy: "YW5vdGhlciBrZXkgb2Ygbm8gaHViLCAzMiBieXRlcw=="}}.Service())
		}, hub.DeviceBound{}, devicebound.ErrToken, record.RigCloud},
		{"a policy without the right", func(e *standin.Endpoint, _ *devicebound.Config) {
			e.Refuse("devicebound", "amqp:unauthorized-access", "Unauthorized access", 0)
		}, hub.DeviceBound{}, devicebound.ErrRights, record.RigCloud},
		{"an unknown device", nil, hub.DeviceBound{}, devicebound.ErrDevice, record.RigCloud},
		{"a full queue", func(e *standin.Endpoint, _ *devicebound.Config) {
			e.Refuse("devicebound", "amqp:resource-limit-exceeded", "DeviceMaximumQueueDepthExceeded", 0)
		}, hub.DeviceBound{}, devicebound.ErrFull, record.RigCloud},
		{"a hub of the basic tier", func(e *standin.Endpoint, _ *devicebound.Config) {
			e.Refuse("devicebound", "amqp:not-allowed", "not in this tier", 0)
		}, hub.DeviceBound{}, devicebound.ErrTier, record.RigCloud},
		{"a closed port", func(_ *standin.Endpoint, c *devicebound.Config) { c.Network.Endpoint = "127.0.0.1:1" }, hub.DeviceBound{}, access.ErrRefused, record.RigCloud},
		{"another root", func(_ *standin.Endpoint, c *devicebound.Config) { c.Network.Roots = nil }, hub.DeviceBound{}, access.ErrUntrusted, record.RigCloud},
		{"too large", nil, large, nil, record.Usage},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := standin.Start(t, standin.Config{Devices: []string{"known"}})
			config := config(t, e)
			if c.of != nil {
				c.of(e, &config)
			}
			err := send(t, client(t, config), "unknown", c.m)
			var f *record.Failure
			if !errors.As(err, &f) || f.Class != c.class || c.want != nil && (!errors.Is(err, c.want) || f.Cure == "") {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			t.Log(err)
		})
	}
}

func TestFeedbackIsRead(t *testing.T) {
	t.Parallel()
	e := standin.Start(t, standin.Config{})
	c := client(t, config(t, e))
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	at := time.Now().UTC().Truncate(time.Second)
	ready, got := make(chan struct{}), make(chan devicebound.Feedback, 2)
	ended := make(chan error, 1)
	go func() {
		ended <- c.FollowFeedback(ctx, func() { close(ready) }, func(f devicebound.Feedback) { got <- f })
	}()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatal(err)
	}
	e.Feedback(
		standin.Feedback{MessageID: "m-1", Device: "d", Status: "Success", At: at, Generation: "7"},
		standin.Feedback{MessageID: "m-2", Device: "d", Status: "Expired", At: at, Text: "it waited too long"},
	)
	next := func() devicebound.Feedback {
		t.Helper()
		select {
		case f := <-got:
			return f
		case err := <-ended: // at the latest when ctx does
			t.Fatalf("no more feedback: %v", err)
			return devicebound.Feedback{}
		}
	}
	if f := next(); f.MessageID != "m-1" || f.DeviceID != "d" || !f.Delivered() || !f.At.Equal(at) || f.Generation != "7" {
		t.Errorf("got %+v", f)
	}
	if f := next(); f.MessageID != "m-2" || f.Delivered() || f.Text == "" {
		t.Errorf("got %+v", f)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
