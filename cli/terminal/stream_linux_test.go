package terminal

import (
	"errors"
	"os"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// What found no room is lost; what a reader did not wait for is not.
func TestAStreamRemembersWhatItDidNotTake(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	r, pipe, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	_ = r.Close()
	screen, hungUp, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer hungUp.Close()
	for name, c := range map[string]struct {
		to   *os.File
		lost error
	}{
		"a disk that is full":   {full, unix.ENOSPC},
		"a pipe with no reader": {pipe, nil},
		"a terminal, hung up":   {hungUp, nil},
	} {
		s := NewStream(c.to)
		if c.to == hungUp {
			_ = screen.Close()
		}
		if _, err := s.Write([]byte("a word")); err == nil {
			t.Errorf("%s takes it", name)
		}
		if !errors.Is(s.Lost(), c.lost) {
			t.Errorf("%s: lost for %v, want %v", name, s.Lost(), c.lost)
		}
	}
}
