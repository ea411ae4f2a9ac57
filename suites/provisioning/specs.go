package provisioning

import (
	"hilrig/fixtures"
)

// Specs are the area's, in order.
func Specs() []fixtures.Spec {
	core := []string{"core"}
	smoke := []string{"core", "smoke"}
	return []fixtures.Spec{
		{
			ID: "provisioning/root", Labels: smoke,
			Text:   "answers COMMAND PROCESSED OK to the root certificate",
			Why:    "OK means success: a device that does not say it cannot be onboarded",
			Source: "G",
			Limit:  fixtures.LimitProvision, Cost: fixtures.Cost{Loads: 1},
			Measures: []string{"time to OK", "transfer"},
			Body:     loads(fixtures.SlotRoot),
		},
		{
			ID: "provisioning/certificate", Labels: smoke,
			Text:   "answers COMMAND PROCESSED OK to its certificate",
			Why:    "OK means success: a device that does not say it cannot be onboarded",
			Source: "G",
			Limit:  fixtures.LimitProvision, Cost: fixtures.Cost{Loads: 1},
			Measures: []string{"time to OK", "transfer"},
			Body:     loads(fixtures.SlotCertificate),
		},
		{
			ID: "provisioning/key", Labels: smoke,
			Text:   "answers COMMAND PROCESSED OK to its private key",
			Why:    "OK means success: a device that does not say it cannot be onboarded",
			Source: "G",
			Limit:  fixtures.LimitProvision, Cost: fixtures.Cost{Connects: 1, Loads: 1},
			Measures: []string{"time to OK", "transfer"},
			Body:     loads(fixtures.SlotKey),
		},
		{
			ID: "provisioning/presented", Labels: core,
			Text:   "presents the certificate that was loaded and proves its key",
			Why:    "another certificate than the one loaded belongs to another device, or to nobody",
			Source: "G",
			Needs:  fixtures.Needs{"W"},
			Limit:  fixtures.LimitProvision, Cost: fixtures.Cost{Connects: 1},
			Measures: []string{"handshake"},
			Body:     presented,
		},
		{
			ID:     "provisioning/line-rate",
			Text:   "takes its files at the line's rate",
			Why:    "minutes at the bench, times the fleet",
			Source: "G",
			Limit:  fixtures.LimitProvision, Cost: fixtures.Free(),
			Measures: []string{
				"seconds for root certificate",
				"seconds for device certificate",
				"seconds for private key",
				"line share for root certificate",
				"line share for device certificate",
				"line share for private key",
			},
			Body: lineRate,
		},
		{
			ID: "provisioning/replace", Labels: core,
			Text:   "uses the second identity once it is loaded, and never the first again",
			Why:    "a revoked identity that stays in use",
			Source: "G",
			Needs:  fixtures.Needs{"W", "R"},
			Limit:  fixtures.LimitProvision, Cost: fixtures.Cost{Connects: 2, Loads: 3},
			Body: replace,
		},
		{
			ID: "provisioning/rejects-garbage", Labels: core,
			Text:   "does not say OK to a file that is no PEM",
			Why:    "a typo at the bench becomes a device that never connects, or trusts everybody",
			Source: "G",
			Limit:  fixtures.LimitLong, Cost: fixtures.Cost{Connects: 1, Loads: 2},
			Body: rejectsGarbage,
		},
		{
			ID: "provisioning/rejects-truncated", Labels: core,
			Text:   "does not say OK to a PEM file without its END line",
			Why:    "a slipped cable becomes a device that never connects",
			Source: "G",
			Limit:  fixtures.LimitLong, Cost: fixtures.Cost{Connects: 1, Loads: 1},
			Body: rejectsTruncated,
		},
		{
			ID: "provisioning/rejects-wrong-kind", Labels: core,
			Text:   "does not say OK to a certificate in the key's slot",
			Why:    "swapped files are the commonest mistake of all",
			Source: "G",
			Limit:  fixtures.LimitLong, Cost: fixtures.Cost{Connects: 1, Loads: 1},
			Body: rejectsWrongKind,
		},
		{
			ID: "provisioning/rejects-unknown-slot", Labels: core,
			Text:   "does not say OK to a slot that does not exist",
			Why:    "an OK for nothing hides a typo in the command",
			Source: "G",
			Limit:  fixtures.LimitLong, Cost: fixtures.Cost{Connects: 1},
			Body: rejectsUnknownSlot,
		},
		{
			ID: "provisioning/aborted-transfer", Labels: core,
			Text:   "comes back from a transfer that was cut short",
			Why:    "a pulled cable must not brick a device",
			Source: "field",
			Limit:  fixtures.LimitLong, Cost: fixtures.Cost{Connects: 4, Loads: 5, Aborts: 1},
			Body: abortedTransfer,
		},
		{
			ID:     "provisioning/line-endings",
			Text:   "takes or refuses other line ends, and never says OK to what it cannot use",
			Why:    "a certificate that came through a mail or an editor has other line ends, and nobody sees it",
			Source: "field",
			Needs:  fixtures.Needs{"R"},
			Limit:  fixtures.LimitLong, Cost: fixtures.Cost{Connects: 1, Loads: 3},
			Body: lineEndings,
		},
		{
			ID:     "provisioning/long-certificate",
			Text:   "takes or refuses an RSA 4096 identity with a long subject, and never says OK to what it cannot use",
			Why:    "the next authority's certificates are longer, and half of one is none",
			Source: "field",
			Needs:  fixtures.Needs{"R"},
			Limit:  fixtures.LimitLong, Cost: fixtures.Cost{Connects: 1, Loads: 3},
			Body: longCertificate,
		},
		{
			ID:     "provisioning/key-forms",
			Text:   "takes or refuses PKCS#1 and PKCS#8 keys, and never says OK to what it cannot use",
			Why:    "openssl has changed its default form once already",
			Source: "field",
			Needs:  fixtures.Needs{"R"},
			Limit:  fixtures.LimitLong, Cost: fixtures.Free(),
			Body: keyForms,
		},
		{
			ID:     "provisioning/mismatched-pair",
			Text:   "does not say OK to a key that does not fit its certificate",
			Why:    "files of two devices in one folder: it must be said at the bench, not in the field",
			Source: "field",
			Needs:  fixtures.Needs{"R"},
			Limit:  fixtures.LimitLong, Cost: fixtures.Cost{Connects: 1, Loads: 2},
			Body: mismatchedPair,
		},
		{
			ID:     "provisioning/back-to-back",
			Text:   "takes six files in a row without a pause",
			Why:    "a line provisions with scripts that wait for nothing",
			Source: "field",
			Needs:  fixtures.Needs{"R"},
			Limit:  fixtures.LimitLong, Cost: fixtures.Cost{Connects: 2, Loads: 6},
			Body: backToBack,
		},
		{
			ID:     "provisioning/any-order",
			Text:   "takes the three files in another order",
			Why:    "scripts and people send the key first",
			Source: "G",
			Needs:  fixtures.Needs{"R"},
			Limit:  fixtures.LimitLong, Cost: fixtures.Free(),
			Body: anyOrder,
		},
		{
			ID:     "provisioning/noise",
			Text:   "says OK and loses nothing with log lines in between",
			Why:    "log lines in between must neither cost a byte nor say OK",
			Source: "field",
			Limit:  fixtures.LimitProvision, Cost: fixtures.Free(),
			Measures: []string{"lines in between"},
			Body:     noise,
		},
		{
			ID:     "provisioning/persistent",
			Text:   "still has its identity after a power cycle",
			Why:    "a device that forgets its identity is onboarded once for each power cut",
			Source: "G",
			Needs:  fixtures.Needs{"P"},
			Limit:  fixtures.LimitLong, Cost: fixtures.Cost{Connects: 2},
			Body: persistent,
		},
		{
			ID:     "provisioning/power-cut",
			Text:   "boots with the old or the new identity when power is lost in the middle of a file",
			Why:    "half an identity cannot be mended from afar",
			Source: "field",
			Needs:  fixtures.Needs{"P", "R"},
			Limit:  fixtures.LimitLong, Cost: fixtures.Cost{Connects: 3, Loads: 2},
			Body: powerCut,
		},
	}
}

// Closing are the area's specs that judge the whole run, and so come last.
func Closing() []fixtures.Spec {
	core := []string{"core"}
	return []fixtures.Spec{
		{
			ID: "provisioning/no-key-on-console", Labels: core,
			Text:   "never prints the private key",
			Why:    "whoever plugs in a cable has the identity",
			Source: "field",
			Needs:  fixtures.Needs{"A"},
			Limit:  fixtures.LimitProvision, Cost: fixtures.Free(),
			Body: noKeyOnConsole,
		},
	}
}
