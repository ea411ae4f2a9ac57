package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"hilrig/record"
)

// harmless is a line that no device takes for a command: it begins as a comment
// does, and holds no `*`. It is another each time, so that its echo can be
// nothing else.
const harmless = "#hilrig-%d"

const (
	firstWord  = time.Second            // that a device may take for its first word, unless the type's own silence is longer
	wordsEnd   = 100 * time.Millisecond // of silence behind words without a line end
	lostTries  = 3                      // of a console that has answered before
	bootQuiets = 5                      // silences of the type that a board which talks and does not listen is heard out
)

// proof is what answers, without an echo, must show of a console that has not
// answered yet: so many in a row, each of which does not come again unasked for
// so long. A board that says other things too may be booting, and say some of
// them again.
type proof struct {
	answers int
	unasked time.Duration
}

var (
	known = proof{1, 50 * time.Millisecond}
	quiet = proof{2, 50 * time.Millisecond}
	noisy = proof{3, 700 * time.Millisecond}
)

// ErrNotBack is of a console that answered before, and does not after a
// transfer that it has not answered: a file may be open there still.
var ErrNotBack = errors.New("the console does not answer since the transfer before, so nothing is typed into a file that may be open")

// Wake brings the console back from whatever state it was left in: it ends a
// transfer that may be open and an unfinished command line, and asks until the
// console listens, which it shows by its echo or by an answer to what was sent.
// That something comes is not enough: a board that boots talks and hears
// nothing. It asks at least once, and goes on for as long as within; that
// nothing is answered is no error, because some consoles never answer.
func (c *Console) Wake(ctx context.Context, within time.Duration) (listens bool, err error) {
	release, err := c.turn(ctx)
	if err != nil {
		return false, fmt.Errorf("bring console back: %w", err)
	}
	defer release()
	return c.bringBack(ctx, c.now().Add(within), max(c.set.RecoverQuiet, firstWord))
}

// Recover is Wake for a console that is not expected to boot. One that has
// answered before is asked a few times.
func (c *Console) Recover(ctx context.Context) error {
	_, err := c.Wake(ctx, 0)
	return err
}

// RecoverSoon is Recover with less time for the device's first word.
func (c *Console) RecoverSoon(ctx context.Context, word time.Duration) error {
	release, err := c.turn(ctx)
	if err != nil {
		return fmt.Errorf("bring console back: %w", err)
	}
	defer release()
	_, err = c.bringBack(ctx, c.now(), word)
	return err
}

// InFile reports whether the device may be in the middle of a file: one was
// begun that it has not answered.
func (c *Console) InFile() bool { return c.inFile.Load() }

// leaveFile brings the console back if a file may be open; whoever calls it
// sends.
func (c *Console) leaveFile(ctx context.Context) error {
	if !c.inFile.Load() {
		return nil
	}
	listens, err := c.bringBack(ctx, c.now(), max(c.set.RecoverQuiet, firstWord))
	if err == nil && !listens && c.answers {
		err = record.NewFailure(record.ClassDevice, "bring back", "console", ErrNotBack)
	}
	return err
}

func (c *Console) bringBack(ctx context.Context, end time.Time, word time.Duration) (listens bool, err error) {
	l := c.current()
	first, asked := c.Mark(), c.asked
	c.askedAt = first
	for try := 1; ; try++ {
		mark := c.Mark()
		listens, err = c.ask(ctx, l, word)
		if err != nil {
			return false, fmt.Errorf("bring console back: %w", err)
		}
		if listens {
			c.answers = true
			c.inFile.Store(false)
			c.owes = c.refusalsSince(first) < try+c.asked-asked
			return true, nil
		}
		left := end.Sub(c.now())
		if left <= 0 && (!c.answers || try >= lostTries) {
			c.inFile.Store(c.answers)
			return false, nil
		}
		if left > 0 && c.Mark() > mark { // it talks: let it come to its end
			quiet, now := c.set.RecoverQuiet, c.now()
			if err := c.silent(ctx, l, c.Mark(), quiet, now.Add(quiet), now.Add(min(left, bootQuiets*quiet)), func() {}); err != nil {
				return false, fmt.Errorf("bring console back: %w", err)
			}
			if c.echoedLate(first, asked) {
				c.answers = true
				c.inFile.Store(false)
				c.echoes, c.owes = true, true // its answers come late too
				return true, nil
			}
		}
	}
}

