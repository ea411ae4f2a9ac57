package cli

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hilrig/cli/named"
	"hilrig/cli/terminal"
	"hilrig/cli/verb"
	"hilrig/record"
	"hilrig/record/wording"
	"hilrig/reports/compare"
	"hilrig/runner"
)

func (a *app) compareCommand() *cobra.Command {
	out := filepath.Join("reports", "out")
	var asJSON, markdown bool
	cmd := &cobra.Command{
		Use:   "compare BEFORE AFTER",
		Short: "Say what changed between two runs",
		Long: `Say what changed between two runs, per spec and device: newly red, newly not
run, newly green, still red, and measurements that moved beyond their spread.
That both were not of the same firmware, boards, hub, catalogue or selection is
said first. BEFORE and AFTER are run folders, run ids, latest, or latest~1, the
one before the latest.

The spread of a measurement is how far the boards of the earlier run are apart
in it, at least a fifth of its value, and of a time at least 0.1 s.

Exit code 1 when a device newly fails; 3 when the later run leaves open what the
earlier one answered, by a rig that failed or by what did not run.`,
		Example: `  hilrig compare latest~1 latest
  hilrig compare latest~1 latest --markdown
  hilrig compare 20261122T231501Z-7f3a latest --json`,
		Args: verb.Exactly("BEFORE", "AFTER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if asJSON && markdown {
				return verb.Usage(cmd, fmt.Errorf("--json and --markdown are two forms: choose one"))
			}
			var runs [2]*record.Record
			for i, name := range args {
				dir, err := named.Run(out, name, false)
				if err != nil {
					return err
				}
				if runs[i], err = runner.Load(dir); err != nil {
					return err
				}
				if runs[i].Selftest != nil {
					return record.NewFailure(record.Usage, "compare run", runs[i].Run.ID, errors.New("it is a selftest, which has faults in place of devices")).
						WithCure("hilrig report " + name + " shows which were caught")
				}
			}
			c := compare.Runs(runs[0], runs[1])
			switch {
			case c.Worse():
				a.Code = runner.ExitDevice
			case c.Unknown():
				a.Code = runner.ExitRig
			}
			switch {
			case asJSON:
				return a.PrintJSON(c)
			case markdown:
				return c.Markdown(a.Out)
			}
			a.compared(c)
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", out, "folder of run folders, for an id or latest")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object")
	cmd.Flags().BoolVar(&markdown, "markdown", false, "print Markdown")
	return cmd
}

// compared shows a comparison at a terminal.
func (a *app) compared(c *compare.Comparison) {
	ink, width := terminal.PaletteOf(a.Out), terminal.Width(a.Out)
	fmt.Fprintf(a.Out, "%s → %s\n", c.Before.ID, c.After.ID)
	for _, d := range c.Differs {
		fmt.Fprintf(a.Out, "%s\n", strings.TrimSuffix(terminal.Wrap(ink.Paint(terminal.Yellow, "another")+"  "+terminal.OneLine(d), "", width), "\n"))
	}
	for _, g := range c.Groups() {
		if len(g.Changes) == 0 {
			continue
		}
		fmt.Fprintf(a.Out, "\n%s\n", ink.Paint(terminal.Bold, fmt.Sprintf("%s (%d)", g.Title, len(g.Changes))))
		for _, told := range together(g.Changes) {
			ch := told[0]
			fmt.Fprintf(a.Out, "%s %s, before %s\n", ink.Verdict(ch.After), who(told, ink), asWord(ch.Before))
			if ch.Message != "" {
				fmt.Fprint(a.Out, terminal.Wrap(wording.Clip(terminal.OneLine(ch.Message), 400), "  ", width))
			}
		}
	}
	if len(c.Moved) > 0 {
		fmt.Fprintf(a.Out, "\n%s\n", ink.Paint(terminal.Bold, fmt.Sprintf("measurements beyond their spread (%d)", len(c.Moved))))
	}
	for _, m := range c.Moved {
		fmt.Fprintf(a.Out, "%s %s on %s  %s\n", ink.Verdict(m.Limits), m.Spec, m.Device, terminal.OneLine(m.Text()))
	}
	fmt.Fprintf(a.Out, "\n%s\n", c.Sentence())
}

// who names what changed, and on which devices.
func who(told []compare.Change, ink terminal.Palette) string {
	var devices []string
	for _, ch := range told {
		if !slices.Contains(devices, ch.Device) {
			devices = append(devices, ch.Device)
		}
	}
	what := told[0].Spec
	switch n := len(told); {
	case len(devices) > 1:
		what = wording.Plural(n, "result")
	case n > 1:
		what = wording.Plural(n, "spec")
	}
	return ink.Paint(terminal.Bold, what) + " on " + wording.Some(devices, mostDevices)
}

// mostDevices is how many are named that one line tells of.
const mostDevices = 6

// together gathers what did not run on a device, or was not asked on any, for
// one and the same cause.
func together(changes []compare.Change) [][]compare.Change {
	return wording.Together(changes, func(ch compare.Change) string {
		device := ch.Device
		switch ch.After {
		case "":
			device = ""
		case record.NotRun, record.NotApplicable:
		default:
			return fmt.Sprint(ch.Device, "\x00", ch.Spec)
		}
		return fmt.Sprint(device, "\x00", ch.After, ch.Before, "\x00", wording.CauseKey(ch.Message))
	})
}

func asWord(v record.Verdict) string {
	return cmp.Or(terminal.Word(v), "not asked")
}
