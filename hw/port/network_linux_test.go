package port

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hilrig/peers"
	"hilrig/record"
)

// freeAddress is one that nobody listens at now.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// serve starts a program that serves a line, and waits until somebody could be
// served. It does not connect: a server of ports takes one client.
func serve(t *testing.T, address, program string, args ...string) (stop func()) {
	t.Helper()
	cmd := exec.Command(peers.Find(t, program), args...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			_ = cmd.Process.Signal(syscall.SIGTERM)
			_ = cmd.Wait()
		}
	}
	t.Cleanup(stop)
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); !listened(t, port); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			stop()
			t.Fatalf("%s does not listen at %s: %s", program, address, &said)
		}
	}
	return stop
}

// listened reports whether some socket of this machine listens at a port
// (/proc/net/tcp: state 0A).
func listened(t *testing.T, port string) bool {
	t.Helper()
	var n int
	if _, err := fmt.Sscan(port, &n); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		data, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		for _, line := range strings.Split(string(data), "\n") {
			f := strings.Fields(line)
			if len(f) > 3 && f[3] == "0A" && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", n)) {
				return true
			}
		}
	}
	return false
}

// ser2net serves a line by an accepter's gensio, "telnet(rfc2217),tcp" or "tcp".
func ser2net(t *testing.T, accepter, line string) (address string, stop func()) {
	t.Helper()
	address = freeAddress(t)
	host, port, _ := net.SplitHostPort(address)
	config := filepath.Join(t.TempDir(), "ser2net.yaml")
	text := fmt.Sprintf("connection: &c\n    accepter: %s,%s,%s\n    connector: serialdev,%s,9600n81,local\n", accepter, host, port, line)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return address, serve(t, address, "ser2net", "-d", "-u", "-c", config)
}

// turned is what the device says to b: every byte with all its bits turned.
func turned(b []byte) []byte {
	out := bytes.Clone(b)
	for i := range out {
		out[i] = ^out[i]
	}
	return out
}

// device is the other end of a pseudo-terminal.
func device(t *testing.T, master *os.File) {
	t.Helper()
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := master.Read(b)
			if err != nil {
				return
			}
			if _, err := master.Write(turned(b[:n])); err != nil {
				return
			}
		}
	}()
}

