//go:build linux

package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"hilrig/fixtures"
	"hilrig/fixtures/rigfile"
	"hilrig/record"
)

// The test binary is its own child: it plays the part that fakeEnv names.
const fakeEnv = "HILRIG_FAKE_CHILD"

func TestMain(m *testing.M) {
	part := os.Getenv(fakeEnv)
	switch {
	case part == "supervisor":
		os.Exit(playSupervisor())
	case part != "":
		os.Exit(playChild(part))
	}
	os.Exit(m.Run())
}

// catalogue is four specs; the fakes do something odd in the second.
func catalogue() []fixtures.Spec {
	var specs []fixtures.Spec
	for _, id := range []string{"identity/one", "tls/two", "tls/three", "session/four"} {
		specs = append(specs, fixtures.Spec{ID: id, Text: "does " + id, Labels: []string{"core"}})
	}
	return specs
}

const odd = "tls/two"

func playChild(part string) int {
	signal.Ignore(syscall.SIGPIPE)
	play, known := parts[part]
	if !known {
		fmt.Fprintln(os.Stderr, "no such part:", part)
		return 99
	}
	return Child{In: os.Stdin, Out: os.Stdout, Log: slog.New(slog.DiscardHandler), Run: play}.Serve(context.Background())
}

type part func(soft, hard context.Context, job fixtures.Job, log *slog.Logger, out func(record.Event)) error

// specs plays every spec: pass, but for what oddly returns for the second.
// Where it returns nothing the spec ends without a result.
func specs(job fixtures.Job, out func(record.Event), oddly func() *record.SpecResult) {
	clock := record.ClockAt(job.Started)
	send := func(kind, spec string, data any) {
		e := clock.Stamp(time.Now(), record.Event{Source: record.SourceSpec, Kind: kind, Spec: spec})
		if data != nil {
			e.Data = record.MustData(data)
		}
		out(e)
	}
	send(record.KindDeviceFacts, "", record.DeviceFacts{Port: "/dev/pts/7", Hub: job.Hub.Recorded(), Loads: 3})
	for _, id := range job.Specs {
		send(record.KindSpecStarted, id, nil)
		res := &record.SpecResult{ID: id, Verdict: record.Pass, Started: time.Now(), Seconds: 0.01}
		if id == odd && oddly != nil {
			res = oddly()
		}
		if res != nil {
			res.ID = id
			send(record.KindSpecFinished, id, res)
		}
	}
}

func verdict(v record.Verdict, c record.Class, text string) *record.SpecResult {
	return judgement{v, c, text}.ptr()
}

func (b judgement) ptr() *record.SpecResult {
	s := b.result(record.SpecResult{})
	return &s
}

// waiting plays a spec that lasts until ctx ends, and then has no verdict.
func waiting(ctx context.Context, job fixtures.Job, out func(record.Event)) {
	specs(job, out, func() *record.SpecResult {
		<-ctx.Done()
		return verdict(record.NotRun, "", context.Cause(ctx).Error())
	})
}

