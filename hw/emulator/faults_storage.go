package emulator

import "strings"

// storageFaults are wrong in what is taken and in what becomes of it.
func storageFaults() []Fault {
	return []Fault{
		{
			Name: "ok-without-storing", Doc: "says OK to a second identity and keeps the first",
			Stands:   "Xinyuan-LilyGO/LilyGo-Modem-Series#183: AT+CCERTDOWN broken by an update",
			CaughtBy: specs("provisioning/replace"), Words: specs("second identity"),
			apply: func(b *behaviour) { b.firstOnly = true },
		},
		{
			Name: "truncates-2k", Doc: "keeps the first 2,000 bytes of a file",
			Stands:   "remne/p1ib#70: a field of 2,000 characters",
			CaughtBy: specs("provisioning/long-certificate"), Words: []string{"long certificate"},
			apply: func(b *behaviour) { b.keepBytes = 2000 },
		},
		{
			Name: "busy-after-long-key", Doc: "keeps the first 2,000 bytes of a file, and refuses the next one once where that cost it the key",
			Stands:   "a key store that rebuilds itself after it was overrun",
			CaughtBy: specs("provisioning/long-certificate"), Words: []string{"long certificate"},
			apply: func(b *behaviour) { b.keepBytes, b.busyAfterCut = 2000, true },
		},
		{
			Name: "drops-newlines", Doc: "loses line ends of two characters, and then cannot read the file",
			Stands:   "espressif/esp-idf#5177; aws/amazon-freertos#3381",
			CaughtBy: specs("provisioning/line-endings"), Words: []string{"CRLF"},
			apply: reads(func(s string) string {
				if strings.Contains(s, "\r\n") {
					return strings.ReplaceAll(s, "\r\n", "")
				}
				return s
			}),
		},
		{
			Name: "needs-lf", Doc: "cannot read a file with carriage returns",
			Stands:   "u-blox/ubxlib#242",
			CaughtBy: specs("provisioning/line-endings"), Words: []string{"CRLF"},
			apply: readsOnly(func(s string) bool { return !strings.Contains(s, "\r") }),
		},
		{
			Name: "needs-final-newline", Doc: "cannot read a file without a final newline",
			Stands:   "jembi/openhim-console#65",
			CaughtBy: specs("provisioning/line-endings"), Words: []string{"final newline"},
			apply: readsOnly(func(s string) bool { return strings.HasSuffix(s, "\n") || strings.HasSuffix(s, "\r") }),
		},
		{
			Name: "counts-nul", Doc: "takes the length with a terminating NUL that is not there, and loses the last character",
			Stands:   "espressif/esp-idf#17423: mbedtls_x509_crt_parse returned -0x2180",
			CaughtBy: specs("provisioning/line-endings"), Words: []string{"final newline"},
			apply: reads(func(s string) string { return s[:max(0, len(s)-1)] }),
		},
		{
			Name: "no-pkcs8", Doc: "says OK to a PKCS#8 key and cannot read it",
			Stands:   "espressif/esp-protocols#570: mbedtls_pk_parse_key returned -0x3D00",
			CaughtBy: specs("provisioning/key-forms"), Words: []string{"PKCS#8"},
			apply: readsOnly(func(s string) bool { return !strings.Contains(s, "BEGIN PRIVATE KEY") }),
		},
		{
			Name: "accepts-garbage", Doc: "says OK to a file that is no PEM",
			Stands:   "stores before it parses",
			CaughtBy: specs("provisioning/rejects-garbage"), Words: specs("no PEM"),
			apply: accepts(notPEM),
		},
		{
			Name: "accepts-truncated", Doc: "says OK to a PEM file without its end",
			Stands:   "remne/p1ib#70: cut before END CERTIFICATE, no error",
			CaughtBy: specs("provisioning/rejects-truncated"), Words: specs("END"),
			apply: accepts(cut),
		},
		{
			Name: "accepts-wrong-kind", Doc: "says OK to a certificate in the key's slot",
			Stands:   "stores before it parses",
			CaughtBy: specs("provisioning/rejects-wrong-kind"), Words: specs("key's slot"),
			apply: accepts(wrongKind),
		},
		{
			Name: "accepts-mismatched-pair", Doc: "says OK to a key that does not fit",
			Stands:   "Mbed-TLS/mbedtls#507; aws-iot-device-sdk-embedded-C#1766",
			CaughtBy: specs("provisioning/mismatched-pair"), Words: []string{"does not fit"},
			apply: accepts(noPair),
		},
		{
			Name: "swaps-slots", Doc: "presents what was loaded as root",
			Stands:   "two slots at one address",
			CaughtBy: specs("provisioning/presented"),
			apply:    func(b *behaviour) { b.swaps = true },
		},
		{
			Name: "abort-wipes-identity", Doc: "loses its identity when a transfer is cut short",
			Stands:   "erases before it writes",
			CaughtBy: specs("provisioning/aborted-transfer"), Words: specs("lost"),
			apply: func(b *behaviour) { b.wipesByCut = true },
		},
		{
			Name: "forgets-identity", Doc: "loses its identity with its power",
			Stands:   "an identity kept in RAM",
			CaughtBy: specs("provisioning/persistent"), Words: []string{"power cycle"},
			apply: func(b *behaviour) { b.forgets = true },
		},
		{
			Name: "half-written", Doc: "writes a file over the one before while it comes",
			Stands:   "one place in flash for each file",
			CaughtBy: specs("provisioning/power-cut"), Words: []string{"in the middle of"},
			apply: func(b *behaviour) { b.inPlace = true },
		},
		{
			Name: "single-root", Doc: "goes on with the first root it was given, whatever is loaded later",
			Stands:   "Spyro-Soft/scargo#281, nrfconnect/sdk-nrf PR#13536: the root is baked in",
			CaughtBy: specs("tls/root-rotation"), Words: []string{"second root"},
			apply: func(b *behaviour) { b.firstRoot = true },
		},
		{
			Name: "keeps-old-root", Doc: "goes on trusting the root that was replaced, beside the new one",
			Stands:   "a fallback to the last root that worked: one that was given up because its key is known is trusted for ever",
			CaughtBy: specs("tls/root-rotation"), Words: []string{"first root", "replaced"},
			apply: func(b *behaviour) { b.keepsRoots = true },
		},
	}
}

func accepts(reason string) func(*behaviour) {
	return func(b *behaviour) { b.accepts[reason] = true }
}

// reads is a TLS stack that reads something else than what was stored.
func reads(what func(string) string) func(*behaviour) {
	return func(b *behaviour) { b.read = func(_ int, s string) string { return what(s) } }
}

// readsOnly is one that can read only some files.
func readsOnly(ok func(string) bool) func(*behaviour) {
	return reads(func(s string) string {
		if ok(s) {
			return s
		}
		return ""
	})
}
