package history

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hilrig/cli/past"
	"hilrig/cli/terminal"
	"hilrig/cli/verb"
	"hilrig/record"
	"hilrig/record/wording"
	"hilrig/reports/history"
)

// verbs are those of this room.
type verbs struct{ *verb.App }

// Command is the verb history with those below it.
func Command(on *verb.App) *cobra.Command {
	a := verbs{on}
	cmd := &cobra.Command{
		Use:   "history",
		Short: "Ask what all runs of this host have found",
		Long: `Ask what all runs of this host have found. Every run is entered when it begins,
and again when it ends; the run folders stay the truth.`,
		Example: `  hilrig history runs
  hilrig history spec tls/expired
  hilrig history board ADS-0042
  hilrig history page
  hilrig history import /mnt/lab-2/reports/out`,
		Args: verb.Subject,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.runs(), a.spec(), a.board(), a.firmware(), a.flaky(), a.suspects(), a.page(), a.importRuns(), a.rebuildCommand())
	return cmd
}

// question is a verb that asks the history one thing and shows the answer.
func question[T any](a verbs, cmd *cobra.Command, ask func(context.Context, *history.History, []string) (T, error), show func(T)) *cobra.Command {
	asJSON := cmd.Flags().Bool("json", false, "print JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		answer, err := askState(cmd.Context(), func(ctx context.Context, h *history.History) (T, error) { return ask(ctx, h, args) })
		if err != nil {
			return err
		}
		if *asJSON {
			return a.PrintJSON(answer)
		}
		show(answer)
		return nil
	}
	return cmd
}

// askState asks the history of this host, which must be there.
func askState[T any](ctx context.Context, ask func(context.Context, *history.History) (T, error)) (T, error) {
	answer, err := past.Ask(ctx, time.Minute, ask)
	if errors.Is(err, os.ErrNotExist) {
		return answer, record.NewFailure(record.Usage, "open history", "", errors.New("there is none yet")).WithCure("hilrig run begins one; hilrig history import takes run folders in")
	}
	return answer, err
}

func (a verbs) runs() *cobra.Command {
	cmd := &cobra.Command{Use: "runs", Short: "List the last runs, also those that were killed or deleted", Example: "  hilrig history runs --limit 100", Args: verb.Exactly()}
	limit := cmd.Flags().Int("limit", 20, "at most this many; 0: all")
	return question(a, cmd,
		func(ctx context.Context, h *history.History, _ []string) ([]history.Run, error) {
			return h.Runs(ctx, *limit)
		},
		func(all []history.Run) {
			ink := terminal.PaletteOf(a.Out)
			for _, r := range all {
				note := ""
				if notes := runNotes(r); len(notes) > 0 {
					note = "  " + strings.Join(notes, "  ")
				}
				fmt.Fprintf(a.Out, "%s  %s  %s  %s%s\n", ink.Verdict(r.Verdict), r.ID, terminal.OneLine(ranFirmware(r)), terminal.OneLine(told(r.Counts)), note)
			}
		})
}

func firmwareName(version, sum string) string {
	return cmp.Or(version, sum[:min(12, len(sum))], "no firmware named")
}

// ranFirmware is what a run was of: what it named, or what its boards ran.
func ranFirmware(r history.Run) string { return cmp.Or(r.Tested, firmwareName(r.Version, r.SHA256)) }

func told(c history.Counts) string {
	var parts []string
	for _, p := range []struct {
		n    int
		word string
	}{{c.Failed, "fail"}, {c.Errors, "error"}, {c.Warned, "warn"}, {c.Passed, "pass"}, {c.Without, "without a result"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprint(p.n, " ", p.word))
		}
	}
	return cmp.Or(strings.Join(parts, ", "), "nothing")
}

func (a verbs) spec() *cobra.Command {
	cmd := &cobra.Command{Use: "spec ID", Short: "Say how a spec went from firmware to firmware", Example: "  hilrig history spec tls/expired", Args: verb.Exactly("ID")}
	return question(a, cmd,
		func(ctx context.Context, h *history.History, args []string) ([]history.Trend, error) {
			return h.Spec(ctx, args[0])
		},
		func(all []history.Trend) {
			first := slices.IndexFunc(all, func(t history.Trend) bool { return t.Failed > 0 })
			for i, t := range all {
				note := ""
				if i == first {
					note = "  the first that fails"
				}
				fmt.Fprintf(a.Out, "%s  %s  %s on %s%s%s\n", t.First.Format(time.DateOnly), terminal.OneLine(firmwareName(t.Version, t.SHA256)), told(t.Counts), wording.Plural(t.Boards, "board"), flakes(t.Changes, t.Rate), note)
			}
			a.noneKnown(len(all))
		})
}

// flakes is how often a verdict changed, in words.
func flakes(changes int, r history.Rate) string {
	if changes == 0 {
		return ""
	}
	return fmt.Sprintf(", changed %d of %d times (%.0f %%, 95 %% interval %.0f to %.0f)", changes, r.Pairs, 100*r.Flake, 100*r.Low, 100*r.High)
}

func (a verbs) noneKnown(n int) {
	if n == 0 {
		fmt.Fprintln(a.Out, "The history knows of none.")
	}
}

