package link_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"hilrig/azure/link"
)

// shaped is a link in a bubble of its own time, and its device's end.
func shaped(t *testing.T, s link.Shape) (hub *link.Conn, device net.Conn) {
	t.Helper()
	device, raw := net.Pipe()
	hub = link.New(raw, s)
	t.Cleanup(func() {
		_, _ = hub.Close(), device.Close()
		time.Sleep(5 * time.Minute) // the bubble ends only when every goroutine has: none is left behind
	})
	return hub, device
}

// arrivals sends messages of this size one behind the other, and says when
// each was there in full.
func arrivals(t *testing.T, from, to net.Conn, count, size int) (at []time.Duration) {
	t.Helper()
	began := time.Now()
	go func() {
		for i := range count {
			_, _ = from.Write(bytes.Repeat([]byte{byte(i)}, size))
		}
	}()
	got := make([]byte, size)
	for i := range count {
		if _, err := io.ReadFull(to, got); err != nil {
			t.Fatal(err)
		}
		if want := bytes.Repeat([]byte{byte(i)}, size); !bytes.Equal(got, want) {
			t.Fatalf("message %d arrived with other bytes", i)
		}
		at = append(at, time.Since(began))
	}
	return at
}

func TestShapesTakeTheirTime(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name        string
		shape       link.Shape
		count, size int
		least, most time.Duration // until the last is there
	}{
		{"latency", link.Shape{Latency: 300 * ms}, 20, 100, 300 * ms, 301 * ms},
		{"jitter", link.Shape{Latency: 300 * ms, Jitter: 100 * ms}, 1, 100, 200 * ms, 400 * ms},
		{"rate", link.Shape{Rate: 5000}, 10, 1000, 1990 * ms, 2010 * ms},
		{"latency and rate", link.Shape{Latency: 300 * ms, Rate: 5000}, 10, 1000, 2290 * ms, 2310 * ms},
		{"before the stall", link.Shape{Stalls: link.Stalls{First: 5, Every: 50, For: time.Second}}, 4, 100, 0, ms},
		{"behind the stall", link.Shape{Stalls: link.Stalls{First: 5, Every: 50, For: time.Second}}, 54, 100, time.Second, time.Second + ms},
		{"behind two stalls", link.Shape{Stalls: link.Stalls{First: 5, Every: 50, For: time.Second}}, 55, 100, 2 * time.Second, 2*time.Second + ms},
	} {
		for _, way := range []string{"up", "down"} {
			t.Run(c.name+" "+way, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					hub, device := shaped(t, c.shape)
					from, to := net.Conn(hub), device
					if way == "up" {
						from, to = device, net.Conn(hub)
					}
					at := arrivals(t, from, to, c.count, c.size)
					if last := at[len(at)-1]; last < c.least || last > c.most {
						t.Errorf("the last of %d × %d bytes arrived after %s, want %s to %s", c.count, c.size, last, c.least, c.most)
					}
				})
			})
		}
	}
}

// What was sent before a side closes arrives, and then its end.
func TestTheEndTravelsBehindTheBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, device := shaped(t, link.Shape{Latency: 300 * time.Millisecond, Rate: 1000})
		began := time.Now()
		if _, err := hub.Write(bytes.Repeat([]byte{7}, 1000)); err != nil {
			t.Fatal(err)
		}
		_ = hub.Close()
		got, err := io.ReadAll(device)
		if len(got) != 1000 || err != nil {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		if took := time.Since(began); took < 1300*time.Millisecond {
			t.Errorf("all there after %s: the link was not waited for", took)
		}
		<-hub.Over()
	})
}

func TestDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, _ := shaped(t, link.Shape{Latency: time.Second})
		_ = hub.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		if _, err := hub.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v, want the deadline's error", err)
		}
	})
}

// A sender waits once a window is on the way: a link that is closed does not go
// on for ever.
func TestWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, _ := shaped(t, link.Shape{Rate: 1000, Latency: time.Second})
		_ = hub.SetWriteDeadline(time.Now().Add(time.Second))
		if n, err := hub.Write(make([]byte, 1<<20)); !errors.Is(err, os.ErrDeadlineExceeded) || n > 256<<10 {
			t.Errorf("%d bytes were taken at once, %v", n, err)
		}
	})
}

