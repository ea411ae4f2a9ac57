package console

import "strings"

// seenError is a cause with what the device said meanwhile, masked.
type seenError struct {
	cause error
	seen  string
}

func (e *seenError) Error() string { return e.cause.Error() + "; " + e.seen }
func (e *seenError) Unwrap() error { return e.cause }

// How much of what was seen an error text has: the last lines, and characters.
const (
	seenLines = 3
	seenChars = 240
)

// withSeen adds to a cause what was received from the cursor on. It is taken
// from the transcript, so that nothing is shown that is not shown there.
func (c *Console) withSeen(cause error, from Cursor) error {
	if c.Mark() <= from {
		return &seenError{cause, "nothing was received"}
	}
	lines := c.transcript.heard(c.arrival(from+1), seenLines)
	seen := strings.Join(lines, "")
	if len(seen) > seenChars {
		seen = "..." + strings.ToValidUTF8(seen[len(seen)-seenChars:], "")
	}
	return &seenError{cause, "received last: `" + seen + "`"}
}
