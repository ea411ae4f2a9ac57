package devicebound

import (
	"encoding/json"
	"testing"
)

func FuzzFeedback(f *testing.F) {
	f.Add([]byte(`[{"originalMessageId":"m","statusCode":"Success","enqueuedTimeUtc":"2026-01-02T03:04:05Z"}]`))
	f.Add([]byte(`[{"enqueuedTimeUtc":"0001-01-01T00:00:00"}]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if batch, err := parseFeedback(text); err == nil && !json.Valid(text) {
			t.Errorf("%q: %v", text, batch)
		}
	})
}
