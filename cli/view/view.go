package view

import (
	"encoding/json"
	"io"
	"log/slog"
	"time"

	"hilrig/cli/terminal"
	"hilrig/record"
	"hilrig/record/wording"
	"hilrig/runner"
)

// View shows a run as it happens. Event is called with one event after another,
// from one goroutine.
type View interface {
	Event(record.Event)
	Close()
}

// Streams are what a view writes to. LogTo is where log lines go, which the live
// view takes over while it is up.
type Streams struct {
	Out, Err io.Writer
	LogTo    *terminal.Redirect
	Log      *slog.Logger
}

// New is a live view at a terminal, and elsewhere a line for each finished spec.
// Last finds the last run that was asked the same; nil: there is none.
func New(to Streams, p *runner.Plan, last func() *record.Record) View {
	if terminal.Moves(to.Out) {
		return newLive(to, p, last())
	}
	return newLines(to.Out, p, false)
}

// NewStream is the stream of events, as a program reads it.
func NewStream(w io.Writer) View { return &stream{enc: terminal.NewEncoder(w)} }

// stream prints every event as it is.
type stream struct{ enc *json.Encoder }

func (s *stream) Event(e record.Event) { _ = s.enc.Encode(e) } // a reader that went away does not stop the run
func (s *stream) Close()               {}

// EventMark is an event that stands for those that nobody read in time.
func EventMark(n int) []byte {
	e := record.Event{UTC: time.Now().UTC().Round(0), Source: record.SourceRun, Kind: runner.KindRunUnseen,
		Text: wording.Plural(n, "event") + " dropped here: nobody read standard output; events.jsonl has them"}
	return append(record.MustData(e), '\n')
}
