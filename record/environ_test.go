package record_test

import (
	"slices"
	"testing"

	"hilrig/record"
)

func TestAProgramOfTheLabGetsNoSecret(t *testing.T) {
	t.Setenv("RIG_PASSWORD", "swordfish")
	t.Setenv("RIG_PASSWORD_HINT", "a fish")
	got := record.Environ([]string{"RIG_PASSWORD", "NOT_SET"})
	if slices.Contains(got, "RIG_PASSWORD=swordfish") || !slices.Contains(got, "RIG_PASSWORD_HINT=a fish") {
		t.Errorf("got %q", got)
	}
}

func TestAToolOfTheHostGetsNothingThatItDoesNotNeed(t *testing.T) {
	t.Setenv("AZURE_CLIENT_SECRET", "swordfish")
	t.Setenv("OPENSSL_CONF", "/etc/ssl/own.cnf")
	got := record.ToolEnviron()
	if slices.Contains(got, "AZURE_CLIENT_SECRET=swordfish") || !slices.Contains(got, "OPENSSL_CONF=/etc/ssl/own.cnf") {
		t.Errorf("got %q", got)
	}
}
