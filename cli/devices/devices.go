package devices

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"hilrig/cli/terminal"
	"hilrig/cli/verb"
	"hilrig/doctor"
	"hilrig/fixtures/rigfile"
	"hilrig/hw/port"
	"hilrig/hw/usb"
	"hilrig/record"
	"hilrig/runner"
	"hilrig/suites"
)

// verbs are those of this room.
type verbs struct{ *verb.App }

// Command is the verb devices.
func Command(on *verb.App) *cobra.Command {
	a := verbs{on}
	var rig string
	var asJSON, watch bool
	cmd := &cobra.Command{
		Use:   "devices",
		Short: "List this machine's serial ports, and a rig's devices; no port is opened",
		Long: `List this machine's serial ports (path, USB ids, serial number, who holds it),
and, with --rig, each device of the rig and whether its port can be reached. No
port is opened: it may be somebody else's, and opening may reset a board.

USB is what serial: {usb: …} in a rig file may say.

--watch goes on until Ctrl-C: ports come and go, runs take them and let them go.
On a terminal the tables change in place; elsewhere each change is a line, and
with --json the whole listing in a line.`,
		Example: `  hilrig devices
  hilrig devices --json
  hilrig devices --rig bench.yaml
  hilrig devices --rig bench.yaml --watch`,
		Args: verb.Exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s := shelf{root: "/", lockDir: port.LockDir()}
			if rig != "" {
				var err error
				if s.rig, err = rigfile.Load(rig, suites.Measured(a.Catalogue)...); err != nil {
					return err
				}
			}
			if watch {
				return a.watch(cmd.Context(), s, asJSON)
			}
			l := s.look()
			if !l.reachable() {
				a.Code = runner.ExitRig
			}
			if asJSON {
				return a.PrintJSON(l)
			}
			return l.print(a.Out)
		},
	}
	cmd.Flags().StringVar(&rig, "rig", "", "rig file whose devices are looked for")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object")
	cmd.Flags().BoolVar(&watch, "watch", false, "go on, and tell what changes, until Ctrl-C")
	return cmd
}

// listing is what `hilrig devices` says.
type listing struct {
	Ports   []portLine   `json:"ports"`
	Devices []deviceLine `json:"devices,omitempty"`
	Note    string       `json:"note,omitempty"` // why the ports could not be listed
}

type portLine struct {
	usb.Port
	Name   string       `json:"usb_name,omitempty"` // for serial: {usb: …}
	Holder *port.Holder `json:"holder,omitempty"`
	Lock   string       `json:"lock,omitempty"` // what is wrong with its lock file
}

type deviceLine struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	DeviceID string `json:"device_id"`
	Serial   string `json:"serial"` // as the rig file says
	doctor.Reach
}

// shelf is where ports and devices are looked for: below root, and of a rig
// where there is one.
type shelf struct {
	root, lockDir string
	rig           *rigfile.Rig
}

// look lists what is there now. A machine that cannot tell its ports is no
// error: a rig by path is looked at all the same.
func (s shelf) look() *listing {
	l := &listing{Ports: []portLine{}}
	ports, err := usb.List(s.root)
	if err != nil {
		l.Note = err.Error()
	}
	for _, p := range ports {
		line := portLine{Port: p, Name: usb.NameOf(p, ports), Holder: port.HolderOf(s.lockDir, p.Path)}
		if err := port.LockTrouble(s.lockDir, p.Path); err != nil {
			line.Lock = err.Error()
		}
		l.Ports = append(l.Ports, line)
	}
	if s.rig != nil {
		for _, d := range s.rig.Devices {
			l.Devices = append(l.Devices, deviceLine{
				Name: d.Name, Type: d.TypeName, DeviceID: d.DeviceID, Serial: d.Serial.String(), Reach: doctor.ReachOf(d, ports, err, s.lockDir),
			})
		}
	}
	return l
}

// reachable: every device of the rig is.
func (l *listing) reachable() bool {
	for _, d := range l.Devices {
		if !d.Reachable {
			return false
		}
	}
	return true
}

// print has the devices first, and of them what is wrong: a window may be too
// low for all.
func (l *listing) print(out io.Writer) error {
	if len(l.Devices) > 0 {
		if err := l.printDevices(out); err != nil {
			return err
		}
		fmt.Fprintln(out)
	}
	return l.printPorts(out)
}

func (l *listing) printDevices(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "DEVICE\tTYPE\tSERIAL\tPORT\tCAN BE REACHED")
	gravest := func(a, b deviceLine) int { return cmp.Compare(a.rank(), b.rank()) }
	for _, d := range slices.SortedStableFunc(slices.Values(l.Devices), gravest) {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", plainly(d.Name), plainly(d.Type), plainly(d.Serial), plainly(d.Port), d.state())
	}
	return w.Flush()
}

// rank is lower for what needs somebody more.
func (d deviceLine) rank() int {
	switch {
	case d.Reachable:
		return 2
	case d.Holder != nil: // a run has it
		return 1
	}
	return 0
}

func (l *listing) printPorts(out io.Writer) error {
	switch {
	case l.Note != "":
		_, err := fmt.Fprintln(out, record.Plain(l.Note))
		return err
	case len(l.Ports) == 0:
		_, err := fmt.Fprintln(out, "no serial port on this machine")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PORT\tUSB\tIDS\tADAPTER\tHELD BY\tBY-ID")
	for _, p := range l.Ports {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", p.Path, plainly(p.Name), terminal.OrDash(p.IDs()), plainly(p.Product), p.held(), plainly(p.ByID))
	}
	return w.Flush()
}

// state says whether a device can be reached, and why not.
func (d deviceLine) state() string {
	switch {
	case !d.Reachable:
		return record.Plain("no: " + d.Why)
	case strings.Contains(d.Port, "://"):
		return "not tried, it is on the network"
	}
	return "yes"
}

// plainly is text from an adapter or a rig file, or a dash.
func plainly(s string) string { return terminal.OrDash(terminal.OneLine(s)) }

func (p portLine) held() string {
	switch {
	case p.Holder != nil:
		return p.Holder.String()
	case p.Lock != "":
		return "cannot be locked: " + record.Plain(p.Lock)
	}
	return "-"
}
