package emulator

import "time"

// trustFaults are wrong in what they take for their hub.
func trustFaults() []Fault {
	lacks := func(check string) func(*behaviour) {
		return func(b *behaviour) { b.skip[check] = true }
	}
	return []Fault{
		{
			Name: "clock-unset", Doc: "takes every certificate for not yet valid, because its clock begins in 1970",
			Stands:   "espressif/esp-at#432, Meadow_Issues#714: a clock that nobody has set",
			CaughtBy: specs("delivery/first-message"), Words: specs("clock set"),
			apply: func(b *behaviour) {
				boot := time.Now()
				b.now = func() time.Time { return time.Unix(0, 0).Add(time.Since(boot)) }
			},
		},
		{
			Name: "no-verify", Doc: "does not verify its hub at all",
			Stands:   "SmingHub/Sming#2068; cniles/picow-iot#4; ClusterM/open-bamboo-networking#22",
			CaughtBy: specs("tls/unknown-root tls/self-signed tls/wrong-name tls/expired"), Words: specs("CONNECT"),
			apply: lacks(checkAll),
		},
		{
			Name: "no-host-check", Doc: "verifies the chain and not the name",
			Stands:   "eclipse-paho/paho.mqtt.c#420; paho.mqtt.java#38; Tasmota#6106",
			CaughtBy: specs("tls/wrong-name"), Words: specs("another host"),
			apply: lacks(checkHost),
		},
		{
			Name: "no-expiry-check", Doc: "takes an expired certificate",
			Stands:   "Tasmota PR#9757: judges by a time out of flash",
			CaughtBy: specs("tls/expired"), Words: specs("expired"),
			apply: lacks(checkExpired),
		},
		{
			Name: "no-not-before-check", Doc: "takes a certificate that is not yet valid",
			Stands:   "espressif/esp-at#432, Meadow_Issues#714: the check is switched off because the clock is not set",
			CaughtBy: specs("tls/not-yet-valid"), Words: specs("not yet valid"),
			apply: lacks(checkEarly),
		},
		{
			Name: "no-purpose-check", Doc: "takes a certificate that is not for servers",
			Stands:   "RFC 5280 4.2.1.12: the key usage is not looked at",
			CaughtBy: specs("tls/no-server-auth"), Words: specs("serverAuth"),
			apply: lacks(checkPurpose),
		},
		{
			Name: "no-ca-check", Doc: "takes a chain over a certificate that is no CA",
			Stands:   "RFC 5280 4.2.1.9: any holder of a certificate can make another",
			CaughtBy: specs("tls/not-a-ca"), Words: specs("no CA"),
			apply: lacks(checkCA),
		},
		{
			Name: "namesake-root", Doc: "knows its root by name and key identifier, and does not look at its key",
			Stands:   "CVE-2020-0601's kind, a root taken for another by a part of it; RFC 5280 6.1.3",
			CaughtBy: specs("tls/namesake-root"), Words: specs("namesake"),
			apply: lacks(checkRootKey),
		},
		{
			Name: "skips-signature", Doc: "verifies the chain, and not that the hub has its key",
			Stands:   "CVE-2014-1266 (goto fail); RFC 5246 7.4.3",
			CaughtBy: specs("tls/stolen-certificate"), Words: specs("another key"),
			apply: func(b *behaviour) { b.skipsSignature = true },
		},
		{
			Name: "verifies-nothing-after-bad-root", Doc: "takes any file as root, and verifies nothing if it cannot be read",
			Stands:   "cniles/picow-iot#4: a parse failure falls back to no verification",
			CaughtBy: specs("provisioning/rejects-garbage"), Words: specs("unknown root"),
			apply: func(b *behaviour) { b.anyRoot, b.trustsAfterBadRoot = true, true },
		},
		{
			Name: "silent-refusal", Doc: "refuses without a TLS alert",
			Stands:   "stacks that close the socket",
			CaughtBy: specs("tls/unknown-root"), Words: specs("without a TLS alert"),
			apply: func(b *behaviour) { b.mute = true },
		},
	}
}
