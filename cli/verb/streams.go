package verb

import (
	"encoding/json"
	"fmt"

	"hilrig/cli/terminal"
	"hilrig/record/wording"
)

// Encoder writes what a program reads.
func (a *App) Encoder() *json.Encoder { return terminal.NewEncoder(a.Out) }

// Bounds in bytes of what waits for whoever reads.
const (
	MostText   = 4 << 20
	MostEvents = 16 << 20
)

// Behind puts queues between a verb that lasts and whoever reads what it
// prints: at most so many bytes wait at standard output, and mark makes the line
// that stands for n that were dropped. The log has a queue of its own before the
// screen that the live view may own. End empties them.
func (a *App) Behind(name string, most int, mark func(int) []byte) {
	if a.outlets != nil {
		return
	}
	a.noBrokenPipes()
	err := terminal.NewOutlet(a.LogTo, MostText, LineMark, nil)
	out := terminal.NewOutlet(terminal.Unfiltered(a.Out), most, mark, func(e error, _ int) {
		fmt.Fprintf(err, "hilrig %s: standard output takes nothing more (%v): going on without it\n", name, e)
	})
	a.Out, a.Err, a.outlets = terminal.NewText(out), terminal.NewText(err), []*terminal.Outlet{out, err}
	a.OpenLog(err)
}

// LineMark is a line that stands for n that nobody read in time.
func LineMark(n int) []byte {
	return []byte(wording.Plural(n, "line") + " not shown: nobody read them\n")
}

// PrintJSON prints one value, indented, on standard output.
func (a *App) PrintJSON(v any) error {
	enc := a.Encoder()
	enc.SetIndent("", " ")
	return enc.Encode(v)
}
