package doctor

import (
	"context"
	"fmt"
	"strings"
	"time"

	"hilrig/fixtures/rigfile"
	"hilrig/hw/console"
	"hilrig/hw/port"
)

// The line is loaded with lines that no device takes for a command: they begin
// as a comment does, and hold no `*`.
const (
	loadLines = 12
	mostEcho  = 16 << 10                            // bytes looked at: a chatty device says more
	loadText  = "#hilrig-%02d-abcdefghijklmnopqrst" // 32 characters
)

// checkLine opens the line, brings the console back and sends a few hundred
// harmless bytes; what a device echoes must be what was sent.
func checkLine(ctx context.Context, h *Host) []Result {
	if h.Line == "" {
		return nil
	}
	t := rigfile.Infinite()
	for _, d := range h.Rig.Devices {
		if d.Serial.Address() == h.Line {
			t = d.Type
		}
	}
	found, _ := h.tryLine(ctx, h.Line, t, t.Timing.BootWithin)
	return []Result{found}
}

// tryLine tries the line at path, of a device of type t that may boot for as
// long when its line is opened. One that is dead is not there, or silent.
func (h *Host) tryLine(ctx context.Context, path string, t rigfile.Type, boot time.Duration) (found Result, dead bool) {
	line, err := h.Open(ctx, port.Config{Path: path, Baud: t.Baud, LockDir: h.LockDir, Run: "hilrig doctor", Log: h.Log})
	if err != nil {
		return Failed(err), lifeless(err)
	}
	con := console.Open(line, t.ConsoleSettings(), console.Options{Log: h.Log})
	defer func() { _ = con.Close() }()             // nothing is waited for any more
	if _, err := con.Wake(ctx, boot); err != nil { // one that answers to nothing is judged below
		return Failed(err), lifeless(err)
	}
	sent, got, err := loadLine(ctx, con)
	if err != nil {
		return Failed(err), lifeless(err)
	}
	return judgeEcho(path, t.Baud, sent, got), len(got) == 0
}

// loadLine sends the lines one after the other and gives what came back, until
// all of it is echoed or the device had its time.
func loadLine(ctx context.Context, con *console.Console) (sent []string, got []byte, err error) {
	from := con.Mark()
	for i := range loadLines {
		text := fmt.Sprintf(loadText, i)
		sent = append(sent, text)
		if err := con.SendLine(ctx, text); err != nil {
			return sent, nil, err
		}
	}
	within, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	// A device that does not echo lets the time pass: no error. Only a line
	// that is gone is one.
	_, err = con.Expect(within, from, console.Text(sent[len(sent)-1]))
	if err != nil && within.Err() == nil {
		return sent, nil, err
	}
	got = con.Received(from)
	return sent, got[:min(len(got), mostEcho)], nil
}

// judgeEcho counts what was lost: what was sent must come back in its order;
// what the device says between is no loss.
func judgeEcho(name string, baud int, sent []string, got []byte) Result {
	text := strings.Join(sent, "")
	total, back := len(text), commonLength(text, got)
	switch {
	case len(got) == 0:
		return warn("check baud and wiring if it should: the type's baud is "+fmt.Sprint(baud), "%s: %d bytes sent, the device says nothing", name, total)
	case !strings.Contains(string(got), "hilrig-"):
		return warn("a device that does not echo is fine; unreadable bytes mean the wrong baud", "%s: %d bytes sent, no echo to compare; the device says %d bytes of its own", name, total, len(got))
	case back < total:
		return bad("a shorter cable, a lower baud, or console.chunk and chunk_delay of the type", "%s: %d of %d bytes lost at %d baud", name, total-back, total, baud)
	}
	return fine("%s: %d bytes sent and echoed at %d baud, none lost", name, total, baud)
}

// commonLength is the length of the longest common subsequence of both.
func commonLength(text string, got []byte) int {
	row := make([]int, len(text)+1) // row[i]: of text[:i] and what was seen of got
	for _, c := range got {
		diagonal := 0
		for i := range len(text) {
			above := row[i+1]
			if text[i] == c {
				row[i+1] = diagonal + 1
			} else {
				row[i+1] = max(above, row[i])
			}
			diagonal = above
		}
	}
	return row[len(text)]
}
