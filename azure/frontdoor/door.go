package frontdoor

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"hilrig/azure/hub"
	"hilrig/record"
)

// Config says where the door is and whose it is.
type Config struct {
	Listen   string // HOST:PORT
	Boards   []Board
	Within   time.Duration             // for a ClientHello, where names tell boards apart; 0 is 30 s
	Stranger func(Stranger)            // told once of each kind of connection that belongs to no board; nil: nobody is
	Waits    func(board, other string) // told when a board waits until another has named its hub; nil: nobody is
	Log      *slog.Logger              // nil: discarded
}

// Stranger is a connection that belongs to no board.
type Stranger struct {
	From   netip.Addr
	Shared bool   // boards come from there too: it names no hub of theirs that is not spoken for
	Name   string // of the hub, as its ClientHello gives it; empty: none
	More   bool   // it stands for all that follow: too many were told of
}

// mostStrangers bounds those that are told of.
const mostStrangers = 256

// Door is one listener. Use Open, Admit, Close.
type Door struct {
	config   Config
	log      *slog.Logger
	listener net.Listener
	running  sync.WaitGroup

	mu     sync.Mutex
	closed bool
	inside map[string]*net.UnixConn // by name of the board: the way to its process
	named  map[string]bool          // by name of the board: a connection of it has named its hub
	change chan struct{}            // closed when one of these has changed
	silent []*net.TCPConn           // those whose ClientHello is waited for, oldest first
	told   map[Stranger]time.Time   // when the boards' processes last were
}

// toldEvery is how often at most the boards' processes are told of one kind of
// stranger.
const toldEvery = time.Second

// Supported reports whether boards can share a port on this system.
func Supported() bool { return supported() == nil }

