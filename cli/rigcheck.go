package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/vbauerster/mpb/v8/decor"

	"hilrig/cli/terminal"
	"hilrig/cli/verb"
	"hilrig/doctor"
	"hilrig/record/wording"
)

func (a *app) rigCheck() *cobra.Command {
	var rig, hubName string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Try every device of a rig at once, and give each trouble its cure",
		Long: `Try every device of a rig file at once, in less than half a minute: its line is
opened and loaded with a few hundred harmless bytes, the programs of its power
control and of its flashing are looked for, a power controller is connected to
and asked to switch nothing, its hub's name is resolved and its port taken for a
moment, and what tells it from boards at the same port is looked at. Opening a
line may reset a board. Exit code 3 when something is bad.`,
		Example: `  hilrig rig check --rig bench.yaml
  hilrig rig check --rig bench.yaml --hub lab --json`,
		Args: verb.Exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			boards, err := examined(cmd.Context(), a, rig, hubName, func(ctx context.Context, h *doctor.Host) []doctor.Board {
				defer a.triedBar(h, asJSON)()
				return doctor.ExamineBoards(ctx, h)
			})
			if err != nil {
				return err
			}
			for _, b := range boards {
				a.Judge(b.Checks)
			}
			if asJSON {
				return a.PrintJSON(boards)
			}
			a.printBoards(boards)
			return nil
		},
	}
	cmd.Flags().StringVar(&rig, "rig", "", "rig file (default: one emulated device emu-1)")
	cmd.Flags().StringVar(&hubName, "hub", "", "look at this hub of the rig file (default: its own)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	return cmd
}

// triedBar is a moving line at a terminal, nothing elsewhere: how many devices
// have been tried, and how long the others may take.
func (a *app) triedBar(h *doctor.Host, quiet bool) (done func()) {
	if quiet || !terminal.Moves(a.Out) {
		return func() {}
	}
	began := time.Now()
	left := func(decor.Statistics) string {
		return fmt.Sprintf("  at most %.0f s left", max(0, doctor.BoardsWithin-time.Since(began)).Seconds())
	}
	bar, done := terminal.Bar(a.Out, int64(len(h.Rig.Devices)), decor.CountersNoUnit("tried %d of %d  "), decor.Any(left))
	h.Tried = func(string) { bar.Increment() }
	return done
}

// printBoards is a table of states, and below it what is not ok: what is wrong
// with several devices stands there once.
func (a *app) printBoards(boards []doctor.Board) {
	names, width := doctor.BoardChecks(), len("DEVICE")
	for _, b := range boards {
		width = max(width, len(b.Device))
	}
	heads := []string{fmt.Sprintf("%-*s", width, "DEVICE")}
	for _, name := range names {
		heads = append(heads, fmt.Sprintf("%-*s", stateWidth, strings.ToUpper(name)))
	}
	fmt.Fprintln(a.Out, strings.TrimRight(strings.Join(heads, "  "), " "))
	for _, b := range boards {
		row := []string{fmt.Sprintf("%-*s", width, b.Device)}
		for _, name := range names {
			row = append(row, a.stateOf(b, name))
		}
		fmt.Fprintln(a.Out, strings.TrimRight(strings.Join(row, "  "), " "))
	}
	a.printTroubles(boards)
}

// stateWidth is that of the widest head.
const stateWidth = len("power")

func (a *app) stateOf(b doctor.Board, check string) string {
	var of []doctor.Result
	for _, r := range b.Checks {
		if r.Name == check {
			of = append(of, r)
		}
	}
	if s := doctor.Worst(of); s != "" {
		return a.State(s, stateWidth)
	}
	return fmt.Sprintf("%-*s", stateWidth, "-")
}

func (a *app) printTroubles(boards []doctor.Board) {
	count := map[doctor.State]int{}
	for _, b := range boards {
		count[doctor.Worst(b.Checks)]++
	}
	for _, t := range doctor.Troubles(boards) {
		who := strings.Join(t.Devices, ", ")
		what := terminal.OneLine(t.What)
		if t.Alike {
			what += " (" + t.Devices[0] + "; the others are alike)"
		}
		many := len(t.Devices) > 3
		if many {
			who = wording.Plural(len(t.Devices), "device")
		}
		fmt.Fprintf(a.Out, "\n%s  %s of %s: %s\n", a.State(t.State, 4), t.Name, who, what)
		if many {
			fmt.Fprint(a.Out, terminal.Wrap("on "+strings.Join(t.Devices, ", "), "      ", terminal.Width(a.Out)))
		}
		if t.Cure != "" {
			fmt.Fprintf(a.Out, "      → %s\n", terminal.OneLine(t.Cure))
		}
	}
	fmt.Fprintf(a.Out, "\n%s: %d ok, %d warn, %d bad\n", wording.Plural(len(boards), "device"), count[doctor.OK], count[doctor.Warn], count[doctor.Bad])
}
