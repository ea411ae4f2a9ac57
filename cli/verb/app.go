package verb

import (
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"

	"hilrig/cli/terminal"
	"hilrig/fixtures"
	"hilrig/record"
	"hilrig/record/requirements"
)

// App is what a verb stands on. One App is for one verb.
type App struct {
	Args     []string // as typed, for the record
	In       io.Reader
	Out, Err io.Writer          // for text, without what a terminal would take as a command
	LogTo    *terminal.Redirect // where log lines go; the live view takes them over while it is up
	Log      *slog.Logger
	Verbose  bool
	Code     int // exit code of a verb that ended without an error

	Catalogue []fixtures.Spec

	stdout   *terminal.Stream             // below Out
	raw      io.Writer                    // for last words: no queue before it
	outlets  []*terminal.Outlet           // before Out and Err, of a verb that lasts
	pipes    chan os.Signal               // where SIGPIPE goes, to no effect
	twice    atomic.Bool                  // interrupted twice
	onBreak  atomic.Pointer[func(string)] // what to say in the record, should the process have to end
	breaking sync.Once
}

// New is an App on these streams, which logs nothing until OpenLog and has no
// catalogue yet.
func New(args []string, stdin io.Reader, stdout, stderr io.Writer) *App {
	out := terminal.NewStream(stdout)
	return &App{
		Args: args, In: stdin, Out: terminal.NewText(out), Err: terminal.NewText(stderr), stdout: out, raw: stderr,
		LogTo: terminal.NewRedirect(stderr), Log: slog.New(slog.DiscardHandler),
	}
}

// OpenLog has log lines go to w, as text.
func (a *App) OpenLog(w io.Writer) {
	level := slog.LevelWarn
	if a.Verbose {
		level = slog.LevelDebug
	}
	a.Log = slog.New(slog.NewTextHandler(terminal.TextIn(w, false), &slog.HandlerOptions{Level: level}))
}

// Known is the catalogue as reports, gates and lists of requirements know it.
func (a *App) Known() []requirements.Spec {
	all := make([]requirements.Spec, len(a.Catalogue))
	for i, s := range a.Catalogue {
		all[i] = requirements.Spec{ID: s.ID, Labels: s.Labels}
	}
	return all
}

// Executable is the path of this binary, for the processes that it starts.
func Executable() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", record.NewFailure(record.RigHost, "find", "this binary", err)
	}
	return path, nil
}
