//go:build linux

// All addresses of 127/8 are this host's on Linux alone.
package frontdoor_test

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"hilrig/azure/frontdoor"
)

const within = 10 * time.Second

func board(t *testing.T, name, from string) frontdoor.Board {
	t.Helper()
	b := frontdoor.Board{Name: name}
	if from != "" {
		p, err := frontdoor.ParseSource(from)
		if err != nil {
			t.Fatal(err)
		}
		b.From = p
	}
	return b
}

// shelf is a door with boards behind it.
type shelf struct {
	*frontdoor.Door
	t     *testing.T
	waits chan string

	mu        sync.Mutex
	strangers []frontdoor.Stranger
}

func open(t *testing.T, boards ...frontdoor.Board) *shelf {
	t.Helper()
	return openFor(t, within, boards...)
}

// openFor opens a door that waits so long for a ClientHello.
func openFor(t *testing.T, hello time.Duration, boards ...frontdoor.Board) *shelf {
	t.Helper()
	s := &shelf{t: t, waits: make(chan string, 100)}
	d, err := frontdoor.Open(t.Context(), frontdoor.Config{
		Listen: "127.0.0.1:0", Boards: boards, Within: hello,
		Stranger: func(of frontdoor.Stranger) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.strangers = append(s.strangers, of)
		},
		Waits: func(board, other string) { s.waits <- board + " waits for " + other },
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Door = d
	t.Cleanup(func() { _ = d.Close() })
	return s
}

// guest is a board's process, played here.
func (s *shelf) guest(name string) *frontdoor.Guest {
	s.t.Helper()
	f, err := s.Admit(s.t.Context(), name)
	if err != nil {
		s.t.Fatal(err)
	}
	g, err := frontdoor.Join(f, s.Addr().String())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = g.Close() })
	return g
}

// greeter says its name to whoever comes.
func (s *shelf) greeter(name string, g *frontdoor.Guest) net.Listener {
	s.t.Helper()
	return s.serve(g, func(c net.Conn) {
		_, _ = io.WriteString(c, name+" serves "+netip.MustParseAddrPort(c.RemoteAddr().String()).Addr().String())
	})
}

// serve is a board's process that does so with each connection, and ends it.
func (s *shelf) serve(g *frontdoor.Guest, each func(net.Conn)) net.Listener {
	s.t.Helper()
	l, err := g.Listen(s.t.Context(), "")
	if err != nil {
		s.t.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				each(c)
			}()
		}
	}()
	return l
}

// knock says what a connection from an address is answered: words, or the error.
func (s *shelf) knock(from string) (string, error) {
	s.t.Helper()
	d := net.Dialer{Timeout: within, LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	c, err := d.DialContext(s.t.Context(), "tcp", s.Addr().String())
	if err != nil {
		return "", err
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(within)); err != nil {
		s.t.Fatal(err)
	}
	words, err := io.ReadAll(c)
	return string(words), err
}

func (s *shelf) hears(from, want string) {
	s.t.Helper()
	if got, err := s.knock(from); err != nil || got != want {
		s.t.Errorf("a connection from %s is answered %q (%v), want %q", from, got, err, want)
	}
}

func (s *shelf) isRefused(from string) {
	s.t.Helper()
	if got, err := s.knock(from); got != "" || !errors.Is(err, syscall.ECONNRESET) {
		s.t.Errorf("a connection from %s is answered %q (%v), want it reset before a byte", from, got, err)
	}
}

func (s *shelf) toldOf(want ...frontdoor.Stranger) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.strangers, want) {
		s.t.Errorf("told of %+v, want %+v", s.strangers, want)
	}
}

func TestAConnectionGoesToTheBoardOfItsAddress(t *testing.T) {
	s := open(t, board(t, "one", "127.0.1.1"), board(t, "two", "127.0.1.2"), board(t, "rest", ""))
	for _, name := range []string{"one", "two", "rest"} {
		s.greeter(name, s.guest(name))
	}
	s.hears("127.0.1.1", "one serves 127.0.1.1")
	s.hears("127.0.1.2", "two serves 127.0.1.2")
	s.hears("127.0.1.3", "rest serves 127.0.1.3")
}

func TestTheLongestPrefixOwnsAnAddress(t *testing.T) {
	s := open(t, board(t, "wide", "127.0.0.0/16"), board(t, "narrow", "127.0.1.0/24"))
	s.greeter("wide", s.guest("wide"))
	s.greeter("narrow", s.guest("narrow"))
	s.hears("127.0.1.9", "narrow serves 127.0.1.9")
	s.hears("127.0.2.9", "wide serves 127.0.2.9")
}

func TestWhoDoesNotListenRefusesOnlyItsOwn(t *testing.T) {
	s := open(t, board(t, "one", "127.0.1.1"), board(t, "two", "127.0.1.2"))
	g := s.guest("one")
	l := s.greeter("one", g)
	s.greeter("two", s.guest("two"))
	s.hears("127.0.1.1", "one serves 127.0.1.1")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	s.isRefused("127.0.1.1")
	s.hears("127.0.1.2", "two serves 127.0.1.2")
	s.greeter("one", g)
	s.hears("127.0.1.1", "one serves 127.0.1.1")
}

