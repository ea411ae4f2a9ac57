package emulator

import (
	"errors"
	"slices"
	"strings"
	"time"

	"hilrig/record"
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
	return slices.Concat(paceProfiles(), lifeProfiles(), consoleProfiles(), fileProfiles())
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
		WithCure("there is " + strings.Join(known, ", "))
}
