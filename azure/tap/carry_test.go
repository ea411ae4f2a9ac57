package tap_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"hash"
	"io"
	mathrand "math/rand/v2"
	"net"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"hilrig/azure/hub"
	"hilrig/azure/tap"
)

// sends writes so many bytes in pieces of any size, then its own end, and
// returns their hash.
func sends(c io.Writer, n int64, seed uint64) (sum string, err error) {
	from := mathrand.NewChaCha8([32]byte{byte(seed)})
	sizes := mathrand.New(mathrand.NewPCG(seed, seed))
	h := sha256.New()
	b := make([]byte, 1<<17)
	for n > 0 {
		size := min(n, 1+sizes.Int64N(1<<sizes.IntN(18)))
		_, _ = from.Read(b[:size])
		h.Write(b[:size])
		if _, err := c.Write(b[:size]); err != nil {
			return "", err
		}
		n -= size
	}
	if half, can := c.(interface{ CloseWrite() error }); can {
		err = half.CloseWrite()
	}
	return sumOf(h), err
}

func sumOf(h hash.Hash) string { return fmt.Sprintf("%x", h.Sum(nil)) }

// size is how much the test carries: HILRIG_TAP_BYTES says more than is quick.
func size() int64 {
	if n, err := strconv.ParseInt(os.Getenv("HILRIG_TAP_BYTES"), 10, 64); err == nil {
		return n
	}
	return 16 << 20
}

// Bytes are the same on both sides, both ways at once, whatever they are, and
// each direction's end comes behind its last.
func TestBytesPassUntouched(t *testing.T) {
	server := &tls.Config{Certificates: []tls.Certificate{makePKI().server}, SessionTicketsDisabled: true}
	for _, c := range []struct {
		name string
		wrap func(net.Conn) (net.Conn, error) // of the hub's side
		dial func(b *bench) (net.Conn, error)
	}{
		{"any bytes", func(c net.Conn) (net.Conn, error) { return c, nil }, func(b *bench) (net.Conn, error) { return net.Dial("tcp", b.addr) }},
		{"TLS", func(c net.Conn) (net.Conn, error) { return tls.Server(c, server), nil }, func(b *bench) (net.Conn, error) { return tls.Dial("tcp", b.addr, b.config()) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := size()
			if c.name == "TLS" {
				n /= 4
			}
			type told struct {
				sent, got string
				err       error
			}
			both := func(conn net.Conn, seed uint64) (x told) {
				var wg sync.WaitGroup
				wg.Go(func() {
					h := sha256.New()
					if _, err := io.Copy(h, conn); err != nil {
						x.err = err
					}
					x.got = sumOf(h)
				})
				sent, err := sends(conn, n, seed)
				wg.Wait()
				x.sent, x.err = sent, errors.Join(x.err, err)
				return x
			}
			hubs := make(chan told, 1)
			b := open(t, opens(func(raw net.Conn) {
				conn, err := c.wrap(raw)
				if err == nil {
					x := both(conn, 1)
					if x.got != sumOf(sha256.New()) { // the tap's own look at the hub brings nothing
						hubs <- x
					}
				}
			}), tap.Config{})
			conn, err := c.dial(b)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			device := both(conn, 2)
			far := <-hubs
			if err := errors.Join(device.err, far.err); err != nil {
				t.Fatal(err)
			}
			if device.sent != far.got || far.sent != device.got {
				t.Errorf("%d bytes each way: sent %s, got %s; back sent %s, got %s", n, device.sent, far.got, far.sent, device.got)
			}
		})
	}
}