// echoedLate reports whether a harmless line was repeated after the time that it
// had: a device that thinks for long before each answer reads the next line only
// then. Lines that were asked for up to before are not meant.
func (c *Console) echoedLate(from Cursor, before int) bool {
	b := c.Received(from)
	return c.echoed(b) && c.repeats(b, before+1)
}

// repeatsLines reports whether the device echoes, also where what brings a
// console back, or the harmless line, came back too late for whoever asked.
func (c *Console) repeatsLines() bool {
	b := c.Received(c.askedAt)
	back := c.set.RecoverSend != "" && bytes.Contains(b, []byte(c.set.RecoverSend+"\r"))
	c.echoes = c.echoes || back || c.repeats(b, 1)
	return c.echoes
}

// repeats reports whether a harmless line has come back, from the first that is
// meant on.
func (c *Console) repeats(b []byte, first int) bool {
	for n := first; n <= c.asked; n++ {
		if bytes.Contains(b, fmt.Appendf(nil, harmless+"\r", n)) {
			return true
		}
	}
	return false
}

// ask sends what brings a console back, and if anything comes then, harmless
// lines until one is repeated or answered.
func (c *Console) ask(ctx context.Context, l *link, word time.Duration) (listens bool, err error) {
	from, began := c.Mark(), c.now()
	if err := c.sendWhole(ctx, l, []byte(c.set.RecoverSend+c.set.Newline)); err != nil {
		return false, err
	}
	heard, err := c.words(ctx, l, c.wireFree().Add(word), func(now received) []byte { return since(now, from) })
	if err != nil || !heard {
		return false, err
	}
	p := probe{from: from, before: from, within: min(word, max(leastWord, 8*c.now().Sub(began)))}
	for missed := 0; missed < 2; {
		mark := c.Mark()
		sign, err := c.hears(ctx, l, &p)
		switch {
		case err != nil:
			return false, err
		case sign == none:
			missed++
			p.answers = 0
			p.again = c.Mark() == mark // nothing at all: it may answer to what brings it back alone
		case sign == repeated:
			c.echoes = true
			return true, nil
		default:
			if p.answers++; p.answers >= c.proof(p).answers {
				return true, nil
			}
		}
		if c.Mark() > mark {
			p.before = mark
		}
	}
	return false, nil
}

// refusalsSince counts the failure texts that stand as answers do: a console
// that answers what it does not know with one has answered each line that was
// sent when there are as many.
func (c *Console) refusalsSince(from Cursor) int {
	a := newAnswers(from, newEcho("", c.set.Prompt, nil), "", c.set.Failed...)
	for n, now := 0, c.receivedFrom(nil, from); ; n++ {
		m, ok := a.next(now)
		if !ok {
			return n
		}
		a.passed(m)
	}
}

// probe is a console being asked whether it listens.
type probe struct {
	from    Cursor        // where that began
	before  Cursor        // where it was asked last
	within  time.Duration // for its next word
	again   bool          // ask by what brings it back, not by the harmless line
	like    []string      // lines that came again
	answers int           // in a row
}

// leastWord is the least time that a console gets for a word behind its first.
const leastWord = 150 * time.Millisecond

// proof is what this console has to show by answers.
func (c *Console) proof(p probe) proof {
	if c.answers {
		return known
	}
	for s := range lines(c.Received(p.from)) {
		if !slices.Contains(p.like, s) {
			return noisy
		}
	}
	return quiet
}

// sign is how a console shows that it listens.
type sign int

const (
	none sign = iota
	repeated
	answered
)

// wireFree is when all that was sent has left the wire.
func (c *Console) wireFree() time.Time {
	if c.wire.free.After(c.now()) {
		return c.wire.free
	}
	return c.now()
}

