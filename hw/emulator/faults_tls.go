package emulator

import "crypto/tls"

// tlsFaults are wrong towards the hub's certificate, or in TLS itself.
func tlsFaults() []Fault {
	return []Fault{
		{"tls10-allowed", "speaks TLS 1.0 if the hub does", "old defaults", specs("tls/no-downgrade"), specs("1.0"), func(b *behaviour) { b.minVersion = tls.VersionTLS10; b.suites = append(b.suites, 0xc013, 0xc014) }},
		{"tls11-allowed", "speaks TLS 1.1 if the hub does", "old defaults", specs("tls/no-downgrade"), specs("1.1"), func(b *behaviour) { b.minVersion = tls.VersionTLS11; b.suites = append(b.suites, 0xc013, 0xc014) }},
		{"tls13-only", "speaks nothing but TLS 1.3", "ruuvi.gateway_esp.c#1025; azure-sphere-samples#200", specs("tls/version"), specs("TLS 1.3"), func(b *behaviour) { b.minVersion, b.maxVersion = tls.VersionTLS13, tls.VersionTLS13 }},
		{"no-common-suite", "offers no suite of IoT Hub's", "mqtt-async-client-rs#13", specs("tls/cipher-suites"), specs("ECDHE"), func(b *behaviour) { b.suites = []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA} }},
		{"rc4-offered", "offers RC4", "RFC 7465", specs("tls/cipher-suites"), specs("RC4"), func(b *behaviour) { b.suites = append(b.suites, tls.TLS_RSA_WITH_RC4_128_SHA) }},
		{"no-sni", "does not name the hub in its ClientHello", "zimbora/esp32-BG95 PR#6", specs("tls/server-name"), specs("server name"), func(b *behaviour) { b.noSNI = true }},
		{"no-client-certificate", "presents no certificate", "slots 20 and 30 not wired to the TLS stack", specs("tls/client-certificate"), specs("certificate"), func(b *behaviour) { b.noClientCert = true }},
		{"no-verify", "does not verify its hub at all", "SmingHub/Sming#2068; LilyGo-Modem-Series#77", specs("tls/unknown-root tls/self-signed tls/wrong-name tls/expired"), specs("CONNECT"), func(b *behaviour) { b.skipAll = true }},
		{"no-host-check", "verifies the chain and not the name", "eclipse-paho/paho.mqtt.c#420; Tasmota#6106", specs("tls/wrong-name"), specs("another host"), func(b *behaviour) { b.skipHost = true }},
		{"no-expiry-check", "takes an expired certificate", "Tasmota PR#9757", specs("tls/expired"), specs("expired"), func(b *behaviour) { b.skipExpiry = true }},
		{"no-not-before-check", "takes a certificate that is not yet valid", "espressif/esp-at#432", specs("tls/not-yet-valid"), specs("not yet valid"), func(b *behaviour) { b.skipNotBefore = true }},
		{"no-purpose-check", "takes a certificate that is not for servers", "RFC 5280 4.2.1.12", specs("tls/no-server-auth"), specs("serverAuth"), func(b *behaviour) { b.skipPurpose = true }},
		{"no-ca-check", "takes a chain over a certificate that is no CA", "RFC 5280 4.2.1.9", specs("tls/not-a-ca"), specs("no CA"), func(b *behaviour) { b.skipCA = true }},
		{"verifies-nothing-after-bad-root", "verifies nothing once its root cannot be read", "cniles/picow-iot#4", specs("provisioning/rejects-garbage"), specs("no PEM"), func(b *behaviour) { b.acceptGarbage, b.trustAfterBadRoot = true, true }},
		{"silent-refusal", "refuses without a TLS alert", "stacks that close the socket", specs("tls/unknown-root"), specs("without a TLS alert"), func(b *behaviour) { b.mute = true }},
		{"flaky-handshake", "fails one handshake in ten", "espressif/esp-idf#4127", specs("tls/handshakes"), nil, func(b *behaviour) { b.flaky = 10 }},
	}
}
