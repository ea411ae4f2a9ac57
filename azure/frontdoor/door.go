package frontdoor

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
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
	Stranger func(from netip.Addr) // told once of each address that belongs to no board; nil: nobody is
	Log      *slog.Logger          // nil: discarded
}

// mostStrangers bounds the addresses that are told of.
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
	told   map[netip.Addr]bool
}

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
	d := &Door{config: c, log: c.Log, listener: l, inside: map[string]*net.UnixConn{}, told: map[netip.Addr]bool{}}
	d.running.Go(d.accept)
	return d, nil
}

// Addr is where the boards knock.
func (d *Door) Addr() net.Addr { return d.listener.Addr() }

// Admit makes the way to the process that plays a board's hub. The file is its
// end, which it gives to [Join]; the caller closes its own copy once the process
// has it. The way is there until the process closes its end, or dies, or the
// board is let in again, or one that no address tells from it.
func (d *Door) Admit(name string) (*os.File, error) {
	ours, theirs, err := pair()
	if err != nil {
		return nil, record.NewFailure(record.RigHost, "make the way from the shared port to", name, err)
	}
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return nil, errors.Join(os.ErrClosed, ours.Close(), theirs.Close())
	}
	var old []*net.UnixConn
	for _, n := range append(Turns(d.config.Boards, name), name) {
		if w := d.inside[n]; w != nil {
			old = append(old, w)
			delete(d.inside, n)
		}
	}
	d.inside[name] = ours
	d.mu.Unlock()
	for _, w := range old {
		_ = w.Close() // whoever had it is gone or on the way out
	}
	return theirs, nil
}

// Close lets nobody in any more, and ends the ways to the processes.
func (d *Door) Close() error {
	d.mu.Lock()
	d.closed = true
	ways := d.inside
	d.inside = map[string]*net.UnixConn{}
	d.mu.Unlock()
	err := d.listener.Close()
	for _, w := range ways {
		_ = w.Close() // nothing is lost with it: a connection that was handed over is its process's
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
	way, name, known := d.wayOf(from)
	if way == nil {
		if !known {
			d.tell(from)
		}
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

// wayOf finds the process that a source address leads to, and whether it is the
// address of a board at all.
func (d *Door) wayOf(from netip.Addr) (way *net.UnixConn, name string, known bool) {
	of := owners(d.config.Boards, from)
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, b := range of {
		if w := d.inside[b.Name]; w != nil {
			return w, b.Name, true
		}
	}
	return nil, "", len(of) > 0
}

func (d *Door) tell(from netip.Addr) {
	d.mu.Lock()
	first := !d.told[from] && len(d.told) < mostStrangers
	if first {
		d.told[from] = true
	}
	d.mu.Unlock()
	if first && d.config.Stranger != nil {
		d.config.Stranger(from)
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
