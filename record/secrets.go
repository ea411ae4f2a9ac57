package record

import (
	"fmt"
	"io"
	"log/slog"
	"os"
)

// Secrets are what environment variables hold. JSON has them in the clear, for a
// pipe to another process; printed in any way they are masked.
type Secrets map[string]string

// Held are the variables of this process with these names, as far as they are set.
func Held(names []string) Secrets {
	s := Secrets{}
	for _, name := range names {
		if value, set := os.LookupEnv(name); set {
			s[name] = value
		}
	}
	return s
}

// Take makes them variables of this process. What the system shows of its
// environment is what it was started with.
func (s Secrets) Take() error {
	for name, value := range s {
		if err := os.Setenv(name, value); err != nil {
			return fmt.Errorf("set the variable %s: %w", name, err)
		}
	}
	return nil
}

// Format masks them for every verb.
func (s Secrets) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "(masked)") }

// LogValue masks them in a log.
func (Secrets) LogValue() slog.Value { return slog.StringValue("(masked)") }
