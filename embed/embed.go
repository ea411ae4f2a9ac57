package embed

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"hilrig/cli"
	"hilrig/fixtures"
	"hilrig/record"
	"hilrig/runner"
)

// Main is hilrig with the given specs behind those of the catalogue: a main
// function is os.Exit(embed.Main(specs...)). It returns the exit code.
func Main(specs ...fixtures.Spec) int {
	return cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, specs...)
}

// inside marks the processes of a run, whose program is not hilrig.
const inside = "HILRIG_EMBEDDED"

// Serve is called first thing in a program that calls [Run], in TestMain where
// that is a test. A run starts the program again, for itself and for each
// device: in these processes Serve does their part and does not return.
func Serve(specs ...fixtures.Spec) {
	if os.Getenv(inside) != "" {
		os.Exit(Main(specs...))
	}
}

// Request is what is to be run.
type Request struct {
	Rig         string    // file; empty: one emulated device at a local hub
	LabelFilter string    // in Ginkgo's label language; empty: all but soak, or what Specs names
	Specs       []string  // ids; tls/* takes an area
	Devices     []string  // names; empty: all of the rig
	Dir         string    // folder of run folders; it is made
	Output      io.Writer // what hilrig run prints; nil: nobody wants it
}

// Run runs a request and returns the record, which names its folder: the
// evidence is there. A device that failed is no error. When ctx ends the run is
// told to end, and has 45 s to leave its devices as the rig asks; its record is
// returned with the cause.
func Run(ctx context.Context, r Request) (rec *record.Record, dir string, err error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, "", record.NewFailure(record.Harness, "find", "this program", err)
	}
	if err := os.MkdirAll(r.Dir, 0o755); err != nil {
		return nil, "", record.NewFailure(record.RigHost, "make", r.Dir, err)
	}
	own, err := os.MkdirTemp(r.Dir, "run-") // several may run at once
	if err != nil {
		return nil, "", record.NewFailure(record.RigHost, "make a folder in", r.Dir, err)
	}
	var said strings.Builder
	cmd := exec.CommandContext(ctx, exe, r.arguments(own)...)
	cmd.Env = append(os.Environ(), inside+"=1")
	both := io.MultiWriter(&said, orNobody(r.Output)) // of two, exec would write to Output from two goroutines
	cmd.Stdout, cmd.Stderr = both, both
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 45 * time.Second
	ended := cmd.Run()
	runs := record.Found(own, "*-*/"+record.RecordFile)
	if len(runs) != 1 {
		return nil, "", record.NewFailure(record.Usage, "run", cmp.Or(r.Rig, "an emulated device"), cause(ended, said.String()))
	}
	dir = filepath.Dir(runs[0])
	rec, err = runner.Load(dir)
	return rec, dir, errors.Join(err, context.Cause(ctx))
}

func (r Request) arguments(out string) []string {
	args := []string{"run", "--out", out}
	for flag, value := range map[string]string{"--rig": r.Rig, "--label-filter": r.LabelFilter} {
		if value != "" {
			args = append(args, flag, value)
		}
	}
	for _, id := range r.Specs {
		args = append(args, "--spec", id)
	}
	for _, name := range r.Devices {
		args = append(args, "--device", name)
	}
	return args
}

// cause is why there is no record.
func cause(ended error, said string) error {
	if said = strings.TrimSpace(said); said != "" {
		return errors.New(said)
	}
	return cmp.Or(ended, errors.New("it left no record"))
}

func orNobody(w io.Writer) io.Writer {
	if w == nil {
		return io.Discard
	}
	return w
}
