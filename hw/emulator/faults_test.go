package emulator

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"

	"hilrig/record"
)

func TestGalleryIsWhole(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, f := range Faults() {
		if seen[f.Name] {
			t.Errorf("%s twice", f.Name)
		}
		seen[f.Name] = true
		if f.Doc == "" || f.Stands == "" || len(f.CaughtBy) == 0 || f.apply == nil {
			t.Errorf("%s: %+v", f.Name, f)
		}
		if _, err := (Config{Faults: []string{f.Name}}).firmware(); err != nil {
			t.Error(err)
		}
	}
}

func TestUnknownFault(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"no-verfy":                  "(did you mean no-verify?)",
		"reconnect-strom":           "(did you mean reconnect-storm?)",
		"something-else-altogether": "no such firmware (hilrig emulate --list-faults",
	} {
		_, err := (Config{Faults: []string{name}}).firmware()
		if record.ClassOf(err) != record.Usage || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// session boots a device with a fault and a short keep-alive.
func session(t *testing.T, fault string, c Config) *fixture {
	t.Helper()
	f := newFixture(t, nil, nil)
	c.Faults = []string{fault}
	f.boot(t, c, nil)
	return f
}

// What each fault's CONNECT has.
func TestConnectFaults(t *testing.T) {
	t.Parallel()
	for fault, wrong := range map[string]func(connect) bool{
		"mqtt31":                    func(c connect) bool { return c.protocol == "MQIsdp" && c.level == 3 },
		"mqtt5":                     func(c connect) bool { return c.level == 5 && c.extra == "\x00" && c.id == "NewDevice" },
		"wrong-client-id":           func(c connect) bool { return c.id == "NewDevice-1" },
		"user-name-without-version": func(c connect) bool { return c.user == "hub.test/NewDevice" },
		"sends-password":            func(c connect) bool { return c.pass != "" },
		"keep-alive-zero":           func(c connect) bool { return c.keepAlive == 0 },
		"keep-alive-huge":           func(c connect) bool { return c.keepAlive > 1177 },
		"illegal-will":              func(c connect) bool { return c.willTopic == "tele/NewDevice/LWT" },
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			f := session(t, fault, Config{})
			if c := readConnect(t, f.packet("CONNECT", kindConnect).p); !wrong(c) {
				t.Errorf("CONNECT %+v", c)
			}
		})
	}
}

// What the hub sees of each fault's packets.
func TestPacketFaults(t *testing.T) {
	t.Parallel()
	publish := func(t *testing.T, f *fixture) *packet { return f.packet("telemetry", kindPublish).p }
	numbers := func(t *testing.T, f *fixture, n int) (ns []int64) {
		for range n {
			ns = append(ns, f.seq(t))
		}
		return ns
	}
	for fault, see := range map[string]func(t *testing.T, f *fixture) bool{
		"qos2":     func(t *testing.T, f *fixture) bool { return publish(t, f).qos() == 2 },
		"retained": func(t *testing.T, f *fixture) bool { return publish(t, f).head&flagRetain != 0 },
		"oversize": func(t *testing.T, f *fixture) bool { return len(publish(t, f).body) > 256<<10 },
		"wrong-topic": func(t *testing.T, f *fixture) bool {
			topic, _ := topicAndPayload(publish(t, f))
			return topic == "sensors/NewDevice/temperature"
		},
		"corrupt-payload": func(t *testing.T, f *fixture) bool {
			_, payload := topicAndPayload(publish(t, f))
			return strings.HasPrefix(string(payload), "devices/")
		},
		"dup-on-first":   func(t *testing.T, f *fixture) bool { return publish(t, f).head&flagDup != 0 },
		"packet-id-zero": func(t *testing.T, f *fixture) bool { publish(t, f); return string(publish(t, f).id()) == "\x00\x00" },
		"second-connect": func(t *testing.T, f *fixture) bool {
			publish(t, f)
			_, again := f.within(2*time.Second, isPacket(kindConnect))
			return again
		},
		"subscribe-many": func(t *testing.T, f *fixture) bool {
			for range 6 {
				f.packet("SUBSCRIBE", 8)
			}
			return true
		},
		"loses-messages": func(t *testing.T, f *fixture) bool { return slices.Equal(numbers(t, f, 5), []int64{1, 2, 3, 5, 6}) },
		"duplicates":     func(t *testing.T, f *fixture) bool { return slices.Equal(numbers(t, f, 5), []int64{1, 2, 3, 3, 4}) },
		"reorders":       func(t *testing.T, f *fixture) bool { return slices.Equal(numbers(t, f, 5), []int64{1, 2, 4, 3, 5}) },
		"no-publish":     func(t *testing.T, f *fixture) bool { return !f.publishes(500 * time.Millisecond) },
		"stalls":         func(t *testing.T, f *fixture) bool { numbers(t, f, 3); return !f.publishes(500 * time.Millisecond) },
		"drifting-interval": func(t *testing.T, f *fixture) bool {
			first := f.packet("telemetry", kindPublish).at
			return f.packet("telemetry", kindPublish).at.Sub(first) > 200*time.Millisecond
		},
		"self-takeover": func(t *testing.T, f *fixture) bool {
			publish(t, f)
			f.packet("CONNECT", kindConnect)
			e := f.await("the end of the old session, or the next data", func(e hubEvent) bool { return e.kind == "closed" || isPacket(kindPublish)(e) })
			return e.kind != ""
		},
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			if !see(t, session(t, fault, Config{})) {
				t.Error("it does not show")
			}
		})
	}
}