// Both sides of a tap may be of either family of addresses.
func TestBothFamiliesOfAddresses(t *testing.T) {
	freePort(t, "::1") // or this host has no IPv6
	for _, c := range []struct{ device, hub string }{{"[::1]:0", "[::1]:0"}, {"[::1]:0", "127.0.0.1:0"}, {"127.0.0.1:0", "[::1]:0"}} {
		t.Run(c.device+" to "+c.hub, func(t *testing.T) {
			b := openAt(t, c.device, opensAt(c.hub, func(conn net.Conn) { _, _ = io.Copy(conn, conn) }), tap.Config{})
			host, _, _ := net.SplitHostPort(c.device)
			_, port, _ := net.SplitHostPort(b.addr) // the host in it is the hub's name
			device, err := net.Dial("tcp", net.JoinHostPort(host, port))
			if err != nil {
				t.Fatal(err)
			}
			defer device.Close()
			_ = device.SetDeadline(time.Now().Add(15 * time.Second))
			said := []byte("\x16\x03\x01 and more")
			if _, err := device.Write(said); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(device, said); err != nil {
				t.Error(err)
			}
			from := device.LocalAddr().String()
			b.await(0, "its beginning", func(e hub.Event) bool { return e.Kind == hub.KindAccepted && e.Remote == from })
		})
	}
}

// dialled is a tap in front of a hub, and a connection to it.
func dialled(t *testing.T, h hub.Open) (b *bench, device net.Conn) {
	t.Helper()
	b = open(t, h, tap.Config{})
	c, err := net.Dial("tcp", b.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(15 * time.Second))
	return b, c
}

// An end travels as it came: a half that is closed leaves the other open, a
// reset is one on the other side too.
func TestEndsTravelAsTheyCame(t *testing.T) {
	reads := func(c net.Conn) error {
		_ = c.SetReadDeadline(time.Now().Add(15 * time.Second))
		_, err := io.Copy(io.Discard, c)
		if err == nil {
			return io.EOF
		}
		return err
	}
	resets := func(c net.Conn) {
		_ = c.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
	}
	for _, c := range []struct {
		name        string
		greeting    string // of the device: garbage, so that the kernel carries the rest
		hub, device func(net.Conn) error
		why         string
		byDevice    bool
	}{
		{"the device closes", "x",
			func(c net.Conn) error { return is(reads(c), io.EOF) },
			func(c net.Conn) error { return c.Close() }, "closed by the device", true},
		{"the device closes half, and hears the answer", "x",
			func(c net.Conn) error {
				if err := is(reads(c), io.EOF); err != nil {
					return err
				}
				_, err := c.Write([]byte("answer"))
				return err
			},
			func(c net.Conn) error {
				if err := c.(*net.TCPConn).CloseWrite(); err != nil {
					return err
				}
				all, err := io.ReadAll(c)
				if string(all) != "answer" {
					return fmt.Errorf("heard %q", all)
				}
				return err
			}, "closed by the device", true},
		{"the hub closes half, and hears the device", "x",
			func(c net.Conn) error {
				if err := c.(*net.TCPConn).CloseWrite(); err != nil {
					return err
				}
				return is(reads(c), io.EOF)
			},
			func(c net.Conn) error {
				if err := is(reads(c), io.EOF); err != nil {
					return err
				}
				return c.Close()
			}, "closed by the hub", false},
		{"the device resets", "x",
			func(c net.Conn) error { return is(reads(c), syscall.ECONNRESET) },
			func(c net.Conn) error { resets(c); return nil }, "connection lost: ", true},
		{"the device resets in its hello", "\x16\x03\x01",
			func(c net.Conn) error { return is(reads(c), syscall.ECONNRESET) },
			func(c net.Conn) error { resets(c); return nil }, "connection lost: ", true},
		{"the hub resets", "x",
			func(c net.Conn) error { resets(c); return nil },
			func(c net.Conn) error { return is(reads(c), syscall.ECONNRESET) }, "connection to the hub lost: ", false},
		{"the hub resets in the hello", "\x16\x03\x01",
			func(c net.Conn) error { resets(c); return nil },
			func(c net.Conn) error { return is(reads(c), syscall.ECONNRESET) }, "connection to the hub lost: ", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			hubs, greeted := make(chan error, 1), make(chan struct{})
			b, device := dialled(t, opens(func(conn net.Conn) {
				b := make([]byte, len(c.greeting))
				if _, err := io.ReadFull(conn, b); err == nil { // the tap's own look says nothing
					close(greeted)
					hubs <- c.hub(conn)
				}
			}))
			if _, err := device.Write([]byte(c.greeting)); err != nil {
				t.Fatal(err)
			}
			<-greeted
			if err := c.device(device); err != nil {
				t.Errorf("device: %v", err)
			}
			if err := <-hubs; err != nil {
				t.Errorf("hub: %v", err)
			}
			_ = device.Close()
			e := b.await(0, "the end", kind(hub.KindDisconnected))
			if !bytes.HasPrefix([]byte(e.Text), []byte(c.why)) || e.ByDevice != c.byDevice {
				t.Errorf("%q, by the device %v", e.Text, e.ByDevice)
			}
		})
	}
}