func talk(t *testing.T, p *Port, send, want []byte) {
	t.Helper()
	within(t, 20*time.Second, "answer", func() {
		if _, err := p.Write(send); err != nil {
			t.Errorf("write: %v", err)
			return
		}
		got := make([]byte, len(want))
		if _, err := io.ReadFull(p, got); err != nil || !bytes.Equal(got, want) {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	})
}

func speedOf(t *testing.T, master *os.File) (baud int, flags uint32) {
	t.Helper()
	tio, err := unix.IoctlGetTermios(int(master.Fd()), unix.TCGETS2)
	if err != nil {
		t.Fatal(err)
	}
	return int(tio.Ospeed), tio.Cflag
}

func TestALineBehindARawServer(t *testing.T) {
	for _, program := range []string{"socat", "ser2net"} {
		t.Run(program, func(t *testing.T) {
			master, line := openPTY(t)
			device(t, master)
			var address string
			var stop func()
			if program == "socat" {
				address = freeAddress(t)
				host, number, _ := net.SplitHostPort(address)
				stop = serve(t, address, "socat", "TCP-LISTEN:"+number+",bind="+host+",reuseaddr", "FILE:"+line+",raw,echo=0")
			} else {
				address, stop = ser2net(t, "tcp", line)
			}
			p := openPort(t, Config{Path: "tcp://" + address})
			talk(t, p, []byte("9270,10\r\xff\x00*"), turned([]byte("9270,10\r\xff\x00*")))
			stop()
			within(t, 10*time.Second, "end", func() {
				for {
					if _, err := p.Read(make([]byte, 64)); err != nil {
						if !errors.Is(err, ErrUnplugged) || record.ClassOf(err) != record.RigPort || !strings.Contains(err.Error(), "server") {
							t.Errorf("a server that went: %v", err)
						}
						return
					}
				}
			})
		})
	}
}

func TestRFC2217SetsTheLine(t *testing.T) {
	master, line := openPTY(t)
	device(t, master)
	address, _ := ser2net(t, "telnet(rfc2217=true)", line)
	p := openPort(t, Config{Path: "rfc2217://" + address, Baud: 57600})
	baud, flags := speedOf(t, master)
	if baud != 57600 {
		t.Errorf("the line has %d baud", baud)
	}
	if flags&unix.CSIZE != unix.CS8 || flags&(unix.PARENB|unix.CSTOPB|unix.CRTSCTS) != 0 {
		t.Errorf("the line is not 8N1 without flow control: %#o", flags)
	}
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	talk(t, p, bytes.Repeat(every, 20), bytes.Repeat(turned(every), 20))
}

func TestAClosedNetworkLineIsClosedNotUnplugged(t *testing.T) {
	master, line := openPTY(t)
	device(t, master)
	address, _ := ser2net(t, "telnet(rfc2217=true)", line)
	p := openPort(t, Config{Path: "rfc2217://" + address})
	within(t, 10*time.Second, "close", func() {
		done := make(chan error)
		go func() { _, err := p.Read(make([]byte, 1)); done <- err }()
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; !errors.Is(err, ErrClosed) {
			t.Errorf("read: %v", err)
		}
		if _, err := p.Write([]byte("x")); !errors.Is(err, ErrClosed) {
			t.Errorf("write: %v", err)
		}
	})
}

func TestASecondClientOfAServerIsTold(t *testing.T) {
	for scheme, accepter := range map[string]string{"rfc2217": "telnet(rfc2217=true)", "tcp": "tcp"} {
		t.Run(scheme, func(t *testing.T) {
			master, line := openPTY(t)
			device(t, master)
			address, _ := ser2net(t, accepter, line)
			p := openPort(t, Config{Path: scheme + "://" + address})
			talk(t, p, []byte("A"), turned([]byte("A")))
			other, err := Open(t.Context(), Config{Path: scheme + "://" + address, LockDir: t.TempDir()}) // of another host
			if err == nil {
				defer other.Close()
				for err == nil {
					_, err = other.Read(make([]byte, 64))
				}
			}
			if !errors.Is(err, ErrBusy) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestOneLeaseForALineOnTheNetworkHoweverItIsNamed(t *testing.T) {
	dir := t.TempDir()
	l, err := Lock(dir, "tcp://Rig.lan:4000", "one")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Release()
	for _, name := range []string{"tcp://rig.lan:4000", "rfc2217://rig.lan:4000", "rfc2217://rig.lan:4000/"} {
		_, err := Open(t.Context(), Config{Path: name, LockDir: dir, Run: "two"})
		if busy := new(BusyError); !errors.As(err, &busy) || busy.Holder.Run != "one" {
			t.Errorf("%s: %v", name, err)
		}
		if h, held := Held(dir, name); !held || h.Run != "one" {
			t.Errorf("%s: held by %v, %v", name, h, held)
		}
	}
}

// answering serves one client with a text, then does as told.
func answering(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); serve(c) }()
		}
	}()
	return l.Addr().String()
}

func TestWhatIsWrongWithALineOnTheNetworkIsSaid(t *testing.T) {
	silent := answering(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	plain := answering(t, func(c net.Conn) {
		_, _ = c.Write([]byte{iac, dont, optComPort})
		_, _ = io.Copy(io.Discard, c)
	})
	other := answering(t, func(c net.Conn) { // sets another rate than was asked for
		_, _ = c.Write([]byte{iac, do, optComPort, iac, do, optBinary, iac, will, optBinary})
		r := bufio.NewReader(c)
		for {
			if _, err := r.ReadBytes(se); err != nil {
				return
			}
			_, _ = c.Write(parameters(setBaudrate+answerOffset, 0, 0, 0x25, 0x80))
		}
	})
	hangs := answering(t, func(net.Conn) {})
	for name, c := range map[string]struct {
		path  string
		cause error
		words []string
	}{
		"nobody there": {"tcp://" + freeAddress(t), ErrUnreachable, []string{"refused", "ser2net"}},
		"no such host": {"tcp://host.invalid:4000", ErrUnreachable, []string{"no host of this name"}},
		"no port":      {"tcp://127.0.0.1", ErrNotSerial, []string{"tcp://host:port"}},
		"scheme":       {"telnet://127.0.0.1:23", ErrNotSerial, []string{"telnet://", "rfc2217://"}},
		"raw":          {"rfc2217://" + silent, ErrNoControl, []string{"is it a raw port?", "tcp://"}},
		"plain telnet": {"rfc2217://" + plain, ErrNoControl, []string{"without RFC 2217"}},
		"another rate": {"rfc2217://" + other, ErrNoControl, []string{"rate of 115200", "9600"}},
		"hangs up":     {"rfc2217://" + hangs, ErrUnplugged, []string{"server has closed"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Open(t.Context(), Config{Path: c.path, LockDir: t.TempDir()})
			if !errors.Is(err, c.cause) || record.ClassOf(err) != record.RigPort {
				t.Fatalf("%v (%s)", err, record.ClassOf(err))
			}
			var f *record.Failure
			if !errors.As(err, &f) || f.Cure == "" {
				t.Errorf("no cure: %v", err)
			}
			for _, w := range c.words {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q, want %q in it", err, w)
				}
			}
		})
	}
}

func TestOpeningALineOnTheNetworkEndsWithItsContext(t *testing.T) {
	silent := answering(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	ctx, cancel := context.WithCancel(t.Context())
	within(t, 3*time.Second, "open", func() {
		time.AfterFunc(20*time.Millisecond, cancel)
		if _, err := Open(ctx, Config{Path: "rfc2217://" + silent, LockDir: t.TempDir()}); err == nil {
			t.Error("opened")
		}
	})
}

func TestAServerThatTakesNothingIsStuck(t *testing.T) {
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	address := answering(t, func(net.Conn) { <-stop })
	p := openPort(t, Config{Path: "tcp://" + address, Baud: 12_000_000, WriteWithin: 300 * time.Millisecond})
	within(t, 20*time.Second, "write", func() {
		var err error
		for range 1000 {
			if _, err = p.Write(make([]byte, 64<<10)); err != nil {
				break
			}
		}
		if !errors.Is(err, ErrStuck) {
			t.Errorf("got %v", err)
		}
	})
}

// What a server that is taken says may be lost with the connection, if it is
// spoken to: then it is asked once more, by listening alone.
func TestARefusalThatIsLostIsAskedForOnceMore(t *testing.T) {
	address := answering(t, func(c net.Conn) {
		_, _ = c.Write([]byte{iac, do, optComPort})
		_ = c.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
		if n, _ := c.Read(make([]byte, 64)); n > 0 {
			_ = c.(*net.TCPConn).SetLinger(0) // a reset
			return
		}
		_, _ = c.Write([]byte("Port already in use\r\n"))
	})
	_, err := Open(t.Context(), Config{Path: "rfc2217://" + address, LockDir: t.TempDir()})
	if !errors.Is(err, ErrBusy) {
		t.Errorf("got %v", err)
	}
}