func TestBlackHole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, device := shaped(t, link.Shape{End: link.BlackHole, After: time.Second})
		arrivals(t, device, hub, 1, 10)
		arrivals(t, hub, device, 1, 10)
		time.Sleep(time.Second)
		for _, way := range [][2]net.Conn{{hub, device}, {device, hub}} {
			if _, err := way[0].Write([]byte("lost")); err != nil {
				t.Errorf("a black hole tells the sender: %v", err)
			}
			_ = way[1].SetReadDeadline(time.Now().Add(time.Minute))
			if n, err := way[1].Read(make([]byte, 10)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%d bytes came through, %v", n, err)
			}
		}
		_ = hub.Close() // not even that comes through
		_ = device.SetReadDeadline(time.Now().Add(time.Minute))
		if _, err := device.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the device sees the hub's end: %v", err)
		}
		_ = device.Close()
		<-hub.Over()
	})
}

// Behind so many bytes of both directions a link ends, in the middle of a
// message where they do: what was in front of it arrived.
func TestAnEndBehindSoManyBytes(t *testing.T) {
	for _, e := range []link.End{link.Cut, link.Reset, link.BlackHole} {
		for _, way := range []string{"up", "down"} {
			t.Run(string(e)+" "+way, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					hub, device := shaped(t, link.Shape{End: e, Bytes: 30, Latency: time.Millisecond})
					arrivals(t, device, hub, 1, 10)
					from, to := net.Conn(hub), device
					if way == "up" {
						from, to = device, net.Conn(hub)
					}
					go func() { _, _ = from.Write(bytes.Repeat([]byte{7}, 50)) }()
					_ = to.SetReadDeadline(time.Now().Add(time.Minute))
					got, err := io.ReadAll(to)
					if len(got) != 20 || errors.Is(err, os.ErrDeadlineExceeded) != (e == link.BlackHole) {
						t.Errorf("%d bytes got through behind the first ten, and then %v", len(got), err)
					}
				})
			})
		}
	}
}

// A black hole of one direction leaves the other open.
func TestABlackHoleOfOneDirection(t *testing.T) {
	for _, way := range []link.Way{link.ToDevice, link.ToHub} {
		t.Run(string(way), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hub, device := shaped(t, link.Shape{End: link.BlackHole, Way: way, Bytes: 10})
				arrivals(t, device, hub, 1, 10)
				open, shut := [2]net.Conn{hub, device}, [2]net.Conn{device, hub}
				if way == link.ToDevice {
					open, shut = shut, open
				}
				if _, err := shut[0].Write([]byte("lost")); err != nil {
					t.Errorf("a black hole tells the sender: %v", err)
				}
				arrivals(t, open[0], open[1], 3, 10)
				_ = shut[1].SetReadDeadline(time.Now().Add(time.Minute))
				if n, err := shut[1].Read(make([]byte, 10)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("%d bytes came through, %v", n, err)
				}
			})
		})
	}
}

// What a shape says of itself names its end.
func TestWhatAShapeSays(t *testing.T) {
	for want, s := range map[string]link.Shape{
		"cut after 1s":                          {End: link.Cut, After: time.Second},
		"reset behind 700 bytes":                {End: link.Reset, Bytes: 700},
		"black-hole to the device after 0s":     {End: link.BlackHole, Way: link.ToDevice},
		"black-hole to the hub behind 10 bytes": {End: link.BlackHole, Way: link.ToHub, Bytes: 10},
	} {
		if got := s.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestEnds(t *testing.T) {
	for _, c := range []struct {
		end  link.End
		want error // that the device sees
	}{{link.Cut, io.EOF}, {link.Reset, syscall.ECONNRESET}} {
		t.Run(string(c.end), func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			device, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer device.Close()
			raw, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			hub := link.New(raw, link.Shape{End: c.end, After: 20 * time.Millisecond})
			defer hub.Close()
			if hub.RemoteAddr().String() != device.LocalAddr().String() {
				t.Errorf("the device is %s, not %s", hub.RemoteAddr(), device.LocalAddr())
			}
			_ = device.SetReadDeadline(time.Now().Add(5 * time.Second))
			if _, err := device.Read(make([]byte, 1)); !errors.Is(err, c.want) {
				t.Errorf("the device's link ended by %v, want %v", err, c.want)
			}
			_ = hub.SetReadDeadline(time.Now().Add(5 * time.Second))
			if _, err := hub.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("the hub does not learn of it: %v", err)
			}
			select {
			case <-hub.Over():
			case <-time.After(5 * time.Second):
				t.Error("not over")
			}
		})
	}
}
