package signing

import (
	"strings"
	"testing"
)

// The record of a run keeps how it was called, and nothing that the program that
// signs was given.
func TestARecordDoesNotKeepWhatASignerIsGiven(t *testing.T) {
	for args, want := range map[string]string{
		"run --seal --sign-command token --sign-command --pin=1234 --spec x": "run --seal --sign-command … --sign-command … --spec x",
		"run --seal --sign-command=token --sign-command=1234":                "run --seal --sign-command=… --sign-command=…",
		"run --spec tls/* --key k.pem":                                       "run --spec tls/* --key k.pem",
	} {
		if got := strings.Join(WithoutSigner(strings.Fields(args)), " "); got != want {
			t.Errorf("%s: %s", args, got)
		}
	}
}