func is(err, want error) error {
	if errors.Is(err, want) {
		return nil
	}
	return fmt.Errorf("%v, want %w", err, want)
}

// Whatever passes is carried, and what reads it on the way has an end.
func FuzzCarry(f *testing.F) {
	f.Add([]byte("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00"), []byte("\x16\x03\x03\x00\x04\x0e\x00\x00\x00"), uint8(3))
	f.Add([]byte("\x80\x2b\x01\x03\x01\x00\x12"), []byte("\x15\x03\x03\x00\x02\x02\x28"), uint8(1))
	f.Add([]byte("\x14\x03\x03\x00\x01\x01\x16\x03\x03\x00\x01\x00"), []byte("\x14\x03\x03\x00\x01\x01\x16\x03\x03\x00\x01\x00"), uint8(2))
	b := open(f, opens(func(c net.Conn) {
		var head [2]byte
		if _, err := io.ReadFull(c, head[:]); err != nil {
			return
		}
		n := int(head[0])<<8 | int(head[1])
		back := make([]byte, n)
		if _, err := io.ReadFull(c, back); err != nil {
			return
		}
		for i := range back { // another direction, other bytes
			_, _ = c.Write(back[i : i+1])
		}
		_, _ = io.Copy(c, c)
	}), tap.Config{})
	f.Fuzz(func(t *testing.T, client, server []byte, piece uint8) {
		if len(client) > 4096 || len(server) > 4096 {
			return
		}
		c, err := net.Dial("tcp", b.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(15 * time.Second))
		said := append([]byte{byte(len(server) >> 8), byte(len(server))}, append(bytes.Clone(server), client...)...)
		go func() {
			step := int(piece)%64 + 1
			for i := 0; i < len(said); i += step {
				_, _ = c.Write(said[i:min(i+step, len(said))])
			}
			_ = c.(*net.TCPConn).CloseWrite()
		}()
		got, err := io.ReadAll(c)
		if want := append(bytes.Clone(server), client...); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%v: got %x, want %x", err, got, want)
		}
	})
}

// A thousand connections stand at once, each gets its own answer, and nothing is
// left of them.
func TestAThousandConnectionsLeaveNothingBehind(t *testing.T) {
	before, fds := runtime.NumGoroutine(), descriptors(t)
	t.Run("stand", func(t *testing.T) {
		b := open(t, opens(func(c net.Conn) { _, _ = io.Copy(c, c) }), tap.Config{})
		conns := make([]net.Conn, 1000)
		for i := range conns {
			c, err := net.Dial("tcp", b.addr)
			if err != nil {
				t.Fatal(err)
			}
			conns[i] = c
			defer c.Close()
		}
		said := make([]byte, 8)
		for i, c := range conns {
			_, _ = rand.Read(said)
			_ = c.SetDeadline(time.Now().Add(15 * time.Second))
			if _, err := c.Write(said); err != nil {
				t.Fatal(err)
			}
			got := make([]byte, len(said))
			if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, said) {
				t.Fatalf("connection %d: %v, got %x, said %x", i, err, got, said)
			}
		}
	})
	for end := time.Now().Add(15 * time.Second); runtime.NumGoroutine() > before+2 || descriptors(t) > fds+8; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			buf := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, %d before; %d descriptors, %d before\n%s", runtime.NumGoroutine(), before, descriptors(t), fds, buf[:runtime.Stack(buf, true)])
		}
		runtime.GC() // the kernel's pipes are kept for a while
	}
}

// descriptors is how many files this process holds open.
func descriptors(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc here: ", err)
	}
	return len(open)
}