func (f *fixture) publishes(within time.Duration) bool {
	_, ok := f.within(within, isPacket(kindPublish))
	return ok
}

func TestResendFaults(t *testing.T) {
	t.Parallel()
	for fault, see := range map[string]func(first, then *packet) bool{
		"resend-without-dup": func(first, then *packet) bool {
			return then.head&flagDup == 0 && string(then.body) == string(first.body)
		},
		"never-resends": func(first, then *packet) bool { return string(then.body) != string(first.body) },
	} {
		f := newFixture(t, nil, nil)
		f.behave(script{withholdAcks: true})
		f.boot(t, Config{Faults: []string{fault}}, nil)
		first := f.packet("telemetry", kindPublish).p
		f.behave(script{})
		f.drop()
		if then := f.packet("telemetry", kindPublish).p; !see(first, then) {
			t.Errorf("%s: %q, then %q", fault, first.body, then.body)
		}
	}
}

func TestKeepAliveFaults(t *testing.T) {
	t.Parallel()
	quiet := Config{Interval: time.Hour, KeepAlive: time.Second}
	for fault, tc := range map[string]struct {
		hub    script
		pings  bool
		closes bool
	}{
		"no-ping":                  {hub: script{}, pings: false, closes: false},
		"ignores-missing-pingresp": {hub: script{noPingresp: true}, pings: true, closes: false},
		"half-open-blind":          {hub: script{noPingresp: true}, pings: true, closes: false},
		"impatient-pingresp":       {hub: script{pingDelay: 800 * time.Millisecond}, pings: true, closes: true},
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, nil, nil)
			f.behave(tc.hub)
			c := quiet
			c.Faults = []string{fault}
			f.boot(t, c, nil)
			f.packet("telemetry", kindPublish)
			if _, pings := f.within(1500*time.Millisecond, isPacket(kindPingreq)); pings != tc.pings {
				t.Errorf("pings: %v", pings)
			}
			if _, closes := f.within(2*time.Second, isKind("closed")); closes != tc.closes {
				t.Errorf("gives up: %v", closes)
			}
		})
	}
}

// A message of the hub is acknowledged, of any size.
func TestInboundMessages(t *testing.T) {
	t.Parallel()
	for fault, want := range map[string]string{"": "puback", "no-puback": "nothing", "inbound-over-237-kills": "closed"} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, nil, nil)
			f.behave(script{inbound: 60000})
			var faults []string
			if fault != "" {
				faults = []string{fault}
			}
			f.boot(t, Config{Faults: faults, Interval: time.Hour}, nil)
			f.packet("SUBSCRIBE", 8)
			got := "nothing"
			if e, ok := f.within(time.Second, func(e hubEvent) bool { return e.kind == "closed" || isPacket(kindPuback)(e) }); ok {
				if got = e.kind; got == "packet" {
					got = "puback"
					if binary.BigEndian.Uint16(e.p.id()) != 7 {
						t.Errorf("PUBACK of % x", e.p.id())
					}
				}
			}
			if got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
}

