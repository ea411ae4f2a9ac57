package hub

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"hilrig/azure/localhub"
	"hilrig/azure/localhub/control"
	"hilrig/cli/verb"
	"hilrig/record"
	"hilrig/record/wording"
)

func (a verbs) fault() *cobra.Command {
	f, q, lasts := &handFlags{}, control.Show{}, time.Duration(0)
	cmd := &cobra.Command{
		Use:   "fault [NAME]",
		Short: "Show a fault to devices by a hub that runs",
		Long: `Show a fault to the devices of the hub that runs: --times N, for --for D, or
until --lift. hilrig hub --list-faults shows the names. Without a name it says what
is shown at present, and how often it was.

With --device it is shown to that one alone. Before CONNECT the hub knows a device
by the address it came from last: of two behind one address, both meet a fault of
TLS or of the link; one that never came meets none. hub-down takes the hub away from all: --for 30s
brings it back.`,
		Example: `  hilrig hub fault connack-3 --times 2
  hilrig hub fault expired --device NewDevice
  hilrig hub fault
  hilrig hub fault --lift`,
		Args: least("NAME"),
	}
	fl := cmd.Flags()
	fl.StringVar(&q.Device, "device", "", "show it to this device alone (default: to all)")
	fl.IntVar(&q.Times, "times", 0, "how often (default: until it is lifted)")
	fl.DurationVar(&lasts, "for", 0, "show it so long, wait, and lift it; an interrupt lifts it too")
	fl.BoolVar(&q.Lift, "lift", false, "end what is shown: NAME, or everything")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			q.Fault = args[0]
		}
		if err := checkShow(cmd, q, lasts); err != nil {
			return err
		}
		return f.by(func(ctx context.Context, hub *control.Client, _ []string) error {
			return a.showFault(ctx, hub, q, lasts)
		})(cmd, args)
	}
	cmd.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var names []string
		for _, f := range everyFault() {
			names = append(names, f.Name+"\t"+f.Shows)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
	return f.on(cmd)
}

func checkShow(cmd *cobra.Command, q control.Show, lasts time.Duration) error {
	switch {
	case q.Times < 0:
		return verb.Usage(cmd, errors.New("--times is 1 or more; 0 is until it is lifted"))
	case lasts < 0:
		return verb.Usage(cmd, errors.New("--for is a time from now"))
	case q.Lift && (q.Times > 0 || lasts > 0):
		return verb.Usage(cmd, errors.New("--lift goes with neither --times nor --for"))
	case q.Fault == "" && !q.Lift && (q.Times > 0 || lasts > 0 || q.Device != ""):
		return verb.Usage(cmd, errors.New("NAME is missing"))
	}
	return nil
}

func (a verbs) showFault(ctx context.Context, hub *control.Client, q control.Show, lasts time.Duration) error {
	if q.Fault == "" && !q.Lift {
		shown, err := hub.Faults(ctx)
		if err == nil && len(shown) == 0 {
			fmt.Fprintln(a.Out, "no fault is shown")
		}
		a.sayShown(shown)
		return err
	}
	shown, err := hub.Fault(ctx, q)
	if err != nil {
		return withNearest(err, q.Fault)
	}
	if q.Lift && len(shown) == 0 {
		fmt.Fprintln(a.Out, "no fault was shown")
	}
	a.sayShown(asDone(shown, q.Lift))
	if lasts == 0 || len(shown) == 0 || shown[0].Done {
		return nil
	}
	return a.liftAfter(ctx, hub, q, lasts)
}

// liftAfter ends what q shows when its time is over, or when ctx ends.
func (a verbs) liftAfter(ctx context.Context, hub *control.Client, q control.Show, lasts time.Duration) error {
	select {
	case <-time.After(lasts):
	case <-ctx.Done():
	}
	lift, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	q.Lift, q.Times = true, 0
	shown, err := hub.Fault(lift, q)
	if err != nil {
		return err
	}
	a.sayShown(asDone(shown, true))
	return nil
}

// asDone marks what was lifted as over.
func asDone(shown []control.Shown, lifted bool) []control.Shown {
	for i := range shown {
		shown[i].Done = shown[i].Done || lifted
	}
	return shown
}

// withNearest asks whether another name was meant, where the hub knows no fault
// of this one.
func withNearest(err error, name string) error {
	var f *record.Failure
	if errors.As(err, &f) && f.Class == record.Usage && f.Step == "show" && f.Subject == name {
		if near := nearestFault(name); near != "" {
			return f.WithCure("did you mean " + near + "? " + f.Cure)
		}
	}
	return err
}

// nearestFault is the name that a wrong one comes nearest to; empty for a right
// one.
func nearestFault(name string) string {
	name = localhub.FaultName(name)
	var names []string
	for _, f := range everyFault() {
		if localhub.FaultName(f.Name) == name {
			return ""
		}
		names = append(names, f.Name)
	}
	return wording.Nearest(name, names)
}

func (a verbs) sayShown(shown []control.Shown) {
	for _, s := range shown {
		to, how := "every device", "until it is lifted"
		if s.Device != "" {
			to = s.Device
		}
		if s.Times > 0 {
			how = wording.Plural(s.Times, "time")
		}
		if s.Done {
			how = "over"
		}
		fmt.Fprintf(a.Out, "%s to %s: %s, shown %s\n", s.Fault, to, how, wording.Plural(s.Count, "time"))
	}
}

// everyFault is what a hub can show by name.
func everyFault() []control.Fault {
	var all []control.Fault
	for _, f := range localhub.NamedFaults() {
		all = append(all, control.Fault{Name: localhub.FaultName(f.Name), Shows: f.Shows})
	}
	return append(all, moreFaults()...)
}

// listFaults is `hilrig hub --list-faults`.
func (a verbs) listFaults() error {
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	for _, f := range everyFault() {
		fmt.Fprintf(w, "%s\t%s\n", f.Name, strings.TrimSpace(f.Shows))
	}
	return w.Flush()
}
