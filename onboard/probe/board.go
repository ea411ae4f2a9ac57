package probe

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"hilrig/hw/console"
)

// patience is how long a board is waited for. Bounds, not guesses: what answers
// ends the wait.
type patience struct {
	answer time.Duration // to a line that it does not know
	prompt time.Duration // to 9270,n
	file   time.Duration // to a file
	settle time.Duration // for the guide's prompt behind a line that nobody knows
	stored time.Duration // for the guide's answer to a file behind one
	boot   time.Duration // until it answers at all, since its line was opened
}

var guidePatience = patience{
	answer: 3 * time.Second, prompt: 10 * time.Second, file: time.Minute, settle: time.Second, stored: 5 * time.Second,
	boot: 10 * time.Second,
}

// The guide's words (section 4): looked for first, before any other answer is
// taken.
const (
	guidePrompt = "SEND FILE..."
	guideOK     = "COMMAND PROCESSED OK"
	refusal     = "ERROR" // not the guide's: what most firmware says
)

// harmless is a line that no device takes for a command; it begins as a comment
// does.
const harmless = "#hilrig"

// newlines in the order in which they are tried.
var newlines = []string{"\r", "\n", "\r\n"}

// Span is the shortest and the longest of some times.
type Span struct{ Least, Most time.Duration }

func (s *Span) add(d time.Duration) {
	if s.Most == 0 || d < s.Least {
		s.Least = d
	}
	s.Most = max(s.Most, d)
}

// Profile is how the console of a board talks, as far as it is known.
type Profile struct {
	Sound                    Sound
	Echo                     bool
	Newline                  string // ends a command; empty: not known
	Answer                   string // to a line that it does not know; empty: none
	Prompt                   string // before a file
	OK                       string // after a file
	AnswerIn, PromptIn, OKIn Span
}

// File is one that Load sends.
type File struct {
	Slot   console.Slot
	Data   []byte
	Secret bool
}

// Board is an unknown board at the other end of a console.
type Board struct {
	name    string
	baud    int
	con     *console.Console
	say     func(format string, args ...any)
	confirm func(context.Context, string) bool
	wait    patience
	noise   map[string]bool // shapes of what it says unasked
	opened  time.Time
	Profile Profile

	heardOnce map[string]bool // shapes of refusals that came once, unasked
}

// Options are whom a board is talked to for. BootWithin is how long it may boot
// because its line was opened; 0: ten seconds. Say is told each step before it is
// done. Confirm is asked whether an answer that the guide does not know means
// that a file was stored.
type Options struct {
	Name       string // of the port
	Baud       int
	BootWithin time.Duration
	Say        func(format string, args ...any)
	Confirm    func(ctx context.Context, said string) bool
	Log        *slog.Logger
}

// Open begins to read the line, which is the board's from here on.
func Open(line console.Line, o Options) *Board {
	b := &Board{name: o.Name, baud: o.Baud, say: o.Say, confirm: o.Confirm, wait: guidePatience, noise: map[string]bool{}, heardOnce: map[string]bool{}, opened: time.Now()}
	if o.BootWithin > 0 {
		b.wait.boot = o.BootWithin
	}
	b.con = console.Open(line, console.Settings{Baud: o.Baud}, console.Options{Log: o.Log})
	return b
}

// Close closes the line.
func (b *Board) Close() error { return b.con.Close() }

// Probe sends one harmless line per line end until the board answers, and sees
// whether it echoes. A board may boot because its line was opened, and talk
// meanwhile: an answer is what comes once more when it is asked once more, and
// one that neither answers nor echoes is asked again until it had the time to
// boot. A board that answers to nothing is no error: it may take commands all
// the same.
func (b *Board) Probe(ctx context.Context) error {
	for sure := false; ; {
		before, began, listened, known := b.Profile, time.Now(), false, false
		for i, nl := range newlines {
			var err error
			if known, err = b.try(ctx, nl); err != nil {
				return err
			}
			if i == 0 {
				listened = known || b.Profile.Echo
			}
			if known {
				break
			}
		}
		switch {
		case known && (listened || sure), !known && (listened || !b.Profile.Echo && began.Sub(b.opened) > b.wait.boot):
			return nil
		case known: // it may have booted meanwhile, and take the first line end too
			echo := b.Profile.Echo
			b.Profile = before
			b.Profile.Echo, sure = echo, true
		}
	}
}

// try sends the harmless line with one line end.
func (b *Board) try(ctx context.Context, nl string) (known bool, err error) {
	b.say("sending %q and %q", harmless, nl)
	var before string
	for {
		mark, sent := b.con.Mark(), time.Now()
		if err := b.con.Send(ctx, []byte(harmless+nl)); err != nil {
			return false, err
		}
		said, at, err := b.reply(ctx, mark, harmless, b.wait.answer, 0)
		if err != nil {
			return false, err
		}
		heard := b.con.Received(mark)
		if !isText(heard) {
			return false, b.noText("talk to", heard)
		}
		b.Profile.Echo = b.Profile.Echo || strings.Contains(string(heard), harmless)
		switch {
		case said == "":
			return false, nil
		case before != "" && console.WithoutNumbers(said) == console.WithoutNumbers(before):
			b.Profile.Newline, b.Profile.Answer = nl, said
			b.Profile.AnswerIn.add(at.Sub(sent))
			return true, nil
		case before != "" && time.Since(b.opened) > b.wait.boot:
			b.noise[console.WithoutNumbers(before)] = true // it talks, and not to us
			return false, nil
		}
		before = said
	}
}

// settings are the console's as far as they are known; times are generous.
func (b *Board) settings() console.Settings {
	m := b.Profile
	return console.Settings{
		Newline: m.Newline, Prompt: m.Prompt, PromptWithin: b.wait.prompt, OK: m.OK, OKWithin: b.wait.file,
		Failed: []string{refusal}, RecoverQuiet: max(time.Second, 2*m.AnswerIn.Most),
	}
}
