package emulator

import (
	"cmp"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"hilrig/record"
	"hilrig/record/wording"
)

// Profile is a shape that sound firmware may have: its pace, its words, its
// patience. No spec may be red, or warn, because of one.
type Profile struct {
	Name    string   // for --profile
	Doc     string   // what is unusual about it
	Stands  string   // which real device it stands for
	Specs   []string // by id or pattern (tls/*), that it is held against; empty: every one
	Warns   []string // of those, the ones that the catalogue lets warn because of it
	Devices int      // that share its specs in a selftest, where it is slow; 0: one
	apply   func(*behaviour)
}

// ProfileFast is the sound firmware that the others differ from.
const ProfileFast = "fast"

// Profiles are the shapes of sound firmware, by area.
func Profiles() []Profile {
	return slices.Concat(paceProfiles(), lifeProfiles(), consoleProfiles(), fileProfiles(), retryProfiles())
}

// paceProfiles differ in how fast they are, and how much they say.
func paceProfiles() []Profile {
	return []Profile{
		{
			Name: ProfileFast, Doc: "boots in no time and answers at once",
			Stands: "a board on a desk",
			apply:  func(*behaviour) {},
		},
		{
			Name: "slow", Doc: "boots for three seconds, thinks before each answer, and has 600 ms to its hub and back",
			Stands: "a board with a GPRS modem", Devices: 2,
			apply: func(b *behaviour) {
				b.boot, b.connectWait = 3*time.Second, 1500*time.Millisecond
				b.think, b.store = span{ms(200), ms(400)}, span{ms(300), ms(800)}
				b.oneWay = ms(300)
				b.pings.answer = 1.25 // a late answer comes later still
				b.patience = func(time.Duration) time.Duration { return 3 * time.Second }
			},
		},
		{
			Name: "chatty", Doc: "logs all the time, has no echo, ends lines with LF alone, subscribes to new sessions only",
			Stands: "a development build",
			apply: func(b *behaviour) {
				b.echo, b.newline, b.chatter = false, "\n", ms(120)
				b.subscribesNew = true
			},
		},
		{
			Name: "periodic", Doc: "says good-bye after each message, and comes back for the next",
			Stands: "a battery-powered logger",
			Specs: specs("session/pings session/late-pingresp session/no-self-takeover delivery/first-message delivery/interval " +
				"delivery/no-loss recovery/server-disconnect recovery/connection-cut"),
			apply: func(b *behaviour) { b.periodic = true },
		},
	}
}

// retrying are the specs that see how a device waits between two tries.
const retrying = "session/refused session/no-connack recovery/server-disconnect recovery/backoff recovery/takeover-backoff " +
	"recovery/connection-cut recovery/cut-in-handshake"

// chancy are those that may warn of a backoff with much chance in it: that it
// came back sooner than a second, or that sixteen gaps did not decide.
const chancy = "recovery/server-disconnect recovery/backoff recovery/takeover-backoff session/no-connack"

// retryProfiles differ in how they wait between two tries, scaled down.
func retryProfiles() []Profile {
	up := func(n int) float64 { return math.Pow(2, float64(min(n, 30))) }
	seconds := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	return []Profile{
		{
			Name: "full-jitter", Doc: "waits anywhere from nothing to a pause that doubles, up to 10 s",
			Stands: "AWS SDKs: exponential backoff with full jitter", Specs: specs(retrying), Warns: specs(chancy),
			apply: func(b *behaviour) {
				b.retry.draw = func(n int, _ time.Duration) time.Duration { return seconds(rand.Float64() * math.Min(10, up(n))) }
			},
		},
		{
			Name: "decorrelated", Doc: "waits anywhere from a second to three times its last pause, up to 10 s",
			Stands: "AWS SDKs: decorrelated jitter", Specs: specs(retrying), Warns: specs(chancy),
			apply: func(b *behaviour) {
				b.retry.draw = func(n int, before time.Duration) time.Duration {
					if n == 0 {
						before = time.Second
					}
					return min(10*time.Second, seconds(1+rand.Float64()*(3*before.Seconds()-1)))
				}
			},
		},
		{
			Name: "microsoft-sdk", Doc: "begins at a tenth of a second, and doubles with jitter up to 10 s",
			Stands: "Azure IoT device SDKs: ExponentialBackOffWithJitter", Specs: specs(retrying), Warns: specs(chancy),
			apply: func(b *behaviour) {
				b.retry.draw = func(n int, _ time.Duration) time.Duration {
					return seconds(math.Min(10, 0.1+(up(n)-1)*(0.05+0.075*rand.Float64())))
				}
			},
		},
		{
			Name: "stable-reset", Doc: "starts its backoff over only after a session that has stood for three seconds",
			Stands: "firmware that counts a connection as good after some time", Specs: specs(retrying),
			apply: func(b *behaviour) { b.retry.stable = 3 * time.Second },
		},
		{
			Name: "long-ceiling", Doc: "doubles its pauses up to five minutes",
			Stands: "firmware for metered links", Specs: specs("recovery/backoff"), // one row: its gaps are long
			apply: func(b *behaviour) { b.retry.growth, b.retry.most = 2, 5*time.Minute },
		},
		{
			Name: "falls-back-to-3.1", Doc: "tries MQTT 3.1 at once when its version is refused",
			Stands: "Eclipse Paho's clients", Specs: specs("session/refused"), Warns: specs("session/refused"),
			apply: func(b *behaviour) { b.olderOnce = true },
		},
	}
}

// FindProfile finds a profile by name; empty is fast. The error for an unknown
// one, of class usage, names them all.
func FindProfile(name string) (Profile, error) {
	if name == "" {
		name = ProfileFast
	}
	var known []string
	for _, p := range Profiles() {
		if p.Name == name {
			return p, nil
		}
		known = append(known, p.Name)
	}
	return Profile{}, record.NewFailure(record.Usage, "find profile", name, errors.New("no such profile")).
		WithCure(cmp.Or(wording.DidYouMean(name, known), "there is "+strings.Join(known, ", ")))
}
