package verb

import (
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"hilrig/record"
)

// What is wrong with what was typed is a usage error that says what, and where
// possible what was meant.
func TestWhatWasTypedIsHeldAgainstWhatThereIs(t *testing.T) {
	for typed, says := range map[string]string{
		"":                        "",
		"send board":              "",
		"send":                    "DEVICE is missing (hilrig send --help)",
		"send board more":         `nothing is expected of "more"`,
		"send ''":                 "DEVICE is empty",
		"snd":                     "did you mean send?",
		"nothing-like-it":         `no verb "nothing-like-it" (there is `,
		"send board --hubb x":     "did you mean --hub?",
		"send board --zzzzzz x":   "hilrig send --help",
		"send board --hub ''":     "--hub is empty",
		"send board --hub x":      "",
		"send board --name ''":    "--name is empty",
		"send board --name a":     "",
		"send board --wait never": "invalid argument",
		"send board --wait 5s":    "--hub is missing",
	} {
		args := strings.Fields(typed)
		for i := range args {
			args[i] = strings.Trim(args[i], "'")
		}
		root := &cobra.Command{
			Use: "hilrig", Args: Subject, SilenceErrors: true, SilenceUsage: true,
			RunE:              func(*cobra.Command, []string) error { return nil },
			PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return NoneEmpty(cmd) },
		}
		root.SetFlagErrorFunc(WrongFlag)
		send := &cobra.Command{Use: "send", Args: Exactly("DEVICE"), RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("wait") {
				return Required(cmd, "hub")
			}
			return nil
		}}
		send.Flags().String("hub", "", "")
		send.Flags().StringArray("name", nil, "")
		send.Flags().Duration("wait", 0, "")
		root.AddCommand(send)
		root.SetArgs(args)
		root.SetOut(io.Discard)
		err := root.ExecuteContext(t.Context())
		switch {
		case says == "" && err != nil:
			t.Errorf("%q: %v", typed, err)
		case says != "" && (record.ClassOf(err) != record.Usage || !strings.Contains(err.Error(), says)):
			t.Errorf("%q: %v, want a usage error with %q", typed, err, says)
		}
	}
}
