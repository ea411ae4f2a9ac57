package emulator

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hilrig/record"
)

// startBehaving runs a device whose firmware is changed by the test.
func startBehaving(t *testing.T, c Config, change func(*behaviour)) *board {
	t.Helper()
	c.change = change
	return start(t, c)
}

// A pseudo-terminal takes bytes at once; the device takes them, and gives them
// back, at the line's rate: never faster, and slower only where the machine has
// no time for it, so the best of a few counts.
func TestLineRateOnAPseudoTerminal(t *testing.T) {
	const size, tries = 8000, 5
	for _, baud := range []int{115200, 38400} {
		b, best := start(t, Config{Baud: baud}), 0.0
		for range tries {
			b.send("9270,10\r")
			b.expect("SEND FILE...\r\n")
			began := time.Now()
			b.send(strings.Repeat("x", size-1) + "*")
			b.expect("*")
			took, line := time.Since(began), size*10*time.Second/time.Duration(baud)
			best = max(best, line.Seconds()/took.Seconds())
			t.Logf("%d baud: %d bytes there and back in %s, %.2f %% of the line's rate", baud, size, took, 100*line.Seconds()/took.Seconds())
			if best >= 0.97 {
				break
			}
			b.expect("\r\n") // its answer to what is no file
		}
		if best < 0.97 || best > 1.03 {
			t.Errorf("%d baud: %.2f %% of the line's rate", baud, 100*best)
		}
	}
}

func TestLink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "port")
	refused := func(what string) {
		t.Helper()
		if err := linkTo("/dev/pts/none", path); record.ClassOf(err) != record.Usage {
			t.Errorf("%s: %v, want a usage error", what, err)
		}
	}
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	refused("over a file")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(dir, path); err != nil {
		t.Fatal(err)
	}
	refused("over a link that leads somewhere")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	for _, port := range []string{"/dev/pts/none", "/dev/pts/other", "/dev/pts/other"} {
		if err := linkTo(port, path); err != nil {
			t.Fatalf("new, or over a link that leads nowhere: %v", err)
		}
	}
	unlink("/dev/pts/none", path)
	if _, err := os.Lstat(path); err != nil {
		t.Error("removed a link that is another's")
	}
	unlink("/dev/pts/other", path)
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Error("left its own link behind")
	}
	path = filepath.Join(dir, "missing", "port")
	refused("in a folder that is missing")
}

func TestLinkComesAndGoesWithTheDevice(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "port")
	port, off := power(t, "--link", path)
	if port != path {
		t.Errorf("ready with %q", port)
	}
	b := attach(t, port)
	b.send("VERSION\r")
	b.expect(Version)
	off() // a killed device leaves its link, the next one replaces it
	if _, err := os.Lstat(path); err != nil {
		t.Fatal(err)
	}
	t.Run("again", func(t *testing.T) {
		b := start(t, Config{Link: path})
		b.send("VERSION\r")
		b.expect(Version)
	})
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Error("the link is still there")
	}
}
