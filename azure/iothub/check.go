package iothub

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"hilrig/azure/iothub/events"
	"hilrig/azure/iothub/registry"
	"hilrig/record"
)

// Finding is what one step of a check says.
type Finding struct {
	What string
	Cure string // of a warning; empty: it is none
	Err  error  // what would make a run fail; nil: nothing
}

// nobody is a device id that no rig has: reading it shows the right to read.
const nobody = "hilrig-azure-check"

// Check goes the way of a run up to the device, and writes nothing: the name,
// the port of MQTT, TLS and the root that devices get, the registry and the
// events with the rights that were given.
func (c Config) Check(ctx context.Context) (found []Finding) {
	lookup, cancel := context.WithTimeout(ctx, dialWithin)
	defer cancel()
	if addresses, err := net.DefaultResolver.LookupHost(lookup, c.Host); err == nil {
		found = append(found, Finding{What: fmt.Sprintf("%s is %s", c.Host, strings.Join(addresses, ", "))})
	} // else reaching it says why
	found = append(found, c.checkMQTT(ctx)...)
	if c.Registry != nil {
		found = append(found, c.checkRegistry(ctx)...)
	}
	return append(found, c.checkEvents(ctx))
}

func (c Config) checkMQTT(ctx context.Context) []Finding {
	s, err := c.presented(ctx, c.Root)
	if err != nil {
		return []Finding{{Err: err}}
	}
	version := Finding{What: fmt.Sprintf("%s is open: %s %s", c.address(), tls.VersionName(s.Version), tls.CipherSuiteName(s.CipherSuite))}
	if s.Version > tls.VersionTLS12 {
		version.What += " with this machine; the guide's devices have TLS 1.2"
	}
	chain := s.VerifiedChains[0]
	root := Finding{What: fmt.Sprintf("the root to load is %q, valid until %s; this machine's clock says %s",
		chain[len(chain)-1].Subject, chain[len(chain)-1].NotAfter.Format(time.DateOnly), time.Now().Format(time.DateTime))}
	if len(c.Root) == 0 {
		root.What += " (of this machine's own: the rig file names none)"
	}
	return []Finding{version, root}
}

func (c Config) checkRegistry(ctx context.Context) []Finding {
	_, err := c.Registry.Get(ctx, nobody)
	if err != nil && !errors.Is(err, registry.ErrNotFound) {
		return []Finding{{Err: err}}
	}
	read := Finding{What: "the registry lets the rig read; whether it lets it write shows when the first device is made"}
	var said *registry.Error
	if errors.As(err, &said) && said.Skew.Abs() >= registry.Skewed {
		read.What += fmt.Sprintf("; by the hub's clock this machine's is %v off", said.Skew)
		read.Cure = "set this machine's clock (timedatectl): tokens and certificates hold by it, and latencies are measured by it"
	}
	counted, err := c.Registry.Statistics(ctx)
	if err != nil {
		return []Finding{read, {Err: err}}
	}
	return []Finding{read, {What: fmt.Sprintf("the registry has %d devices, %d of them disabled", counted.Total, counted.Disabled)}}
}

func (c Config) checkEvents(ctx context.Context) Finding {
	e := c.Events
	e.Log = slog.New(slog.DiscardHandler)
	began := time.Now()
	r, err := events.Open(ctx, e)
	if err != nil {
		return Finding{Err: err}
	}
	took := time.Since(began).Round(time.Millisecond)
	first, err := r.Next(ctx)
	if err = errors.Join(err, r.Close(ctx)); err != nil {
		return Finding{Err: record.NewFailure(record.RigCloud, "read events of", c.Host, err)}
	}
	return Finding{What: fmt.Sprintf("%s, ready in %s", first.Text, took)}
}
