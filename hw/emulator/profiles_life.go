package emulator

import "time"

// bootSaid is what firmware says of its boot that tells it.
const bootSaid = "*** ADS-300 boot 1.2 ***"

// lifeProfiles differ in when one life of theirs ends and the next begins, and
// their counters with it.
func lifeProfiles() []Profile {
	const counted = "provisioning/presented provisioning/replace provisioning/persistent session/no-self-takeover session/conformance " +
		"delivery/first-message delivery/no-loss delivery/order delivery/no-duplicates recovery/power-cycle recovery/server-disconnect"
	return []Profile{
		{
			Name: "reboots-when-provisioned", Doc: "restarts by itself once it has its three files, and counts its messages from the beginning",
			Stands: "firmware that reads its identity at boot only", Specs: specs(counted + " provisioning/back-to-back"),
			apply: func(b *behaviour) { b.rebootsOnSet, b.boot, b.banner = true, ms(300), []string{bootSaid} },
		},
		{
			Name: "obeys-late", Doc: "goes on for two seconds after it was told to restart",
			Stands: "firmware that ends its tasks and unmounts its flash before it restarts", Specs: specs(counted),
			apply: func(b *behaviour) { b.rebootAfter, b.boot, b.banner = 2*time.Second, ms(300), []string{bootSaid} },
		},
	}
}
