//go:build unix

package frontdoor_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"hilrig/azure/frontdoor"
)

// dials is a board that names its hub.
func dials(name, host string) frontdoor.Board { return frontdoor.Board{Name: name, Host: host} }

// hub is a board's process that speaks TLS: it says its name, and which hub it
// heard named.
func (s *shelf) hub(name string) *frontdoor.Guest {
	s.t.Helper()
	own := httptest.NewUnstartedServer(nil)
	own.StartTLS()
	s.t.Cleanup(own.Close)
	g := s.guest(name)
	s.serve(g, func(c net.Conn) {
		t := tls.Server(c, &tls.Config{Certificates: own.TLS.Certificates})
		if t.HandshakeContext(s.t.Context()) == nil {
			_, _ = fmt.Fprintf(t, "%s heard %q", name, t.ConnectionState().ServerName)
			_ = t.Close()
		}
	})
	return g
}

// connect is a TCP connection that is cut with the test.
func (s *shelf) connect() net.Conn {
	s.t.Helper()
	c, err := (&net.Dialer{Timeout: within}).DialContext(s.t.Context(), "tcp", s.Addr().String())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(within)); err != nil {
		s.t.Fatal(err)
	}
	return c
}

// says is what a client that names a hub is answered; empty where its connection
// is ended before a byte.
func (s *shelf) says(host string, over func(net.Conn) net.Conn) string {
	s.t.Helper()
	c := s.connect()
	if over != nil {
		c = over(c)
	}
	t := tls.Client(c, &tls.Config{ServerName: host, InsecureSkipVerify: true}) //nolint:gosec // it asks who is there
	words, err := io.ReadAll(t)
	if err != nil && len(words) > 0 {
		s.t.Errorf("cut behind %q: %v", words, err)
	}
	return string(words)
}

func (s *shelf) answers(host, want string) {
	s.t.Helper()
	if got := s.says(host, nil); got != want {
		s.t.Errorf("who names %q is answered %q, want %q", host, got, want)
	}
}

func TestBoardsOfOneAddressAreToldApartByTheHubThatTheyName(t *testing.T) {
	s := open(t, dials("one", "a.lan"), dials("two", "B.lan"), dials("three", "c.lan"))
	s.hub("one")
	s.answers("a.lan", `one heard "a.lan"`)
	s.hub("two") // is not waited for: one has named its hub
	s.answers("b.lan", `two heard "b.lan"`)
	s.hub("three")
	for range 2 { // whoever was inside first
		s.answers("a.lan", `one heard "a.lan"`)
		s.answers("b.LAN", `two heard "b.LAN"`)
		s.answers("c.lan", `three heard "c.lan"`)
	}
	s.toldOf()
}

// What a board without a right name sends must reach its own hub, which judges
// that.
func TestAConnectionWithoutARightNameIsThatOfTheBoardThatHasNotNamedItsHub(t *testing.T) {
	s := open(t, dials("one", "a.lan"), dials("two", "b.lan"))
	s.hub("one")
	s.answers("", `one heard ""`) // nobody else is there
	s.answers("a.lan", `one heard "a.lan"`)
	s.hub("two")
	s.answers("", `two heard ""`)
	s.answers("old.lan", `two heard "old.lan"`)
	s.answers("a.lan", `one heard "a.lan"`)
	s.answers("b.lan", `two heard "b.lan"`)
	s.toldOf()
	s.Leave("one")
	s.answers("", `two heard ""`) // the only one that is left
	s.answers("a.lan", "")        // that of a board which is not inside
	s.toldOf()
}

func TestAConnectionThatNamesNobodysHubIsToldOnceAndServedNothing(t *testing.T) {
	s := open(t, dials("one", "a.lan"), dials("two", "b.lan"))
	for board, host := range map[string]string{"one": "a.lan", "two": "b.lan"} {
		s.hub(board)
		s.says(host, nil)
	}
	long := strings.Repeat("x", 60) + ".lan"
	for range 2 {
		s.answers("", "")
		s.answers("evil.lan", "")
		s.answers(long+"."+long, "")
	}
	here := netip.MustParseAddr("127.0.0.1")
	s.toldOf(
		frontdoor.Stranger{From: here, Shared: true}, frontdoor.Stranger{From: here, Shared: true, Name: "evil.lan"},
		frontdoor.Stranger{From: here, Shared: true, Name: long + "…"},
	)
}

// Of two that have not named their hub nobody can say whose a connection without
// a name is: one of them waits.
func TestABoardWaitsUntilTheOneInsideHasNamedItsHub(t *testing.T) {
	for what, ends := range map[string]func(*shelf){
		"it has named it": func(s *shelf) { s.answers("a.lan", `one heard "a.lan"`) },
		"it has left":     func(s *shelf) { s.Leave("one") },
	} {
		t.Run(what, func(t *testing.T) {
			s := open(t, dials("one", "a.lan"), dials("two", "b.lan"))
			s.hub("one")
			in := make(chan struct{})
			go func() { defer close(in); s.hub("two") }()
			if got := <-s.waits; got != "two waits for one" {
				t.Error(got)
			}
			ends(s)
			<-in
			s.answers("", `two heard ""`)
		})
	}
}

