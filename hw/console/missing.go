package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
)

// readEcho counts the bytes of the file that are not in its echo, where the
// device echoes files: the line, or the device, has lost them on their way
// there or back. What the device says in between does not matter.
func (t *transfer) readEcho(ctx context.Context) {
	if !t.r.Echo {
		return
	}
	sent, missing := significant(t.data), func() int { return missingOf(significant(t.data), significant(t.c.Received(t.mark))) }
	if t.r.Missing = missing(); t.r.Missing == 0 {
		return
	}
	end := t.c.Mark() // the rest of an echo may follow the answer
	err := t.c.until(ctx, t.l, t.c.now().Add(echoWithin), func(now received) error {
		if now.base+Cursor(len(now.b)) > end {
			return errHeard
		}
		return nil
	})
	if errors.Is(err, errHeard) {
		_ = t.c.silent(ctx, t.l, t.c.Mark(), echoWithin, t.c.now().Add(echoWithin), t.c.now().Add(4*echoWithin), func() {}) // a context that ends is seen by whoever waits next
		t.r.Missing = missing()
	}
	t.r.Sent = len(sent)
}

// LossCure is what to look at first where bytes of a file are lost.
const LossCure = "how the firmware receives: a UART whose bytes are not fetched in time loses some at this rate; console.chunk and console.chunk_delay of its type send slower"

// Lost says what is missing in the echo; empty: nothing, or the device does not
// echo.
func (r Receipt) Lost() string {
	if r.Missing == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d bytes are missing in its echo", r.Missing, r.Sent)
}

// A device echoes files if at least one in eight of a file's stretches of four
// characters comes back: of a line that loses every third byte, one in five.
const (
	stretch     = 4
	leastEchoed = 8
)

// missingOf is how many bytes of sent are not in what was received, in their
// order; 0 where what was received is no echo of it.
func missingOf(sent, received []byte) int {
	if len(sent) < 2*stretch*leastEchoed || bytes.Contains(received, sent) {
		return 0
	}
	back := map[[stretch]byte]bool{}
	for i := 0; i+stretch <= len(received); i++ {
		back[[stretch]byte(received[i:])] = true
	}
	found := 0
	for i := 0; i+stretch <= len(sent); i += stretch {
		if back[[stretch]byte(sent[i:])] {
			found++
		}
	}
	if found*leastEchoed < len(sent)/stretch {
		return 0
	}
	return len(sent) - common(sent, received)
}

// common is the length of the longest row of bytes that both have, gaps and
// all: their longest common subsequence.
func common(a, b []byte) int {
	row := make([]int, len(b)+1)
	for _, x := range a {
		above := 0 // left of the cell, a row up
		for j, y := range b {
			next := row[j+1]
			switch {
			case x == y:
				row[j+1] = above + 1
			case row[j] > next:
				row[j+1] = row[j]
			}
			above = next
		}
	}
	return row[len(b)]
}
