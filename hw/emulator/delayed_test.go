package emulator

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

// connection is both ends of a TCP connection: the device's, far away, and the
// hub's.
func connection(t *testing.T, oneWay time.Duration) (device *delayed, hub *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	raw, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	device, hub = delay(raw, oneWay), c.(*net.TCPConn)
	t.Cleanup(func() { _, _ = device.Close(), hub.Close() })
	return device, hub
}

func TestADelayedConnectionTakesItsTimeEachWay(t *testing.T) {
	const oneWay = 80 * time.Millisecond
	device, hub := connection(t, oneWay)
	for _, way := range []struct {
		name     string
		from, to net.Conn
	}{{"up", device, hub}, {"down", hub, device}} {
		sent := bytes.Repeat([]byte("hub "), 3000)
		began := time.Now()
		go func() { _, _ = way.from.Write(sent) }()
		got := make([]byte, len(sent))
		if _, err := io.ReadFull(way.to, got[:1]); err != nil {
			t.Fatal(way.name, err)
		}
		if took := time.Since(began); took < oneWay {
			t.Errorf("%s: the first byte after %s, want %s at least", way.name, took, oneWay)
		}
		if _, err := io.ReadFull(way.to, got[1:]); err != nil {
			t.Fatal(way.name, err)
		}
		if !bytes.Equal(got, sent) {
			t.Errorf("%s: other bytes than were sent", way.name)
		}
		// Segments travel together: nine of them do not take nine times as long.
		if took := time.Since(began); took > 6*oneWay {
			t.Errorf("%s: %d bytes took %s", way.name, len(sent), took)
		}
	}
}

func TestADelayedConnectionArrivesThoughItsSenderCloses(t *testing.T) {
	device, hub := connection(t, 30*time.Millisecond)
	if _, err := device.Write([]byte("alert")); err != nil {
		t.Fatal(err)
	}
	_ = device.Close()
	got, err := io.ReadAll(hub)
	if string(got) != "alert" || err != nil {
		t.Errorf("the hub got %q, %v", got, err)
	}
}

func TestADelayedConnectionEndsAsItsConnectionDoes(t *testing.T) {
	device, hub := connection(t, time.Millisecond)
	if err := hub.SetLinger(0); err != nil {
		t.Fatal(err)
	}
	_ = hub.Close()
	if _, err := device.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("ended by %v, want a reset", err)
	}
}

func TestADelayedConnectionKeepsDeadlines(t *testing.T) {
	device, _ := connection(t, time.Millisecond)
	_ = device.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	if _, err := device.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v, want the deadline's error", err)
	}
}
