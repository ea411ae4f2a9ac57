package suites

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/formatter"
	"github.com/onsi/ginkgo/v2/types"
	"github.com/onsi/gomega"

	"hilrig/fixtures"
	"hilrig/record"
)

// Host is where a job's specs run.
type Host struct {
	Catalogue []fixtures.Spec // that the job's ids are looked up in
	Kinds     fixtures.Kinds  // of hubs that it can open
}

// Run runs the job's specs on its device and hands every event to out, in
// order. It returns an error where it could not begin, or could not leave the
// device as the rig asks; everything between is in the events. When soft ends
// the run stops after the current step, when hard ends at once; clean-up runs
// either way, with a deadline of its own.
//
// Ginkgo runs one suite per process, so a process calls Run once.
func (h Host) Run(soft, hard context.Context, job fixtures.Job, log *slog.Logger, out func(record.Event)) error {
	specs, err := named(h.Catalogue, job.Specs)
	if err != nil {
		return err
	}
	open, ok := h.Kinds[job.Hub.Kind]
	if !ok {
		return record.NewFailure(record.Harness, "open hub of kind", job.Hub.Kind, fmt.Errorf("nobody said how"))
	}
	b, err := fixtures.Open(soft, hard, job, open(job.Hub), log, out)
	if err != nil {
		return err
	}
	wrong := b.Flash(soft)
	if wrong == nil {
		wrong = b.Identify(soft)
	}
	if wrong != nil {
		wrong = b.OrDied(wrong)
	} else if len(specs) > 0 {
		register(b, specs, max(1, job.Attempts))
		sc, rc := configuration()
		ginkgo.RunSpecs(&outcomeOnly{}, job.Rig+"."+job.Device.Name, sc, rc)
	}
	left := b.End(context.WithoutCancel(hard))
	if err := b.Close(context.WithoutCancel(hard)); err != nil {
		out(record.ClockAt(job.Started).Stamp(time.Now(), record.Event{
			Device: job.Device.Name, Source: record.SourceRun, Kind: record.KindDeviceLeft, Text: "clean-up: " + err.Error(),
		}))
	}
	if wrong != nil {
		return wrong
	}
	return left
}

// configuration makes Ginkgo keep the catalogue's order and leave reporting to
// the events. Its console reporter has no switch for its writer, and standard
// output belongs to the event stream.
func configuration() (types.SuiteConfig, types.ReporterConfig) {
	formatter.ColorableStdOut = io.Discard
	sc, rc := ginkgo.GinkgoConfiguration()
	sc.Timeout = 0 // the supervisor bounds the run; 1 h is Ginkgo's own default
	sc.GracePeriod = 5 * time.Second
	sc.RandomizeAllSpecs = false
	rc.NoColor, rc.Succinct = true, true
	return sc, rc
}

// outcomeOnly is the T that RunSpecs asks for; the events carry the verdicts.
type outcomeOnly struct{ failed bool }

func (o *outcomeOnly) Fail() { o.failed = true }

func named(catalogue []fixtures.Spec, ids []string) ([]fixtures.Spec, error) {
	byID := map[string]fixtures.Spec{}
	for _, s := range catalogue {
		byID[s.ID] = s
	}
	var specs []fixtures.Spec
	for _, id := range ids {
		s, ok := byID[id]
		if !ok {
			return nil, record.NewFailure(record.Harness, "find spec", id, fmt.Errorf("no spec has this id"))
		}
		specs = append(specs, s)
	}
	return specs, nil
}

// register puts every spec into Ginkgo's tree, in order, in one container.
func register(b *fixtures.Bench, specs []fixtures.Spec, attempts int) {
	gomega.RegisterFailHandler(ginkgo.Fail)
	var running atomic.Pointer[fixtures.Case] // of the spec; what outlived its time limit may be at it still
	ginkgo.Describe("device "+b.Device.Name, ginkgo.Ordered, ginkgo.ContinueOnFailure, func() {
		for _, s := range specs {
			ginkgo.It(s.ID+" "+s.Text, ginkgo.Label(s.Labels...), ginkgo.SpecTimeout(s.TimeLimit(b.Timing())), func(ctx ginkgo.SpecContext) {
				c := b.Begin(s)
				running.Store(c)
				r := c.Judge(ctx, attempts)
				switch r.Verdict {
				case record.Fail, record.Error:
					ginkgo.Fail(r.Message)
				case record.NotRun, record.NotApplicable:
					ginkgo.Skip(r.Cause)
				}
			})
		}
	})
	ginkgo.ReportAfterEach(func(r ginkgo.SpecReport) {
		c := running.Swap(nil)
		if c == nil { // it was not begun
			return
		}
		switch r.State {
		case types.SpecStateTimedout:
			c.Broke(fmt.Sprintf("spec outlived its time limit: %s", r.Failure.Message))
		case types.SpecStatePanicked:
			c.Broke(fmt.Sprintf("spec panicked: %s at %s", r.Failure.ForwardedPanic, r.Failure.Location))
		case types.SpecStateInterrupted, types.SpecStateAborted:
			c.Broke("spec interrupted: " + r.Failure.Message)
		}
		c.Finish()
	})
}