// How faults come back, or not, when a session is lost.
func TestRecoveryFaults(t *testing.T) {
	t.Parallel()
	for fault, tc := range map[string]struct {
		hub         script // from the second session on
		least, most time.Duration
		never       bool
	}{
		"never-reconnects":     {never: true},
		"reconnect-storm":      {most: 300 * time.Millisecond},
		"constant-retry":       {least: 1900 * time.Millisecond, most: 2300 * time.Millisecond},
		"storm-after-takeover": {most: 300 * time.Millisecond},
		"leaks-per-reconnect":  {least: 1200 * time.Millisecond, most: 2 * time.Second},
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			b, err := (Config{Faults: []string{fault}}).firmware()
			if err != nil {
				t.Fatal(err)
			}
			if wait := b.retry.gap(ended{session: true}, 0, 0) + b.retry.leak; wait < 0 != tc.never || !tc.never && (wait < tc.least || wait > tc.most) {
				t.Errorf("means to come back after %s", wait)
			}
			f := session(t, fault, Config{})
			f.packet("telemetry", kindPublish)
			f.drop()
			dropped := time.Now()
			e, back := f.within(3*time.Second, isKind("accepted"))
			if back == tc.never {
				t.Fatalf("comes back: %v", back)
			}
			if d := e.at.Sub(dropped); back && d < tc.least { // a busy machine makes it later, and nothing sooner
				t.Errorf("after %s", d)
			}
		})
	}
	t.Run("exponential-without-jitter", func(t *testing.T) {
		t.Parallel()
		b, err := (Config{Faults: []string{"exponential-without-jitter"}}).firmware()
		if err != nil {
			t.Fatal(err)
		}
		if a, c := b.retry.gap(ended{}, 3, 0), b.retry.gap(ended{}, 3, 0); a != c {
			t.Errorf("%s, %s", a, c)
		}
	})
	t.Run("gives-up-when-refused", func(t *testing.T) {
		t.Parallel()
		f := newFixture(t, nil, nil)
		f.behave(script{connack: 5})
		f.boot(t, Config{Faults: []string{"gives-up-when-refused"}}, nil)
		f.packet("CONNECT", kindConnect)
		if _, back := f.within(3*time.Second, isPacket(kindConnect)); back {
			t.Error("it comes back")
		}
	})
	t.Run("connects-on-without-connack", func(t *testing.T) {
		t.Parallel()
		f := newFixture(t, nil, nil)
		f.behave(script{silentConnack: true})
		f.boot(t, Config{Faults: []string{"connects-on-without-connack"}}, nil)
		f.packet("telemetry", kindPublish)
	})
	t.Run("no-resubscribe", func(t *testing.T) {
		t.Parallel()
		f := session(t, "no-resubscribe", Config{})
		f.packet("SUBSCRIBE", 8)
		f.drop()
		f.packet("CONNECT", kindConnect)
		if _, again := f.within(time.Second, isPacket(8)); again {
			t.Error("it subscribes again")
		}
	})
	t.Run("stalls-on-slow-link", func(t *testing.T) {
		t.Parallel()
		f := newFixture(t, nil, nil)
		f.behave(script{connackDelay: 700 * time.Millisecond})
		f.boot(t, Config{Faults: []string{"stalls-on-slow-link"}}, nil)
		f.packet("SUBSCRIBE", 8)
		if f.publishes(time.Second) {
			t.Error("it publishes")
		}
	})
	t.Run("forgets-hub-after-restart", func(t *testing.T) {
		t.Parallel()
		f := session(t, "forgets-hub-after-restart", Config{})
		f.packet("telemetry", kindPublish)
		addr := f.addr()
		_ = f.ln.Close()
		f.drop()
		time.Sleep(1500 * time.Millisecond)
		again := newHubAt(t, addr, f.config)
		if _, back := again.within(4*time.Second, isKind("accepted")); back {
			t.Error("it comes back")
		}
	})
}

// Sound firmware without a CONNACK publishes nothing, gives up, and comes back.
func TestNoConnack(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil, nil)
	f.behave(script{silentConnack: true})
	f.boot(t, Config{KeepAlive: 2 * time.Second}, nil)
	f.packet("CONNECT", kindConnect)
	e := f.await("end", func(e hubEvent) bool { return e.kind == "closed" || isPacket(kindPublish)(e) })
	if e.kind != "closed" {
		t.Error("publishes without a CONNACK")
	}
	f.packet("CONNECT", kindConnect)
}
