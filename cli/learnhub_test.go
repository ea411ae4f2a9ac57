package cli

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"hilrig/azure/hub"
)

// A board that publishes once in half a minute is waited for in several turns,
// each of which sees its messages again.
func TestAMessageSeenAgainIsOneMessage(t *testing.T) {
	began := time.Now()
	message := func(seq int, after time.Duration) hub.Event {
		return hub.Event{Seq: seq, Kind: hub.KindMessage, At: began.Add(after), Message: &hub.Message{}}
	}
	old, first, second, third := message(3, -time.Second), message(5, time.Second), message(9, 31*time.Second), message(12, 61*time.Second)
	a := &arrivals{since: began}
	for i, turn := range [][]hub.Event{{old, first}, {old, first}, {old, first}, {old, first, second}, {old, first, second}} {
		for _, e := range turn {
			if a.enough(e) {
				t.Fatalf("enough in turn %d: %v", i, a.at)
			}
		}
	}
	if !a.enough(third) || len(a.at) != 3 || a.at[1].Sub(a.at[0]) != 30*time.Second {
		t.Errorf("got %v", a.at)
	}
}

// An interrupt at the question is no answer: nothing is loaded, nothing written.
func TestAnInterruptAtTheQuestionEndsTheLearning(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("emulated devices need Linux")
	}
	s := newStage(t)
	defer s.start("hilrig emulate --link /tmp/board --hub localhost:8883", "board")()
	cmd := exec.CommandContext(t.Context(), "hilrig", "learn", "--port", "board", "--hub-port", "0", "--watch", "100ms", "--out", "type.yaml")
	cmd.Dir, cmd.Env = s.dir, append(os.Environ(), "HILRIG_STATE="+filepath.Join(s.dir, "state"))
	var errs bytes.Buffer
	cmd.Stderr = &errs
	in, err1 := cmd.StdinPipe() // a person who does not answer
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	said, buf := "", make([]byte, 512)
	for !strings.Contains(said, "[y/N]") {
		n, err := out.Read(buf)
		said += string(buf[:n])
		if err != nil {
			t.Fatalf("%v; it said %s%s", err, said, &errs)
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, out)
	_ = cmd.Wait() // its exit code says it
	if _, err := os.Stat(filepath.Join(s.dir, "type.yaml")); cmd.ProcessState.ExitCode() != 130 || err == nil {
		t.Errorf("exit code %d, type written: %v, it said %s%s", cmd.ProcessState.ExitCode(), err == nil, said, &errs)
	}
}