// since is what was received after a place.
func since(now received, from Cursor) []byte {
	return now.b[min(max(from-now.base, 0), Cursor(len(now.b))):]
}

// words waits until at for something to be there, to the end of its line or
// until nothing follows it.
func (c *Console) words(ctx context.Context, l *link, at time.Time, there func(received) []byte) (heard bool, err error) {
	size := 0
	for {
		err := c.until(ctx, l, at, func(now received) error {
			b := there(now)
			switch {
			case bytes.ContainsAny(b, "\r\n"):
				return errFound
			case len(b) > size:
				size = len(b)
				return errHeard
			}
			return nil
		})
		switch {
		case errors.Is(err, errFound):
			return true, nil
		case !errors.Is(err, errHeard):
			return size > 0, err
		}
		at = c.now().Add(wordsEnd)
	}
}

// hears asks once. The console listens if the harmless line comes back, or if a
// line comes that also came after what was sent before, and does not come again
// unasked.
func (c *Console) hears(ctx context.Context, l *link, p *probe) (sign, error) {
	mark := c.Mark()
	last := lines(c.Received(p.before))
	c.asked++
	line := fmt.Sprintf(harmless, c.asked)
	ask := line
	if p.again {
		ask = c.set.RecoverSend
	}
	if err := c.sendWhole(ctx, l, []byte(ask+c.set.Newline)); err != nil {
		return none, err
	}
	sent := c.wireFree()
	saw := none
	err := c.until(ctx, l, sent.Add(p.within), func(now received) error {
		b := since(now, mark)
		p.like = again(lines(b), last)
		switch {
		case bytes.Contains(b, []byte(line)) && c.echoed(since(now, p.from)):
			saw = repeated
		case len(p.like) > 0:
			saw = answered
		default:
			return nil
		}
		return errFound
	})
	switch {
	case err == nil:
		return none, nil
	case !errors.Is(err, errFound):
		return none, err
	case saw == repeated: // its answer, if it has one, is waited for, so that it is not the next command's
		_, err := c.words(ctx, l, c.now().Add(c.set.RecoverQuiet), func(now received) []byte {
			_, behind, _ := bytes.Cut(since(now, mark), []byte(line))
			return bytes.TrimLeft(behind, "\r\n")
		})
		return repeated, err
	}
	check := min(max(4*c.now().Sub(sent), c.proof(*p).unasked), 2*max(c.set.RecoverQuiet, firstWord))
	if err := c.until(ctx, l, c.now().Add(check), nil); err != nil {
		return none, err
	}
	now := lines(c.Received(mark))
	if slices.ContainsFunc(p.like, func(s string) bool { return now[s] == 1 }) {
		return answered, nil
	}
	return none, nil
}

// echoed reports whether what ends a file has come back. A device that repeats
// a line, and not what came before it, may have lost that, and have put the
// line into its file.
func (c *Console) echoed(b []byte) bool {
	end := []byte(c.set.RecoverSend)
	return len(end) == 0 || len(appendPrintable(nil, end)) > len(end) || bytes.Contains(b, end)
}

// lines counts the shapes of the lines that have ended.
func lines(b []byte) map[string]int {
	shapes := map[string]int{}
	end := bytes.LastIndexAny(b, "\r\n")
	for _, l := range bytes.FieldsFunc(b[:max(end, 0)], lineEnd) {
		if s := WithoutNumbers(string(l)); s != "" {
			shapes[s]++
		}
	}
	return shapes
}

// again are the lines that came before and come now, once.
func again(now, before map[string]int) (like []string) {
	for s, n := range now {
		if n == 1 && before[s] > 0 {
			like = append(like, s)
		}
	}
	return like
}

// WithoutNumbers is a line without what changes in it from one time to the next, so that
// a log line is known again.
func WithoutNumbers(line string) string {
	var b strings.Builder
	digits := false
	for _, r := range strings.TrimSpace(line) {
		d := r >= '0' && r <= '9'
		if !d {
			b.WriteRune(r)
		} else if !digits {
			b.WriteByte('0')
		}
		digits = d
	}
	return b.String()
}
