package identity

import (
	"hilrig/fixtures"
)

// Specs are the area's, in order.
func Specs() []fixtures.Spec {
	core := []string{"core"}
	smoke := []string{"core", "smoke"}
	return []fixtures.Spec{
		{
			ID: "identity/key-pair", Labels: smoke,
			Text:   "is given a self-signed RSA 2048 identity, SHA-256, 365 days, whose key fits",
			Why:    "an identity that the hub or the device cannot use makes every later red meaningless",
			Source: "G",
			Limit:  fixtures.LimitCheck, Cost: fixtures.Free(),
			Measures: []string{"validity"},
			Body:     keyPair,
		},
		{
			ID: "identity/thumbprint", Labels: core,
			Text:   "is registered with the thumbprints that openssl computes",
			Why:    "a wrong thumbprint locks the device out, and looks like a device fault",
			Source: "G A",
			Needs:  fixtures.Needs{"R"},
			Limit:  fixtures.LimitCheck, Cost: fixtures.Free(),
			Body: thumbprint,
		},
		{
			ID: "identity/pem", Labels: core,
			Text:   "is given clean PEM files that the console can carry",
			Why:    "a stray `*` or line end cuts a file short on the wire",
			Source: "G",
			Limit:  fixtures.LimitCheck, Cost: fixtures.Free(),
			Measures: []string{"size of root certificate", "size of device certificate", "size of private key"},
			Body:     pemFiles,
		},
		{
			ID: "identity/root", Labels: core,
			Text:   "is given the root that the hub's chain ends in",
			Why:    "a root that does not sign the hub locks the device out",
			Source: "A",
			Limit:  fixtures.LimitCheck, Cost: fixtures.Free(),
			Body: root,
		},
		{
			ID: "identity/registered", Labels: core,
			Text:   "is known to the hub by this thumbprint",
			Why:    "the hub answers 5 to a device that it does not know",
			Source: "G",
			Needs:  fixtures.Needs{"R"},
			Limit:  fixtures.LimitCheck, Cost: fixtures.Free(),
			Body: registered,
		},
	}
}