// boardAnswer is what the history says of a board.
type boardAnswer struct {
	Tested   []history.Entry   `json:"tested"`
	Suspects []history.Suspect `json:"fails_alone"`
}

func (a verbs) board() *cobra.Command {
	cmd := &cobra.Command{Use: "board SERIAL", Short: "Say where a board was tested, and what it fails that its siblings pass", Example: "  hilrig history board ADS-0042", Args: verb.Exactly("SERIAL")}
	limit := cmd.Flags().Int("limit", 20, "at most this many runs")
	return question(a, cmd,
		func(ctx context.Context, h *history.History, args []string) (b boardAnswer, err error) {
			if b.Tested, err = h.Board(ctx, args[0], *limit); err != nil {
				return b, err
			}
			b.Suspects, err = h.Suspects(ctx, args[0])
			return b, err
		},
		func(b boardAnswer) {
			ink := terminal.PaletteOf(a.Out)
			for _, e := range b.Tested {
				fmt.Fprintf(a.Out, "%s  %s  as %s at %s  %s (%s)\n", ink.Verdict(e.Verdict), e.Run, terminal.OneLine(e.Slot), terminal.OneLine(e.Hub), terminal.OneLine(firmwareName(e.Version, e.SHA256)), cmp.Or(string(e.Known), "not known"))
			}
			for _, s := range b.Suspects {
				fmt.Fprintf(a.Out, "suspect: it fails %s\n", aloneWords(s))
			}
			a.noneKnown(len(b.Tested))
		})
}

// aloneWords are what a board fails and its siblings pass, in words.
func aloneWords(s history.Suspect) string {
	text := fmt.Sprintf("%s with %s, %d of %d times, and %s of type %s pass", s.Spec, terminal.OneLine(firmwareName(s.Version, s.SHA256)), s.Failed, s.Asked, wording.Plural(s.Siblings, "sibling"), terminal.OneLine(s.Type))
	if s.Others > 0 {
		text += fmt.Sprintf(", %d more fail", s.Others)
	}
	return text
}

// rigWords are what is red at a rig and green at others.
func rigWords(r history.SuspectRig) string {
	return fmt.Sprintf("%s on %s: %s with %s is red %d of %d times, at %s %d of %d", terminal.OneLine(r.Rig), terminal.OneLine(r.Host), r.Spec, terminal.OneLine(firmwareName(r.Version, r.SHA256)),
		r.Red, r.Asked, wording.Plural(r.Others.Rigs, "other rig"), r.Others.Red, r.Others.Asked)
}

// suspects are the boards and rigs that may be to blame for what is red.
type suspects struct {
	Boards []history.Suspect    `json:"boards"`
	Rigs   []history.SuspectRig `json:"rigs"`
}

func (a verbs) suspects() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "suspects",
		Short: "List boards that fail what their siblings pass, and rigs at which is red what is green at others",
		Long: `List boards that fail what their siblings of one type pass with the same firmware,
and rigs at which a spec is red more often than chance allows, while it is green
with the same firmware at other rigs (import their runs first). An error of a rig
counts as red at a rig, and never against a board.`,
		Example: "  hilrig history suspects",
		Args:    verb.Exactly(),
	}
	return question(a, cmd,
		func(ctx context.Context, h *history.History, _ []string) (s suspects, err error) {
			if s.Boards, err = h.Suspects(ctx, ""); err != nil {
				return s, err
			}
			s.Rigs, err = h.SuspectRigs(ctx)
			return s, err
		},
		func(s suspects) {
			for _, b := range s.Boards {
				fmt.Fprintf(a.Out, "board %s fails %s\n", terminal.OneLine(b.Serial), aloneWords(b))
			}
			for _, r := range s.Rigs {
				fmt.Fprintf(a.Out, "rig %s\n", rigWords(r))
			}
			a.noneKnown(len(s.Boards) + len(s.Rigs))
		})
}

func (a verbs) firmware() *cobra.Command {
	cmd := &cobra.Command{Use: "firmware", Short: "List the firmwares that were tested", Example: "  hilrig history firmware", Args: verb.Exactly()}
	return question(a, cmd,
		func(ctx context.Context, h *history.History, _ []string) ([]history.Firmware, error) {
			return h.Firmwares(ctx)
		},
		func(all []history.Firmware) {
			for _, f := range all {
				fmt.Fprintf(a.Out, "%s  %s  %s on %s, %d with a failure\n", f.First.Format(time.DateOnly), terminal.OneLine(firmwareName(f.Version, f.SHA256)), wording.Plural(f.Runs, "run"), wording.Plural(f.Boards, "board"), f.Failing)
			}
			a.noneKnown(len(all))
		})
}

func (a verbs) flaky() *cobra.Command {
	cmd := &cobra.Command{Use: "flaky", Short: "List specs whose verdict changed with one firmware on one board", Example: "  hilrig history flaky", Args: verb.Exactly()}
	return question(a, cmd,
		func(ctx context.Context, h *history.History, _ []string) ([]history.Flaky, error) {
			return h.Flaky(ctx)
		},
		func(all []history.Flaky) {
			for _, f := range all {
				fmt.Fprintf(a.Out, "%s%s\n", f.Spec, flakes(f.Changes, f.Rate))
			}
			a.noneKnown(len(all))
		})
}
