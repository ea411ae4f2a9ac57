package console

import "time"

// Settings are a device type's terminal: the rig file's type keys `console` and
// `baud`. A zero value is the guide's (section 4), or, where the guide leaves
// it open, the rig file's default; only an empty Prompt means that the type has
// none, and a Baud below 1 that the line has no rate.
type Settings struct {
	Baud         int           // bits per second, 10 bits a byte
	Newline      string        // ends a command line; "\r"
	Prompt       string        // comes before a file, as SEND FILE...
	PromptWithin time.Duration // of the command; 5 s
	OKWithin     time.Duration // of the `*`; 15 s
	OK           string        // COMMAND PROCESSED OK
	Failed       []string      // texts that refuse a file, as a whole word at the beginning of a line
	Chunk        int           // bytes sent at a time; 0: at the line's own pace
	ChunkDelay   time.Duration // after each chunk has left; with Chunk 0 after each byte
	FileNewline  string        // line ends of a file as sent: lf, crlf, cr or keep; lf
	MaxFile      int           // bytes of a file as sent; 0: no limit known
	RecoverSend  string        // ends a transfer that was left open; `*`
	RecoverQuiet time.Duration // a console that was silent so long is back; 1 s
}

func (s Settings) withDefaults() Settings {
	orText := func(v *string, or string) {
		if *v == "" {
			*v = or
		}
	}
	orTime := func(v *time.Duration, or time.Duration) {
		if *v <= 0 {
			*v = or
		}
	}
	orText(&s.Newline, "\r")
	orText(&s.OK, "COMMAND PROCESSED OK")
	orText(&s.FileNewline, "lf")
	orText(&s.RecoverSend, string(terminator))
	orTime(&s.PromptWithin, 5*time.Second)
	orTime(&s.OKWithin, 15*time.Second)
	orTime(&s.RecoverQuiet, time.Second)
	if s.Chunk <= 0 && s.ChunkDelay > 0 {
		s.Chunk = 1
	}
	return s
}
