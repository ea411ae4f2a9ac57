package verb

import (
	"fmt"

	"hilrig/cli/terminal"
	"hilrig/doctor"
	"hilrig/runner"
)

// Judge has the program end as the worst result says.
func (a *App) Judge(found []doctor.Result) {
	if doctor.Worst(found) == doctor.Bad {
		a.Code = runner.ExitRig
	}
}

// PrintResults prints one line for each; the cure is at its end.
func (a *App) PrintResults(found []doctor.Result) {
	width := 0
	for _, name := range doctor.Names() {
		width = max(width, len(name))
	}
	for _, f := range found {
		fmt.Fprintf(a.Out, "%s  %-*s  %s", a.State(f.State, 4), width, f.Name, terminal.OneLine(f.What))
		if f.Cure != "" {
			fmt.Fprintf(a.Out, " → %s", terminal.OneLine(f.Cure))
		}
		fmt.Fprintln(a.Out)
	}
}

// State is a state in its colour, padded to a width.
func (a *App) State(s doctor.State, width int) string {
	colours := map[doctor.State]terminal.Style{doctor.OK: terminal.Green, doctor.Warn: terminal.Yellow, doctor.Bad: terminal.Red}
	return terminal.PaletteOf(a.Out).Paint(colours[s], fmt.Sprintf("%-*s", width, s))
}
