package tap

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync/atomic"
	"syscall"

	"hilrig/azure/hub"
	"hilrig/record"
)

// Config says what a tap stands in front of.
type Config struct {
	Local bool   // the hub is in this process: it takes a free port, and the tap the one that it was to have
	To    string // HOST:PORT of the hub; empty: where the hub itself says that it is
}

// inHere is where a hub of this process listens that nobody but the tap dials.
const inHere = "127.0.0.1"

// Wrap opens a hub with a tap in front. The device reaches the tap by the name
// that it knows the hub by: its name server must lead here.
func Wrap(open hub.Open, c Config) hub.Open {
	return func(ctx context.Context, s hub.Setup) (_ hub.Hub, address string, err error) {
		front, bind := s.Listen, s.Bind
		s.Bind = nil
		if c.Local {
			s.Listen = net.JoinHostPort(inHere, "0")
		}
		inner, address, err := open(ctx, s)
		if err != nil {
			if c.To == "" && errors.Is(err, syscall.ECONNREFUSED) && leadsTo(ctx, s.Host, front) {
				err = reachesItself(s.Host) // nothing listens there yet but what the tap is to be
			}
			return nil, "", err
		}
		defer func() {
			if err != nil {
				_ = inner.Close(context.WithoutCancel(ctx)) // the first error is the one that counts
			}
		}()
		name, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, "", record.NewFailure(record.Harness, "read hub address", address, err)
		}
		to := cmp.Or(c.To, address)
		if c.Local {
			to = net.JoinHostPort(inHere, port)
		}
		log := s.Log
		if log == nil {
			log = slog.New(slog.DiscardHandler)
		}
		t := newTap(inner, s.DeviceID, to, log)
		t.bind = bind
		at, err := t.listen(ctx, front)
		if err == nil {
			err = t.reaches(ctx)
		}
		if err != nil {
			_ = t.stop(context.WithoutCancel(ctx)) // the same
			return nil, "", err
		}
		_, port, err = net.SplitHostPort(at.String())
		if err != nil {
			return nil, "", record.NewFailure(record.Harness, "read tap address", at.String(), err)
		}
		return t, net.JoinHostPort(name, port), nil
	}
}

// listen takes the device's connections from now on.
func (t *Tap) listen(ctx context.Context, addr string) (net.Addr, error) {
	l, err := t.bind.Listen(ctx, addr)
	if err != nil {
		f := record.NewFailure(record.RigHub, "listen for the tap on", addr, err)
		if malformed := (*net.AddrError)(nil); errors.As(err, &malformed) {
			return nil, record.NewFailure(record.Usage, "listen for the tap on", addr, malformed).WithCure("HOST:PORT is meant")
		}
		if errors.Is(err, syscall.EADDRINUSE) {
			return nil, f.WithCure("the port is taken: ss -ltnp shows by whom. Where that is the hub itself, on this host, move it to another port, which to: of the tap names; devices dial the one here")
		}
		return nil, f
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ctx.Err() != nil { // closed meanwhile: nobody would close this listener
		_ = l.Close()
		return nil, os.ErrClosed
	}
	t.listener = l
	t.running.Go(func() { t.accept(l) })
	return l.Addr(), nil
}

// reaches tries the hub behind the tap once, before any device does.
func (t *Tap) reaches(ctx context.Context) error {
	c, err := t.dial(ctx)
	if err != nil {
		return err
	}
	at := c.LocalAddr().String()
	_ = c.Close()
	t.events.Add(hub.Event{Kind: hub.KindListening, Text: fmt.Sprintf("a tap at %s: the hub at %s sees its address (%s), and not the device's", t.listener.Addr(), t.to, hub.AddressOf(at))})
	t.log.Info("tap in front of the hub", "listens", t.listener.Addr().String(), "hub", t.to)
	return nil
}

// errItself is a name that leads back here, as it is to for the device.
var errItself = errors.New("its name leads to the tap itself, as it is to for the device")

func reachesItself(to string) error {
	return record.NewFailure(record.Usage, "put a tap in front of", to, errItself).
		WithCure("say where the hub really is: tap: {to: HOST:PORT}, with its address in place of the name")
}

// leadsTo reports whether a hub's name leads from here to where a tap is to listen.
func leadsTo(ctx context.Context, name, front string) bool {
	host, port, err := net.SplitHostPort(front)
	if err != nil {
		return false
	}
	addresses, err := net.DefaultResolver.LookupHost(ctx, name)
	listener := net.JoinHostPort(cmp.Or(host, "0.0.0.0"), port)
	return err == nil && slices.ContainsFunc(addresses, func(a string) bool { return takes(listener, net.JoinHostPort(a, port)) })
}

// dial connects to the hub.
func (t *Tap) dial(ctx context.Context) (*net.TCPConn, error) {
	var itself atomic.Bool // of the addresses of a name another's error may be the one that is told
	d := net.Dialer{Timeout: dialWithin, ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
		if t.itself(address) {
			itself.Store(true)
			return errItself
		}
		return nil
	}}
	c, err := d.DialContext(ctx, "tcp", t.to)
	if err != nil && itself.Load() {
		return nil, reachesItself(t.to)
	}
	if err != nil {
		return nil, record.NewFailure(record.RigHub, "reach the hub behind the tap at", t.to, err).
			WithCure("is the hub up, and does its name lead to it from this host? tap: {to: HOST:PORT} says where it is")
	}
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		_ = c.Close()
		return nil, record.NewFailure(record.Harness, "dial", t.to, fmt.Errorf("a %T", c))
	}
	return tcp, nil
}

// itself reports whether an address is the tap's.
func (t *Tap) itself(address string) bool {
	t.mu.Lock()
	listener := t.listener.Addr().String()
	t.mu.Unlock()
	return takes(listener, address)
}

// takes reports whether a listener takes what dials an address: its port, and an
// address of this host that it listens on.
func takes(listener, address string) bool {
	own, err := netip.ParseAddrPort(listener)
	far, ferr := netip.ParseAddrPort(address)
	if err != nil || ferr != nil || own.Port() != far.Port() {
		return false
	}
	at := hub.AddressOf(address)
	if !own.Addr().IsUnspecified() {
		return hub.AddressOf(listener) == at
	}
	if at.IsLoopback() || at.IsUnspecified() {
		return true
	}
	here, err := net.InterfaceAddrs()
	return err == nil && slices.ContainsFunc(here, func(a net.Addr) bool {
		p, err := netip.ParsePrefix(a.String())
		return err == nil && p.Addr().Unmap() == at
	})
}
