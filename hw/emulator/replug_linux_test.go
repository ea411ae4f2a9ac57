package emulator

import (
	"io"
	"os"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// cable is the parent's end of a device's line: what power holds in its hand.
type cable struct {
	t      *testing.T
	socket int
	master *os.File
	tty    *os.File
}

// plugged runs a device on a line that can be taken away, and returns the
// person at its terminal.
func plugged(t *testing.T, c Config) (*cable, *board) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	k := &cable{t: t, socket: fds[0]}
	t.Cleanup(func() { _ = unix.Close(fds[0]); _ = unix.Close(fds[1]) })
	k.open()
	c.Control = fds[1]
	own, err := unix.Dup(int(k.master.Fd())) // Run closes its own
	if err != nil {
		t.Fatal(err)
	}
	c.Terminal = os.NewFile(uintptr(own), "terminal")
	return k, start(t, c)
}

func (k *cable) open() {
	k.t.Helper()
	var err error
	if k.master, k.tty, err = pty.Open(); err != nil {
		k.t.Fatal(err)
	}
	k.t.Cleanup(func() { _ = k.master.Close(); _ = k.tty.Close() })
}

func (k *cable) say(word byte, rights []byte) {
	k.t.Helper()
	if err := unix.Sendmsg(k.socket, []byte{word}, rights, nil, 0); err != nil {
		k.t.Fatal(err)
	}
}

func (k *cable) pull() {
	k.say(saysUnplug, nil)
	_ = k.tty.Close()
	_ = k.master.Close()
}

func (k *cable) put() *board {
	k.open()
	k.say(saysPlug, unix.UnixRights(int(k.master.Fd())))
	return attach(k.t, k.tty.Name())
}

// gone waits until whoever has the port open is told that it is gone.
func gone(t *testing.T, port *os.File) {
	t.Helper()
	ended := make(chan error, 1)
	go func() { _, err := io.Copy(io.Discard, port); ended <- err }()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Fatal("the port is still there")
	}
}

func TestConsoleGoesOnWhenReplugged(t *testing.T) {
	t.Parallel()
	k, b := plugged(t, Config{})
	b.send("VERSION\r")
	b.expect(Version)
	for range 2 {
		k.pull()
		gone(t, b.port)
		b = k.put()
		b.answers("VERSION", Version)
	}
}

func TestConsoleDiesOnReplug(t *testing.T) {
	t.Parallel()
	k, b := plugged(t, Config{Faults: []string{"console-dies-on-replug"}})
	b.send("VERSION\r")
	b.expect(Version)
	k.pull()
	gone(t, b.port)
	b = k.put()
	b.send("VERSION\r")
	if got, ok := b.await(Version, time.Second); ok {
		t.Errorf("answered %q", got)
	}
}

func TestTelemetryPauses(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil, nil)
	f.boot(t, Config{Interval: 20 * time.Millisecond, KeepAlive: time.Second}, nil)
	f.packet("telemetry", kindPublish)
	f.device.send("TELEMETRY OFF\r")
	f.device.expect("OK\r\n")
	f.packet("PINGREQ", kindPingreq)
	if f.publishes(300 * time.Millisecond) {
		t.Error("it publishes on")
	}
	f.device.send("TELEMETRY ON\r")
	f.device.expect("OK\r\n")
	f.packet("telemetry", kindPublish)
}

func TestSlowBoot(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil, nil)
	f.boot(t, Config{State: t.TempDir() + "/state.json", Faults: []string{"slow-boot"}}, nil)
	f.packet("telemetry", kindPublish)
	f.device.send("REBOOT\r")
	f.device.expect("REBOOTING\r\n")
	f.device.answers("VERSION", Version)
	if _, back := f.within(2*time.Second, isPacket(kindConnect)); back {
		t.Error("it connects at once")
	}
}
