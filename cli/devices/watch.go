package devices

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"hilrig/cli/terminal"
	"hilrig/hw/port"
	"hilrig/record/wording"
)

// lookEvery is how often a shelf that is watched is looked at: a port that came
// or went is told of within it, and a look costs a few files.
const lookEvery = time.Second

// watch tells of the shelf until ctx ends: on a terminal the tables stay
// and change, elsewhere what was there is followed by a line for each change,
// as JSON by the whole listing whenever it is another.
func (a verbs) watch(ctx context.Context, s shelf, asJSON bool) error {
	ctx, stop := a.UntilSignal(ctx)
	defer stop()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var before *listing
	for {
		now := s.look()
		if err := a.told(before, now, asJSON); err != nil {
			return err
		}
		before = now
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// told says what is new; before is nil the first time.
func (a verbs) told(before, now *listing, asJSON bool) error {
	lines := changes(before, now)
	switch {
	case asJSON && (before == nil || len(lines) > 0):
		return a.Encoder().Encode(now)
	case asJSON:
		return nil
	case terminal.Moves(a.Out):
		return a.redraw(now)
	case before == nil:
		return now.print(a.Out)
	}
	for _, l := range lines {
		if _, err := fmt.Fprintf(a.Out, "%s  %s\n", time.Now().Format(time.TimeOnly), l); err != nil {
			return err
		}
	}
	return nil
}

// redraw puts the tables where the last ones were, cut to the window.
func (a verbs) redraw(l *listing) error {
	var b bytes.Buffer
	if err := l.print(terminal.NewText(&b)); err != nil {
		return err
	}
	fmt.Fprintf(&b, "\n%s; Ctrl-C ends\n", time.Now().Format(time.TimeOnly))
	width, height := terminal.Size(a.Out)
	_, err := io.WriteString(terminal.Unfiltered(a.Out), frame(strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n"), width, height))
	return err
}

// frame is the lines from the window's first row on, each in place of what
// stood there (ECMA-48: CUP, EL, ED).
func frame(lines []string, width, height int) string {
	if rows := height - 1; rows > 1 && len(lines) > rows {
		left := len(lines) - (rows - 1)
		lines = append(lines[:rows-1:rows-1], fmt.Sprintf("… %d more lines", left))
	}
	var b strings.Builder
	b.WriteString("\x1b[H")
	for _, l := range lines {
		if width > 0 {
			l = wording.Clip(l, width)
		}
		b.WriteString(l + "\x1b[K\n")
	}
	b.WriteString("\x1b[J")
	return b.String()
}

// changes are what is another in now than in before, a line for each.
func changes(before, now *listing) (lines []string) {
	if before == nil {
		return nil
	}
	if before.Note != now.Note && now.Note != "" {
		lines = append(lines, now.Note)
	}
	old := map[string]portLine{}
	for _, p := range before.Ports {
		old[p.Path] = p
	}
	for _, p := range now.Ports {
		was, there := old[p.Path]
		delete(old, p.Path)
		switch {
		case !there, was.Serial != p.Serial || was.IDs() != p.IDs():
			lines = append(lines, fmt.Sprintf("%s came: %s, %s", p.Path, plainly(p.Name), p.heldBy()))
		case !sameHolder(was.Holder, p.Holder) || was.Lock != p.Lock:
			lines = append(lines, p.Path+" "+p.heldBy())
		}
	}
	for _, p := range before.Ports {
		if _, gone := old[p.Path]; gone {
			lines = append(lines, p.Path+" is gone")
		}
	}
	return append(lines, deviceChanges(before, now)...)
}

func deviceChanges(before, now *listing) (lines []string) {
	old := map[string]deviceLine{}
	for _, d := range before.Devices {
		old[d.Name] = d
	}
	for _, d := range now.Devices {
		was := old[d.Name]
		held := sameHolder(was.Holder, d.Holder)
		if was.Reachable == d.Reachable && was.Port == d.Port && held && (d.Holder != nil || was.Why == d.Why) {
			continue
		}
		lines = append(lines, fmt.Sprintf("device %s can be reached: %s", plainly(d.Name), d.state()))
	}
	return lines
}

// sameHolder: a run that opens its line again is the same, though it has it
// since another moment.
func sameHolder(a, b *port.Holder) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.PID == b.PID && a.Run == b.Run && a.Program == b.Program
}

// heldBy is held in a sentence.
func (p portLine) heldBy() string {
	switch {
	case p.Holder != nil:
		return "held by " + p.held()
	case p.Lock != "":
		return p.held()
	}
	return "held by nobody"
}
