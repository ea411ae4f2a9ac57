package embed_test

import (
	"context"
	"fmt"

	"hilrig/embed"
	"hilrig/fixtures"
)

// A spec of your own is a row like those of the catalogue.
var ourSpec = fixtures.Spec{
	ID: "acme/small-messages", Text: "sends messages that fit one frame of our radio",
	Why:    "each further frame costs battery",
	Source: "field",
	Labels: []string{"ours"},
	Limit:  fixtures.LimitMessages,
	Cost:   fixtures.Cost{Messages: 1},
	Body: func(ctx context.Context, b *fixtures.Trial) {
		messages, err := b.Messages(ctx, 1)
		b.Premise(err)
		e := messages[0]
		b.That(len(e.Message.Payload) <= 222, fixtures.Finding{
			Expected: "at most 222 bytes", Seen: fmt.Sprintf("%d bytes", len(e.Message.Payload)),
			Look: "the names in the payload", At: e.At,
		})
	},
}

// A main function of your own: every verb of hilrig, your specs among those of
// the catalogue.
func Example() {
	if false { // an example runs in a test, which has no arguments
		embed.Main(ourSpec)
	}
	fmt.Println(ourSpec.ID)
	// Output: acme/small-messages
}
