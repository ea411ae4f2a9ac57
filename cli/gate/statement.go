package gate

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"hilrig/cli/named"
	"hilrig/cli/terminal"
	"hilrig/cli/verb"
	"hilrig/record"
	"hilrig/record/dsse"
	"hilrig/reports/gate"
	"hilrig/runner"
)

// sign makes the text of a verdict's statement. Where there is no answer, or
// nobody signs it, there is none.
func (a verbs) sign(v *gate.Verdict, image string, signer dsse.Signer) ([]byte, error) {
	if signer == nil {
		return nil, nil
	}
	if v.Verdict == gate.Inconclusive {
		a.Log.Warn("no statement: there is no answer")
		return nil, nil
	}
	statement, err := gate.NewStatement(v, filepath.Base(cmp.Or(image, v.Firmware.String())))
	if err != nil {
		return nil, err
	}
	return statement.Sign(signer)
}

// besideRuns are the files by which each run that a verdict names keeps a copy
// of its statement, so that its evidence is never pruned.
func besideRuns(v *gate.Verdict, runs []gate.Run, statement []byte) (files []string) {
	sum := sha256.Sum256(statement)
	for _, r := range runs {
		named := slices.ContainsFunc(v.Runs, func(n gate.RunRef) bool { return n.ID == r.ID })
		if r.Record != nil && named {
			files = append(files, filepath.Join(r.Dir, record.Statements, hex.EncodeToString(sum[:8])+".dsse"))
		}
	}
	return files
}

func (a verbs) verifyCommand() *cobra.Command {
	var key, image string
	cmd := &cobra.Command{
		Use:   "verify STATEMENT",
		Short: "Hold a statement against a public key, offline",
		Long: `Hold a statement against the public key of whoever signed it, and an image against
the statement. Nobody is asked over the network.

Exit code 0 for a statement that says PASS, 1 for one that says FAIL, 3 for one
that is not of this key or not about this image.`,
		Example: "  hilrig gate verify release.dsse --key release.pub --firmware-file fw.bin",
		Args:    verb.Exactly("STATEMENT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := verb.Required(cmd, "key"); err != nil {
				return err
			}
			return a.verify(args[0], key, image)
		},
	}
	cmd.Flags().StringVar(&key, "key", "", "public key, PEM")
	cmd.Flags().StringVar(&image, "firmware-file", "", "image that the statement must be about")
	return cmd
}

// publicKey reads public keys that a flag names.
func publicKey(name string) ([]byte, error) {
	key, err := named.Text("public key", name)
	if err != nil {
		return nil, err
	}
	if _, err := dsse.ReadKeys(key); err != nil {
		return nil, record.NewFailure(record.Usage, "read public key", name, err)
	}
	return key, nil
}

// readStatement reads a statement that a public key has signed.
func readStatement(name, key string) (*gate.Statement, error) {
	envelope, err := named.TextUpTo(record.MaxRecord, "statement", name) // it tells of every result that fails
	if err != nil {
		return nil, err
	}
	public, err := publicKey(key)
	if err != nil {
		return nil, err
	}
	s, err := gate.Verify(envelope, public)
	if err != nil {
		return nil, record.NewFailure(record.RigHost, "verify statement", name, err)
	}
	return s, nil
}

func (a verbs) verify(name, key, image string) error {
	asked, err := runner.DescribeFirmware(record.Firmware{File: image})
	if err != nil {
		return err
	}
	s, err := readStatement(name, key)
	if err != nil {
		return err
	}
	v := s.Predicate.Verdict
	if image != "" && asked.SHA256 != v.Firmware.SHA256 {
		return record.NewFailure(record.RigHost, "verify statement", name, fmt.Errorf("it is about the image with SHA-256 %s, not about %s", v.Firmware.SHA256, image))
	}
	if v.Verdict == gate.Fail {
		a.Code = runner.ExitDevice
	}
	fmt.Fprintf(a.Out, "%s\nimage   %s sha256 %s, %s\npolicy  %s sha256 %s\njudged  %s by hilrig %s\n", terminal.OneLine(v.Sentence()), terminal.OneLine(s.Subject[0].Name), v.Firmware.SHA256, v.Firmware.Known,
		terminal.OneLine(v.Policy.Name), v.Policy.SHA256, v.At.Format(time.RFC3339), terminal.OneLine(v.Hilrig))
	for _, r := range v.Runs {
		if r.Accepted {
			fmt.Fprintf(a.Out, "run     %s sha256 %s\n", terminal.OneLine(r.ID), r.SHA256)
		}
	}
	for _, b := range v.Boards {
		fmt.Fprintf(a.Out, "board   %s %s\n", terminal.OneLine(b.Type), terminal.OneLine(b.Serial))
	}
	for _, w := range v.Waived {
		fmt.Fprintf(a.Out, "waived  %s by %s until %s\n", terminal.OneLine(w.Spec), terminal.OneLine(w.Owner), w.Expires)
	}
	return nil
}