// Open listens at the shared port. Its error is of class rig:hub.
func Open(ctx context.Context, c Config) (*Door, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if err := supported(); err != nil {
		return nil, record.NewFailure(record.Usage, "share", c.Listen, err).WithCure("give each device a hub_port or a listen address of its own")
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", c.Listen)
	if err != nil {
		f := record.NewFailure(record.RigHub, "listen for the boards on", c.Listen, err)
		if errors.Is(err, syscall.EADDRINUSE) {
			return nil, f.WithCure("the port is taken: another hub or broker? ss -ltnp shows it; or take another: hub_port of the devices")
		}
		return nil, f
	}
	d := &Door{
		config: c, log: c.Log, listener: l, inside: map[string]*net.UnixConn{}, named: map[string]bool{},
		change: make(chan struct{}), told: map[Stranger]time.Time{},
	}
	d.running.Go(d.accept)
	return d, nil
}

// Addr is where the boards knock.
func (d *Door) Addr() net.Addr { return d.listener.Addr() }

// Admit makes the way to the process that plays a board's hub. The file is its
// end, which it gives to [Join]; the caller closes its own copy once the process
// has it. The way is there until [Door.Leave], or the process closes its end, or
// dies, or the board is let in again, or one that nothing tells from it.
//
// Where boards are told apart by the hub that they name, one of them at a time is
// inside that has not named it yet: a connection without a name is that one's.
// The others wait for it, as long as ctx allows.
func (d *Door) Admit(ctx context.Context, name string) (*os.File, error) {
	ours, theirs, err := pair()
	if err != nil {
		return nil, record.NewFailure(record.RigHost, "make the way from the shared port to", name, err)
	}
	old, err := d.letIn(ctx, name, ours)
	if err != nil {
		return nil, errors.Join(err, ours.Close(), theirs.Close())
	}
	for _, w := range old {
		_ = w.Close() // whoever had it is gone or on the way out
	}
	return theirs, nil
}

// letIn waits for a board's turn to be inside, and gives the ways that end with
// that.
func (d *Door) letIn(ctx context.Context, name string, way *net.UnixConn) (old []*net.UnixConn, err error) {
	said := ""
	for {
		d.mu.Lock()
		if d.closed {
			d.mu.Unlock()
			return nil, os.ErrClosed
		}
		other, change := d.nameless(name), d.change
		if other == "" {
			for _, n := range append(Turns(d.config.Boards, name), name) {
				if w := d.inside[n]; w != nil {
					old = append(old, w)
					delete(d.inside, n)
				}
			}
			d.inside[name] = way
			d.changed()
			d.mu.Unlock()
			return old, nil
		}
		d.mu.Unlock()
		if other != said && d.config.Waits != nil {
			d.config.Waits(name, other)
		}
		said = other
		select {
		case <-change:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// nameless is a board that another must wait for before it is let in; empty:
// none. With mu held.
func (d *Door) nameless(name string) string {
	beside := neighbours(d.config.Boards, name)
	if d.named[name] || !namesTell(beside) {
		return ""
	}
	for _, b := range beside[1:] {
		if d.inside[b.Name] != nil && !d.named[b.Name] && b.named() != beside[0].named() {
			return b.Name
		}
	}
	return ""
}

// changed wakes who waits to be let in. With mu held.
func (d *Door) changed() {
	close(d.change)
	d.change = make(chan struct{})
}

// Leave ends the way to a board's process.
func (d *Door) Leave(name string) {
	d.mu.Lock()
	way := d.inside[name]
	delete(d.inside, name)
	d.changed()
	d.mu.Unlock()
	if way != nil {
		_ = way.Close() // nothing is lost with it: a connection that was handed over is its process's
	}
}

// Close lets nobody in any more, and ends the ways to the processes.
func (d *Door) Close() error {
	d.mu.Lock()
	d.closed = true
	ways, silent := d.inside, d.silent
	d.inside, d.silent = map[string]*net.UnixConn{}, nil
	d.changed()
	d.mu.Unlock()
	err := d.listener.Close()
	for _, w := range ways {
		_ = w.Close()
	}
	for _, c := range silent {
		refuse(c)
	}
	d.running.Wait()
	return err
}

func (d *Door) accept() {
	for {
		c, err := d.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of descriptors: let connections end
			d.log.Warn("accept at the shared port", "error", err)
			time.Sleep(50 * time.Millisecond)
			continue
		}
		if tcp, ok := c.(*net.TCPConn); ok {
			d.show(tcp)
		} else {
			_ = c.Close()
		}
	}
}

// show hands a connection to the process that it belongs to.
func (d *Door) show(c *net.TCPConn) {
	from := hub.AddressOf(c.RemoteAddr().String())
	of := owners(d.config.Boards, from)
	if !namesTell(of) {
		way, name := d.wayOf(of)
		if len(of) == 0 {
			d.tell(Stranger{From: from})
		}
		d.give(c, way, name)
		return
	}
	if !d.waitFor(c) {
		refuse(c)
		return
	}
	d.running.Go(func() {
		host := helloName(c, time.Now().Add(cmp.Or(d.config.Within, helloWithin)))
		d.waitedFor(c)
		way, name, known := d.wayNamed(of, host)
		if !known {
			d.tell(Stranger{From: from, Shared: true, Name: shortened(host)})
		}
		d.give(c, way, name)
	})
}

// give hands a connection over, or refuses it where there is no way.
func (d *Door) give(c *net.TCPConn, way *net.UnixConn, name string) {
	if way == nil {
		refuse(c)
		return
	}
	if err := hand(way, c); err != nil {
		refuse(c)
		d.log.Debug("a board's process takes no connection", "device", name, "error", err)
		return
	}
	_ = c.Close() // the process has its own
}

// wayOf finds the process of that board which is inside.
func (d *Door) wayOf(of []Board) (way *net.UnixConn, name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, b := range of {
		if w := d.inside[b.Name]; w != nil {
			return w, b.Name
		}
	}
	return nil, ""
}

// wayNamed finds the process of the board that a hub's name leads to, and whether
// it leads to a board at all. A connection that names none of theirs is that of
// the board that has never named its, or of the only one that is left.
func (d *Door) wayNamed(of []Board, host string) (way *net.UnixConn, name string, known bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	host = strings.TrimSuffix(host, ".")
	var inside, nameless []Board
	for _, b := range of {
		in := d.inside[b.Name] != nil
		if strings.EqualFold(b.named(), host) {
			known = true
			if in {
				d.named[b.Name] = true
				d.changed()
				return d.inside[b.Name], b.Name, true
			}
		}
		if in {
			inside = append(inside, b)
			if !d.named[b.Name] {
				nameless = append(nameless, b)
			}
		}
	}
	if known {
		return nil, "", true // of a board that is not inside
	}
	for _, likely := range [][]Board{nameless, inside} {
		if len(likely) == 1 {
			return d.inside[likely[0].Name], likely[0].Name, true
		}
	}
	return nil, "", false
}

// tell says once that a connection belongs to no board. The processes of boards
// whose source address is known are told again and again: it may have changed.
func (d *Door) tell(s Stranger) {
	now := time.Now()
	d.mu.Lock()
	at, known := d.told[s]
	first := !d.closed && !known && len(d.told) <= mostStrangers
	if first {
		s.More = len(d.told) == mostStrangers
	}
	var ways []*net.UnixConn
	if (first || known) && !s.Shared && !s.More && now.Sub(at) >= toldEvery {
		for _, b := range d.config.Boards {
			if w := d.inside[b.Name]; w != nil && b.From.IsValid() {
				ways = append(ways, w)
			}
		}
	}
	if first || len(ways) > 0 {
		d.told[s] = now
	}
	d.mu.Unlock()
	if first && d.config.Stranger != nil {
		d.config.Stranger(s)
	}
	for _, w := range ways {
		if err := warn(w, s.From); err != nil {
			d.log.Debug("a board's process is not told of a stranger", "error", err)
		}
	}
}

// refuse ends a connection that was accepted, before a byte, as if there had
// been none to accept.
func refuse(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0) // a connection that is gone already needs no reset
	}
	_ = c.Close()
}
