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

	"hilrig/record"
)

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

// A root of one's own is of use only with an identity that its hub knows: said
// before anything is made or touched.
func TestARootWithoutAnIdentityIsRefusedFirst(t *testing.T) {
	f := &learnFlags{root: "root.pem", baud: 115200, listenFor: 1, connectWithin: 1, bootWithin: 1, deviceID: "d", out: filepath.Join(t.TempDir(), "type.yaml")}
	if err := f.check(); record.ClassOf(err) != record.Usage || !strings.Contains(err.Error(), "an identity goes with it") {
		t.Error(err)
	}
}