var parts = map[string]part{
	"normal": func(_, _ context.Context, job fixtures.Job, _ *slog.Logger, out func(record.Event)) error {
		specs(job, out, nil)
		return nil
	},
	"talkative": func(_, _ context.Context, job fixtures.Job, _ *slog.Logger, out func(record.Event)) error {
		for range 600 { // more than a pipe and a buffer hold
			out(record.Event{Source: record.SourceSerial, Kind: "received", Text: strings.Repeat("x", 300)})
		}
		specs(job, out, nil)
		return nil
	},
	"fail": func(_, _ context.Context, job fixtures.Job, _ *slog.Logger, out func(record.Event)) error {
		specs(job, out, func() *record.SpecResult {
			return verdict(record.Fail, record.ClassDevice, "expected a, seen b")
		})
		return nil
	},
	"flaky-rig": func(_, _ context.Context, job fixtures.Job, _ *slog.Logger, out func(record.Event)) error {
		specs(job, out, func() *record.SpecResult {
			if strings.HasSuffix(job.Dir, "round-02") {
				return verdict(record.Fail, record.ClassDevice, "expected a, seen b")
			}
			return verdict(record.Pass, "", "")
		})
		return nil
	},
	"panic": func(_, _ context.Context, job fixtures.Job, _ *slog.Logger, out func(record.Event)) error {
		specs(job, out, func() *record.SpecResult { panic("nil map, of all things") })
		return nil
	},
	"exit": func(_, _ context.Context, job fixtures.Job, _ *slog.Logger, out func(record.Event)) error {
		specs(job, out, func() *record.SpecResult { os.Exit(7); return nil })
		return nil
	},
	"killed": func(_, _ context.Context, job fixtures.Job, _ *slog.Logger, out func(record.Event)) error {
		specs(job, out, func() *record.SpecResult {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		})
		return nil
	},
	"killed-while-it-switches": func(_, _ context.Context, job fixtures.Job, _ *slog.Logger, out func(record.Event)) error {
		off := job.Device.Power.Off.Argv
		cmd := exec.Command(off[0], off[1:]...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // as hw/power has it
		said, err := cmd.StdoutPipe()
		if err := errors.Join(err, cmd.Start()); err != nil {
			return err
		}
		if _, err := said.Read(make([]byte, 1)); err != nil { // it is about to switch
			return err
		}
		specs(job, out, func() *record.SpecResult {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		})
		return nil
	},
	"half-line": func(_, _ context.Context, job fixtures.Job, _ *slog.Logger, out func(record.Event)) error {
		specs(job, out, func() *record.SpecResult {
			fmt.Print(`{"at":1,"source":"spec","kind":"spec.fini`)
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		})
		return nil
	},
	"garbage": func(_, _ context.Context, job fixtures.Job, _ *slog.Logger, out func(record.Event)) error {
		fmt.Println("Running Suite: a library talks")
		fmt.Println(`{"at":"not a number"}`)
		fmt.Println(`{"at":1}`)
		fmt.Println("\x00\xff\xfe")
		fmt.Println(strings.Repeat("x", maxLine+10))
		specs(job, out, nil)
		return nil
	},
	"wrong-results": func(_, _ context.Context, job fixtures.Job, _ *slog.Logger, out func(record.Event)) error {
		out(record.Event{Source: record.SourceSpec, Kind: record.KindSpecFinished, Spec: "tls/unasked", Data: record.MustData(record.SpecResult{ID: "tls/unasked", Verdict: record.Pass})})
		specs(job, out, func() *record.SpecResult { return verdict("splendid", "", "") })
		return nil
	},
	"forgets": func(_, _ context.Context, job fixtures.Job, _ *slog.Logger, out func(record.Event)) error {
		specs(job, out, func() *record.SpecResult { return nil })
		return nil
	},
	"port-busy": func(_, _ context.Context, job fixtures.Job, _ *slog.Logger, out func(record.Event)) error {
		return record.NewFailure(record.RigPort, "open port", "/dev/ttyUSB0", fmt.Errorf("held by process 12"))
	},
	"polite": func(soft, _ context.Context, job fixtures.Job, _ *slog.Logger, out func(record.Event)) error {
		waiting(soft, job, out)
		return nil
	},
	"in-a-hurry-only": func(_, hard context.Context, job fixtures.Job, _ *slog.Logger, out func(record.Event)) error {
		waiting(hard, job, out)
		return nil
	},
	"deaf": func(_, _ context.Context, job fixtures.Job, _ *slog.Logger, out func(record.Event)) error {
		specs(job, out, func() *record.SpecResult { select {} })
		return nil
	},
	"lingers": func(_, _ context.Context, job fixtures.Job, _ *slog.Logger, out func(record.Event)) error {
		specs(job, out, nil)
		fmt.Println(`{"at":1,"source":"run","kind":"child.ended"}`)
		select {}
	},
	"reads-the-record": func(_, _ context.Context, job fixtures.Job, _ *slog.Logger, out func(record.Event)) error {
		data, err := os.ReadFile(filepath.Join(job.Dir, record.RecordFile))
		if err != nil {
			return err
		}
		out(record.Event{Source: record.SourceRun, Kind: "read", Data: data})
		specs(job, out, nil)
		return nil
	},
	"second-device-waits": func(soft, _ context.Context, job fixtures.Job, _ *slog.Logger, out func(record.Event)) error {
		if job.Device.Name == "emu-2" {
			waiting(soft, job, out)
			return nil
		}
		specs(job, out, nil)
		return nil
	},
	"power-command-hangs": func(_, _ context.Context, job fixtures.Job, _ *slog.Logger, out func(record.Event)) error {
		cmd := exec.Command("sleep", "60")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // as hw/power has it
		if err := cmd.Start(); err != nil {
			return err
		}
		out(record.Event{Source: record.SourceRun, Kind: "power.command", Text: fmt.Sprint("process ", cmd.Process.Pid)})
		specs(job, out, func() *record.SpecResult { select {} })
		return nil
	},
	"dials-its-port": func(_, _ context.Context, job fixtures.Job, _ *slog.Logger, out func(record.Event)) error {
		c, err := net.Dial("tcp", job.SharedPort)
		if err != nil {
			return err
		}
		_, _ = c.Read(make([]byte, 1)) // until it is reset
		specs(job, out, nil)
		return c.Close()
	},
	"dies-at-a": func(_, _ context.Context, job fixtures.Job, _ *slog.Logger, out func(record.Event)) error {
		specs(job, out, func() *record.SpecResult {
			if job.Hub.Name == "a" {
				os.Exit(7)
			}
			return verdict(record.Pass, "", "")
		})
		return nil
	},
	"grandchild": func(_, _ context.Context, job fixtures.Job, _ *slog.Logger, out func(record.Event)) error {
		p, err := os.StartProcess("/bin/sleep", []string{"sleep", "20"}, &os.ProcAttr{Files: []*os.File{nil, os.Stdout, os.Stderr}})
		if err != nil {
			return err
		}
		fmt.Fprintln(os.Stderr, "started", p.Pid)
		specs(job, out, nil)
		return nil
	},
}

// plan is a checked plan for devices that nobody touches.
func plan(t testing.TB, devices ...string) *Plan {
	t.Helper()
	rig := rigfile.Default()
	rig.Devices = nil
	for _, name := range devices {
		rig.Devices = append(rig.Devices, rigfile.Device{Name: name, TypeName: "infinite", DeviceID: "NewDevice", Serial: rigfile.Serial{Emulated: &rigfile.Emulated{}}})
	}
	p, err := NewPlan(Request{Rig: rig, Catalogue: catalogue(), Repeat: 1, Attempts: 1, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// supervisor starts fakes that all play one part.
func supervisor(t testing.TB, part string) *Supervisor {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return &Supervisor{
		Command: []string{exe}, Env: append(os.Environ(), fakeEnv+"="+part), Executable: exe,
		Out: t.TempDir(), StateDir: t.TempDir(), LockDir: t.TempDir(), Host: "here", Version: "test", Arguments: []string{"run"},
		GracePeriods: GracePeriods{Stop: 5 * time.Second, Now: 5 * time.Second, Exit: 300 * time.Millisecond, Drain: 300 * time.Millisecond},
		Log:          slog.New(slog.DiscardHandler),
	}
}

func run1(t testing.TB, s *Supervisor, p *Plan) *Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	res, err := s.Run(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// scanPID reads the process id out of a child.started event.
func scanPID(text string, pid *int) (int, error) { return fmt.Sscanf(text, "process %d", pid) }
