package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"hilrig/cli/verb"
	"hilrig/hw/usb"
	"hilrig/onboard"
	"hilrig/record"
	"hilrig/record/wording"
)

func (a *app) rigCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "rig",
		Short:   "Write a rig file from what is plugged in, and try all devices of one",
		Example: "  hilrig rig init --out rig.yaml\n  hilrig rig check --rig rig.yaml",
		Args:    verb.Subject,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.rigInit(), a.rigCheck())
	return cmd
}

func (a *app) rigInit() *cobra.Command {
	out := "rig.yaml"
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write a rig file with a device for each USB serial port",
		Long: `Write a rig file with a device for each USB serial port of this machine, named
by its serial number, or by its socket where the adapter has none. No port is
opened and no file overwritten. Without a USB serial port the device is an
emulated one.`,
		Example: `  hilrig rig init
  hilrig rig init --out bench.yaml`,
		Args: verb.Exactly(),
		RunE: func(*cobra.Command, []string) error {
			ports, err := usb.List("/")
			if err != nil {
				return err
			}
			text, boards := onboard.RigFile(ports)
			devices := "an emulated device, no USB serial port is plugged in"
			if boards > 0 {
				devices = wording.Plural(boards, "device")
			}
			if err := writeNew(out, text); err != nil {
				return err
			}
			fmt.Fprintf(a.Out, "%s: %s\nhilrig run --rig %s --dry-run says what would run\n", out, devices, out)
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", out, "the file to write")
	return cmd
}

// writeNew writes a file that must not be there yet.
func writeNew(name, text string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return record.NewFailure(record.Usage, "write", name, errors.New("it is there already and is not overwritten")).
			WithCure("--out names another")
	}
	if err != nil {
		return record.NewFailure(record.Usage, "write", filepath.Base(name), err)
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return record.NewFailure(record.RigHost, "write", name, err)
	}
	return nil
}
