package record_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
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

// What variables held goes on to another process in JSON, and nowhere else.
func TestSecretsAreHandedOn(t *testing.T) {
	t.Setenv("RIG_PASSWORD", "swordfish")
	held := record.Held([]string{"RIG_PASSWORD", "NOT_SET"})
	text, err := json.Marshal(held)
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if said := fmt.Sprintf(verb, struct{ Held record.Secrets }{held}); strings.Contains(said, "swordfish") || strings.Contains(said, "73776f7264") {
			t.Errorf("%s shows it: %s", verb, said)
		}
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("job", "held", held)
	if strings.Contains(log.String(), "swordfish") {
		t.Errorf("the log shows it: %s", &log)
	}
	t.Setenv("RIG_PASSWORD", "")
	var read record.Secrets
	if err := errors.Join(json.Unmarshal(text, &read), read.Take()); err != nil || os.Getenv("RIG_PASSWORD") != "swordfish" || len(read) != 1 {
		t.Errorf("%v, %d variables", err, len(read))
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
