package events_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"hilrig/azure/iothub/access"
	"hilrig/azure/iothub/events"
	"hilrig/azure/iothub/standin"
)

// Whatever goes wrong, and whatever the endpoint says: no output opens the hub.
func TestNoOutputHoldsTheKey(t *testing.T) {
	t.Parallel()
	raw, err := base64.StdEncoding.DecodeString(standin.Key)
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{
		standin.Key, string(raw), url.QueryEscape(standin.Key), url.PathEscape(standin.Key), base64.StdEncoding.EncodeToString([]byte(standin.Key)),
		base64.RawURLEncoding.EncodeToString(raw), hex.EncodeToString(raw), hex.EncodeToString([]byte(standin.Key)),
	}
	e := standin.Start(t, standin.Config{})
	for name, c := range map[string]func(e *standin.Endpoint, c *events.Config){
		"a closed port": func(_ *standin.Endpoint, c *events.Config) { c.Network.Endpoint = "127.0.0.1:1" },
		"another root":  func(_ *standin.Endpoint, c *events.Config) { c.Network.Roots = nil },
		"an answer that repeats all": func(e *standin.Endpoint, _ *events.Config) {
			e.Unauthorized(401, "SharedAccessKey="+standin.Key+"&sig="+url.QueryEscape(standin.Key)+" "+standin.Key)
		},
		"a half of it": func(_ *standin.Endpoint, c *events.Config) {
			c.ConnectionString = strings.Split(c.ConnectionString, ";EntityPath")[0]
		},
		"a key alone": func(_ *standin.Endpoint, c *events.Config) { c.ConnectionString = standin.Key },
		"the hub's own, without its root": func(e *standin.Endpoint, c *events.Config) {
			c.ConnectionString, c.Hub.Endpoint = e.Service(), e.Address
		},
	} {
		e.Heal()
		var log bytes.Buffer
		config := config(e)
		config.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		c(e, &config)
		ctx, cancel := context.WithTimeout(t.Context(), within)
		_, err := events.Open(ctx, config)
		cancel()
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		config.Log.Info("all of it", "config", config, "error", err)
		for _, output := range []string{log.String(), err.Error(), fmt.Sprintf("%v %+v %#v %s", config, config, config, config), fmt.Sprintf("%+v %#v", err, err)} {
			for _, secret := range secrets {
				if strings.Contains(output, secret) {
					t.Errorf("%s: the key is in %s", name, output)
				}
			}
		}
	}
}

func TestTheHubSaysWhereItsEventsAre(t *testing.T) {
	t.Parallel()
	e := standin.Start(t, standin.Config{})
	for _, c := range []struct {
		name, text string
		root       bool
		want       error
	}{
		{"the hub's own", e.Service(), true, nil},
		{"with another key", standin.Config{Policies: map[string]string{standin.Policy: "YW5vdGhlciBrZXkgb2Ygbm8gaHViLCAzMiBieXRlcw=="}}.Service(), true, events.ErrToken},
		{"without its root", e.Service(), false, access.ErrUntrusted},
	} {
		network := access.Network{Endpoint: e.Address}
		if c.root {
			network.Roots = e.Roots()
		}
		ctx, cancel := context.WithTimeout(t.Context(), within)
		at := config(e)
		at.ConnectionString, at.Hub = c.text, network
		r, err := events.Open(ctx, at)
		cancel()
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		if err == nil {
			err = r.Close(t.Context())
		}
		if err != nil && c.want == nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// Entra is not for the built-in endpoint, and the cure is said.
func TestConfigurationsThatCannotWork(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config events.Config
		says   string
	}{
		"nothing":                         {events.Config{}, "Built-in endpoints"},
		"Entra alone":                     {events.Config{Credential: tokens("any")}, "events: {namespace: NAME.servicebus.windows.net, name: HUB, entra: true}"},
		"Entra for the built-in endpoint": {events.Config{Credential: tokens("any"), Namespace: standin.Namespace, Name: standin.Entity}, "a route to it"},
		"both":                            {events.Config{Credential: tokens("any"), ConnectionString: standin.Config{}.Events()}, "give one of them"},
	} {
		_, err := events.Open(t.Context(), c.config)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnEventHubOfOnesOwnIsReadByEntra(t *testing.T) {
	t.Parallel()
	e := standin.Start(t, standin.Config{Namespace: "own.servicebus.windows.net", Entity: "rig", Tokens: []string{"taken"}})
	c := config(e)
	c.ConnectionString, c.Namespace, c.Name, c.Credential = "", "own.servicebus.windows.net", "rig", tokens("taken")
	r := open(t, c)
	e.Arrive(standin.Event{Device: "d", Body: []byte("1")})
	if m := message(t, r); string(m.Message.Payload) != "1" {
		t.Errorf("read %q", m.Message.Payload)
	}
	c.Credential = tokens("another")
	if _, err := events.Open(t.Context(), c); !errors.Is(err, events.ErrToken) {
		t.Error(err)
	}
}