func TestAProcessThatIsGoneRefusesOnlyItsOwn(t *testing.T) {
	s := open(t, board(t, "one", "127.0.1.1"), board(t, "two", "127.0.1.2"))
	g := s.guest("one")
	s.greeter("one", g)
	s.greeter("two", s.guest("two"))
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	s.isRefused("127.0.1.1")
	s.hears("127.0.1.2", "two serves 127.0.1.2")
	s.greeter("one", s.guest("one")) // the next process of the same board
	s.hears("127.0.1.1", "one serves 127.0.1.1")
}

func TestAConnectionOfNobodyIsToldOnceAndServedNothing(t *testing.T) {
	s := open(t, board(t, "one", "127.0.1.1"), board(t, "away", "127.0.1.2"))
	s.greeter("one", s.guest("one"))
	s.isRefused("127.0.1.9")
	s.isRefused("127.0.1.9")
	s.isRefused("127.0.1.2") // a board's, whose process is not there
	s.hears("127.0.1.1", "one serves 127.0.1.1")
	s.toldOf(frontdoor.Stranger{From: netip.MustParseAddr("127.0.1.9")})
}

// A board whose address is known may have got another one: its process hears from
// where connections of nobody come. One that takes what belongs to no other has
// none of those.
func TestABoardsProcessHearsOfConnectionsOfNobody(t *testing.T) {
	s := open(t, board(t, "one", "127.0.1.1"), board(t, "two", "127.0.1.2"))
	one, two := s.guest("one"), s.guest("two")
	s.greeter("one", one)
	for range 3 {
		s.isRefused("127.0.1.9")
	}
	s.hears("127.0.1.1", "one serves 127.0.1.1") // behind what it was told before
	for name, g := range map[string]*frontdoor.Guest{"one": one, "two": two} {
		for end := time.Now().Add(within); len(g.Strays()) == 0 && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		if got := g.Strays(); len(got) != 1 || got[0].From != netip.MustParseAddr("127.0.1.9") || got[0].Last.Before(got[0].First) {
			t.Errorf("%s heard of %+v", name, got)
		}
	}
}

// A process that takes nothing any more costs its own board's connections, and
// no time of the others.
func TestAProcessThatIsStuckHoldsNobodyUp(t *testing.T) {
	s := open(t, board(t, "stuck", "127.0.1.1"), board(t, "two", "127.0.1.2"))
	f, err := s.Admit(t.Context(), "stuck")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	s.greeter("two", s.guest("two"))
	d := net.Dialer{Timeout: within, LocalAddr: &net.TCPAddr{IP: net.ParseIP("127.0.1.1")}}
	for range 500 { // more than wait in a way
		c, err := d.DialContext(t.Context(), "tcp", s.Addr().String())
		if errors.Is(err, syscall.ECONNRESET) {
			continue // refused as soon as it was there
		}
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
	}
	s.hears("127.0.1.2", "two serves 127.0.1.2")
}

func TestBoardsThatNothingTellsApartAreServedByWhoIsIn(t *testing.T) {
	s := open(t, board(t, "one", ""), board(t, "two", ""))
	g := s.guest("one")
	s.greeter("one", g)
	s.hears("127.0.1.1", "one serves 127.0.1.1")
	_ = g.Close()
	s.isRefused("127.0.1.1")
	s.greeter("two", s.guest("two"))
	s.hears("127.0.1.1", "two serves 127.0.1.1")
	s.greeter("one", s.guest("one")) // its turn again, while the other's process is still ending
	s.hears("127.0.1.1", "one serves 127.0.1.1")
}

func TestAClosedDoorEndsItsGuests(t *testing.T) {
	s := open(t, board(t, "one", ""))
	g := s.guest("one")
	l, err := g.Listen(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept behind a closed door: %v", err)
	}
	if _, err := s.Admit(t.Context(), "one"); !errors.Is(err, os.ErrClosed) {
		t.Errorf("admit behind a closed door: %v", err)
	}
}

func TestTurns(t *testing.T) {
	boards := []frontdoor.Board{
		board(t, "a", ""), board(t, "b", "192.0.2.1"), board(t, "c", ""), board(t, "d", "192.0.2.1/32"), board(t, "e", "192.0.2.0/24"),
	}
	for name, want := range map[string][]string{"a": {"a", "c"}, "b": {"b", "d"}, "c": {"a", "c"}, "d": {"b", "d"}, "e": nil, "nobody": nil} {
		if got := frontdoor.Turns(boards, name); !slices.Equal(got, want) {
			t.Errorf("%s takes turns with %q, want %q", name, got, want)
		}
	}
}

func TestParseSource(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.21": "192.0.2.21/32", "192.0.2.21/24": "192.0.2.0/24", "2001:db8::1": "2001:db8::1/128",
		"::ffff:192.0.2.1": "192.0.2.1/32", "::ffff:192.0.2.1/120": "192.0.2.0/24",
		"board.lan": "", "": "", "192.0.2.0/33": "",
	} {
		p, err := frontdoor.ParseSource(text)
		if got := p.String(); (want == "") != (err != nil) || want != "" && got != want {
			t.Errorf("%q: %s (%v), want %q", text, got, err, want)
		}
	}
}
