package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"hilrig/hw/usb"
	"hilrig/record"
)

func (a *app) rigCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "rig",
		Short:   "Write a rig file from what is plugged in",
		Example: "  hilrig rig init --out rig.yaml",
		Args:    knownVerb,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.rigInit())
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
		Args: exactly(),
		RunE: func(*cobra.Command, []string) error {
			ports, err := usb.List("/")
			if err != nil {
				return err
			}
			text, devices := rigText(ports)
			if err := writeNew(out, text); err != nil {
				return err
			}
			fmt.Fprintf(a.out, "%s: %s\nhilrig run --rig %s --dry-run says what would run\n", out, devices, out)
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", out, "the file to write")
	return cmd
}

// rigText is a rig file for the USB ports among these, and what it has in it.
func rigText(ports []usb.Port) (text, devices string) {
	var b strings.Builder
	b.WriteString(`rig: bench-1
hub:
  host: localhost      # what the devices dial and the hub's certificate names; a board needs a name that leads to this machine
  listen: 127.0.0.1    # 0.0.0.0 for boards
devices:
`)
	n := 0
	for _, p := range ports {
		if !p.USB {
			continue
		}
		n++
		fmt.Fprintf(&b, "  - name: device-%d      # %s\n", n, comment(p))
		b.WriteString("    device_id: NewDevice\n")
		fmt.Fprintf(&b, "    hub_port: %d       # the broker port set in this device\n", 8882+n)
		fmt.Fprintf(&b, "    serial: %s\n", serialKey(p, ports))
	}
	if n > 0 {
		return b.String(), plural(n, "device", "devices")
	}
	b.WriteString("  - name: emu-1          # no USB serial port was there\n    device_id: NewDevice\n    serial: {emulated: {}}\n")
	return b.String(), "an emulated device, no USB serial port is plugged in"
}

// serialKey is a port's name that lasts; its path where nothing else tells it
// from its twin.
func serialKey(p usb.Port, ports []usb.Port) string {
	if name := usb.NameOf(p, ports); name != "" {
		return "{usb: " + strconv.Quote(name) + "}"
	}
	return "{path: " + strconv.Quote(p.Path) + "}"
}

// comment describes a port on one line; what it says comes from the adapter.
func comment(p usb.Port) string {
	words := strings.Join(strings.Fields(p.Manufacturer+" "+p.Product+" "+p.IDs()), " ")
	quoted := strconv.QuoteToASCII(words + ", was " + p.Path)
	return quoted[1 : len(quoted)-1]
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
