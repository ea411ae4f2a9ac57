package runner

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"hilrig/fixtures"
	"hilrig/record"
)

// lifelineGrace is how long a child may live on when its supervisor is gone: it
// is to be gone within two seconds, on a busy host too.
const lifelineGrace = 1700 * time.Millisecond

// ChildResult is the data of a child's [record.KindChildEnded] event. Cause is
// set if it could not even begin, and then says why nothing was run.
type ChildResult struct {
	Class record.Class `json:"class,omitempty"`
	Cause string       `json:"cause,omitempty"`
}

// Child is the other end of the supervisor's pipes.
type Child struct {
	In   io.Reader // the job, then orders; its end means that the supervisor is gone
	Out  io.Writer // events
	Log  *slog.Logger
	Run  func(soft, hard context.Context, job fixtures.Job, log *slog.Logger, out func(record.Event)) error
	Exit func(code int) // ends the process at once; nil: os.Exit
}

// Serve reads the job, runs it, and says the last word. It returns the exit
// code: 0 when the last word says all. A cancelled ctx is taken like a
// supervisor that is gone.
func (c Child) Serve(ctx context.Context) int {
	if c.Exit == nil {
		c.Exit = os.Exit
	}
	in := bufio.NewReader(c.In)
	job, err := readJob(in)
	if err != nil {
		c.Log.Error(err.Error())
		return ExitRig
	}
	if err := job.Held.Take(); err != nil {
		c.Log.Error(err.Error())
		return ExitRig
	}
	hard, endHard := context.WithCancelCause(context.WithoutCancel(ctx))
	soft, endSoft := context.WithCancelCause(hard)
	defer endHard(nil)
	now := func() { endSoft(fixtures.ErrNow); endHard(fixtures.ErrNow) }
	gone := sync.OnceFunc(func() {
		now()
		time.AfterFunc(lifelineGrace, func() { c.Exit(ExitRig) })
	})
	defer context.AfterFunc(ctx, gone)()
	go obey(in, func(why string) { endSoft(fixtures.Stopped(why)) }, now, gone)

	s := startStream(c.Out, gone)
	clock := record.ClockAt(job.Started)
	var word ChildResult
	if err := c.Run(soft, hard, job, c.Log, s.send); err != nil {
		word = ChildResult{Class: record.ClassOf(err), Cause: err.Error()}
		if errors.Is(err, fixtures.ErrStop) || errors.Is(err, fixtures.ErrNow) {
			word.Class = "" // nobody's
		}
	}
	s.send(clock.Stamp(time.Now(), record.Event{
		Device: job.Device.Name, Source: record.SourceRun, Kind: record.KindChildEnded, Text: word.Cause, Data: record.MustData(word),
	}))
	return ExitPass
}

// obey reads orders until the supervisor is gone. An order to stop says why.
func obey(in *bufio.Reader, stop func(why string), now, gone func()) {
	for {
		line, err := in.ReadString('\n')
		word, why, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "stop":
			stop(why)
		case "now":
			now()
		}
		if err != nil {
			gone()
			return
		}
	}
}

func readJob(in *bufio.Reader) (fixtures.Job, error) {
	var job fixtures.Job
	line, err := in.ReadBytes('\n')
	if err != nil {
		return job, fmt.Errorf("read the job from standard input: %w (this verb is for hilrig run alone)", err)
	}
	if err := json.Unmarshal(line, &job); err != nil {
		return job, fmt.Errorf("read the job from standard input: %w (this verb is for hilrig run alone)", err)
	}
	return job, nil
}
