package emulator

import (
	"crypto/tls"
	"encoding/binary"
	"time"
)

// tlsFaults are wrong in TLS itself.
func tlsFaults() []Fault {
	old := []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA}
	return []Fault{
		{
			Name: "tls10-allowed", Doc: "speaks TLS 1.0 if the hub does",
			Stands:   "defaults of old TLS libraries",
			CaughtBy: specs("tls/no-downgrade"), Words: specs("1.0"),
			apply: func(b *behaviour) { b.minVersion, b.suites = tls.VersionTLS10, append(b.suites, old...) },
		},
		{
			Name: "tls11-allowed", Doc: "speaks TLS 1.1 if the hub does",
			Stands:   "defaults of old TLS libraries",
			CaughtBy: specs("tls/no-downgrade"), Words: specs("1.1"),
			apply: func(b *behaviour) { b.minVersion, b.suites = tls.VersionTLS11, append(b.suites, old...) },
		},
		{
			Name: "tls13-only", Doc: "speaks nothing but TLS 1.3",
			Stands:   "ruuvi/ruuvi.gateway_esp.c#1025; Azure/azure-sphere-samples#200",
			CaughtBy: specs("tls/version"), Words: specs("TLS 1.3"),
			apply: func(b *behaviour) { b.minVersion, b.maxVersion = tls.VersionTLS13, tls.VersionTLS13 },
		},
		{
			Name: "no-common-suite", Doc: "offers no suite of IoT Hub's",
			Stands:   "fluffysquirrels/mqtt-async-client-rs#13",
			CaughtBy: specs("tls/cipher-suites"), Words: specs("ECDHE"),
			apply: func(b *behaviour) { b.suites = []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA} },
		},
		{
			Name: "rc4-offered", Doc: "offers RC4",
			Stands:   "RFC 7465; defaults of old TLS libraries",
			CaughtBy: specs("tls/cipher-suites"), Words: specs("RC4"),
			apply: func(b *behaviour) { b.suites = append(b.suites, tls.TLS_RSA_WITH_RC4_128_SHA) },
		},
		{
			Name: "compression-offered", Doc: "offers DEFLATE compression",
			Stands:   "CVE-2012-4929: stacks built with zlib",
			CaughtBy: specs("tls/client-hello"), Words: specs("compression"),
			apply: func(b *behaviour) { b.hello = &hello{compression: []byte{1, 0}} },
		},
		{
			Name: "md5-signatures", Doc: "takes signatures over MD5",
			Stands:   "CVE-2015-7575: RSA with MD5 in signature_algorithms",
			CaughtBy: specs("tls/client-hello"), Words: specs("MD5"),
			apply: func(b *behaviour) { b.hello = &hello{signatures: []uint16{schemeRSAPSS, schemeRSA, 0x0101}} },
		},
		{
			Name: "suite-breaks", Doc: "offers AES-256-GCM and fails when the hub chooses it",
			Stands:   "Tasmota#14624: what is compiled in is not what is offered",
			CaughtBy: specs("tls/each-suite"), Words: specs("AES_256_GCM"),
			apply: func(b *behaviour) {
				b.records = append(b.records, failOnSuite(tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384))
			},
		},
		{
			Name: "no-sni", Doc: "does not name the hub in its ClientHello",
			Stands:   "zimbora/esp32-BG95 PR#6; arduino-libraries/MKRGSM#156",
			CaughtBy: specs("tls/server-name"), Words: specs("server name"),
			apply: func(b *behaviour) { b.noSNI = true },
		},
		{
			Name: "no-client-certificate", Doc: "presents no certificate",
			Stands:   "espressif/esp-aws-iot#183: slots that are not handed to the TLS stack",
			CaughtBy: specs("tls/client-certificate"), Words: specs("certificate"),
			apply: func(b *behaviour) { b.noCertificate = true },
		},
		{
			Name: "small-rx-buffer", Doc: "fails on a handshake message above 4,096 bytes",
			Stands:   "Mbed-TLS/mbedtls#984 (-0x7200); SuperHouse/esp-open-rtos#729",
			CaughtBy: specs("tls/large-chain"), Words: specs("chain"),
			apply: func(b *behaviour) {
				b.records = append(b.records, func(_ *handshake, _ []byte, ms []message) error {
					for _, m := range ms {
						if m.size > 4096 {
							return stackError{"mbedtls_ssl_handshake returned -0x7200"}
						}
					}
					return nil
				})
			},
		},
		{
			Name: "no-reassembly", Doc: "fails on a handshake message that is spread over records",
			Stands:   "Mbed-TLS/mbedtls#1840, #387",
			CaughtBy: specs("tls/fragmented"), Words: specs("records"),
			apply: func(b *behaviour) {
				b.records = append(b.records, func(_ *handshake, _ []byte, ms []message) error {
					for _, m := range ms {
						if !m.whole {
							return stackError{"fragmented handshake messages are not supported"}
						}
					}
					return nil
				})
			},
		},
		{
			Name: "impatient", Doc: "gives a handshake up after a second and a half",
			Stands:   "time limits made on a desk, used on GPRS",
			CaughtBy: specs("tls/slow"), Words: []string{"takes 3s"},
			apply: func(b *behaviour) { b.handshakeWithin = 1500 * time.Millisecond },
		},
		{
			Name: "flaky-handshake", Doc: "fails one handshake in ten",
			Stands:   "espressif/esp-idf#4127",
			CaughtBy: specs("tls/handshakes"), Words: specs("completed"),
			apply: func(b *behaviour) {
				b.records = append(b.records, func(h *handshake, _ []byte, _ []message) error {
					if h.number%10 == 4 {
						return stackError{"out of memory"}
					}
					return nil
				})
			},
		},
	}
}

// failOnSuite fails when the hub's ServerHello (RFC 5246 7.4.1.3) chooses a
// suite.
func failOnSuite(suite uint16) recordEdit {
	return func(_ *handshake, _ []byte, ms []message) error {
		for _, m := range ms {
			const session = 2 + 32 // behind version and random
			if m.kind != messageServerHello || len(m.body) <= session {
				continue
			}
			at := session + 1 + int(m.body[session])
			if len(m.body) >= at+2 && binary.BigEndian.Uint16(m.body[at:]) == suite {
				return stackError{"no implementation of the negotiated suite"}
			}
		}
		return nil
	}
}