func TestTheWaitToBeLetInEnds(t *testing.T) {
	stopped := errors.New("stopped")
	for what, c := range map[string]struct {
		end  func(*shelf, context.CancelCauseFunc)
		want error
	}{
		"with its context": {func(_ *shelf, cancel context.CancelCauseFunc) { cancel(stopped) }, stopped},
		"with the door":    {func(s *shelf, _ context.CancelCauseFunc) { _ = s.Close() }, os.ErrClosed},
	} {
		t.Run(what, func(t *testing.T) {
			s := open(t, dials("one", "a.lan"), dials("two", "b.lan"))
			s.hub("one")
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			go func() { <-s.waits; c.end(s, cancel) }()
			if _, err := s.Admit(ctx, "two"); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

// inBits sends each byte in a segment of its own.
type inBits struct{ net.Conn }

func (c inBits) Write(b []byte) (n int, err error) {
	for i := range b {
		if _, err := c.Conn.Write(b[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(b), nil
}

func TestANameIsReadHoweverItComes(t *testing.T) {
	s := open(t, dials("one", "a.lan"), dials("two", "b.lan"))
	s.hub("one")
	s.says("a.lan", nil)
	s.hub("two")
	if got := s.says("b.lan", func(c net.Conn) net.Conn { return inBits{c} }); got != `two heard "b.lan"` {
		t.Errorf("in segments of one byte: %q", got)
	}
}

func TestWhoSaysNoNameKeepsNobodyOut(t *testing.T) {
	hello := []byte{0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3}
	for what, says := range map[string][]byte{
		"nothing": nil, "half a ClientHello": hello, "no TLS": []byte("GET / HTTP/1.0\r\n\r\n"),
		"a record without an end": slices.Concat(hello[:3], []byte{0x40, 0}, make([]byte, 100)),
	} {
		t.Run(what, func(t *testing.T) {
			s := open(t, dials("one", "a.lan"), dials("two", "b.lan"))
			for board, host := range map[string]string{"one": "a.lan", "two": "b.lan"} {
				s.hub(board)
				s.says(host, nil)
			}
			var rude []net.Conn
			for range 200 {
				c := s.connect()
				if _, err := c.Write(says); err != nil {
					t.Fatal(err)
				}
				rude = append(rude, c)
			}
			s.answers("a.lan", `one heard "a.lan"`)
			s.answers("b.lan", `two heard "b.lan"`)
			if err := s.Close(); err != nil { // it waits for none of them
				t.Fatal(err)
			}
			for _, c := range rude {
				if n, err := c.Read(make([]byte, 1)); n > 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
					t.Fatalf("%d bytes, %v", n, err)
				}
			}
		})
	}
}

func TestASilentConnectionIsWaitedForNoLongerThanItMay(t *testing.T) {
	s := openFor(t, 10*time.Millisecond, dials("one", "a.lan"), dials("two", "b.lan"))
	if _, err := s.connect().Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a connection that says nothing: %v", err)
	}
	s.toldOf(frontdoor.Stranger{From: netip.MustParseAddr("127.0.0.1"), Shared: true})
}

// Of very many silent connections the oldest makes room.
func TestSilentConnectionsAreBounded(t *testing.T) {
	s := open(t, dials("one", "a.lan"), dials("two", "b.lan"))
	s.hub("one")
	first := s.connect()
	for range 1024 {
		s.connect()
	}
	if _, err := first.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the oldest: %v", err)
	}
	s.answers("a.lan", `one heard "a.lan"`)
}

func TestTurnsAreOfBoardsThatNameOneHub(t *testing.T) {
	for _, c := range []struct {
		boards []frontdoor.Board
		want   map[string][]string
	}{
		{[]frontdoor.Board{dials("a", "x.lan"), dials("b", "y.lan"), dials("c", "X.lan")}, map[string][]string{"a": {"a", "c"}, "b": nil, "c": {"a", "c"}}},
		{[]frontdoor.Board{dials("a", "x.lan"), dials("b", "192.0.2.1")}, map[string][]string{"a": {"a", "b"}, "b": {"a", "b"}}}, // an address is not named
		{[]frontdoor.Board{dials("a", "x.lan"), dials("b", "")}, map[string][]string{"a": {"a", "b"}}},
	} {
		for name, want := range c.want {
			if got := frontdoor.Turns(c.boards, name); !slices.Equal(got, want) {
				t.Errorf("%+v: %s takes turns with %q, want %q", c.boards, name, got, want)
			}
		}
	}
}
