package broker

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"hilrig/azure/hub"
	"hilrig/azure/journal"
	"hilrig/record"
)

// registering is a broker that is made to know devices by commands.
type registering struct {
	*broker
	*registrar
}

func (registering) Letters() hub.Letters { return hub.OfBroker }

// Register is over once the observer listens: a command may have restarted the
// broker.
func (r registering) Register(ctx context.Context, d hub.Device) error {
	if err := r.registrar.Register(ctx, d); err != nil {
		return err
	}
	return r.observer.settle(ctx)
}

// Close removes what was registered, then ends the observer.
func (r registering) Close(ctx context.Context) error {
	return errors.Join(r.registrar.close(ctx), r.broker.Close(ctx))
}

// registrar adds certificates to a broker and removes them, also those of a
// process that died.
type registrar struct {
	commands Commands
	address  string
	dir      string // of this broker, in the state folder
	env      []string
	secrets  []string // that a command may print
	log      *slog.Logger
	turn     chan struct{} // holds one token: the journal is for one caller at a time
	journal  *made
}

func openRegistrar(ctx context.Context, c Config, s hub.Setup) (_ *registrar, err error) {
	r := &registrar{commands: c.Register, address: c.Address, env: s.Env, secrets: []string{c.Observer.Password, s.Password}, log: s.Log, turn: make(chan struct{}, 1)}
	r.dir = filepath.Join(s.StateDir, "broker", strings.NewReplacer(":", "_", "[", "", "]", "", "%", "_").Replace(c.Address))
	if err := os.MkdirAll(r.caDir(), 0o755); err != nil {
		return nil, record.NewFailure(record.RigHost, "make", r.caDir(), err)
	}
	unlock, err := journal.Turn(ctx, r.dir)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := r.sweep(ctx); err != nil {
		return nil, err
	}
	r.journal, err = journal.Open[entry](r.dir)
	return r, err
}

// caDir is the folder with the certificates that the broker is to know. It is
// readable: brokers run as users of their own.
func (r *registrar) caDir() string { return filepath.Join(r.dir, "ca") }

// sweep removes what dead processes left. What cannot be removed stays noted.
func (r *registrar) sweep(ctx context.Context) error {
	left, err := journal.Abandoned[entry](r.dir)
	for _, j := range left {
		for _, e := range slices.Clone(j.Entries) {
			err := r.forget(ctx, j, e)
			if err != nil && !slices.Equal(e.Remove, r.commands.Remove) { // it was mended in the rig file
				e.Remove = r.commands.Remove
				err = r.forget(ctx, j, e)
			}
			if err != nil {
				r.log.Warn("what a run that died left at the broker is not removed", "device", e.DeviceID, "thumbprint", e.Thumbprint, "error", err)
			}
		}
		err = errors.Join(err, j.Close())
	}
	return err
}

// Register makes the broker know these certificates of the device, and no
// others that the rig has added. A thumbprint whose certificate is not at hand
// is nobody's who could come.
func (r *registrar) Register(ctx context.Context, d hub.Device) error {
	done, err := r.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	var wanted []string
	for _, c := range d.Certificates {
		if d.Disabled {
			break
		}
		e := r.entryOf(d.ID, c)
		wanted = append(wanted, e.Thumbprint)
		if err := r.add(ctx, e); err != nil {
			return err
		}
	}
	return r.forgetOthers(ctx, d.ID, wanted)
}

// Unregister makes the broker forget what the rig has added of the device.
func (r *registrar) Unregister(ctx context.Context, id string) error {
	return r.Register(ctx, hub.Device{ID: id})
}

// Lookup is the device as the rig has registered it.
func (r *registrar) Lookup(ctx context.Context, id string) (d hub.Device, known bool, err error) {
	done, err := r.begin(ctx)
	if err != nil {
		return d, false, err
	}
	defer done()
	d.ID = id
	for _, e := range r.journal.Entries {
		if e.DeviceID == id {
			d.Thumbprints, known = append(d.Thumbprints, e.Thumbprint), true
		}
	}
	return d, known, nil
}

// begin takes the turn in this process and among others.
func (r *registrar) begin(ctx context.Context) (done func(), err error) {
	select {
	case r.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	unlock, err := journal.Turn(ctx, r.dir)
	if err != nil {
		<-r.turn
		return nil, err
	}
	return func() { unlock(); <-r.turn }, nil
}

func (r *registrar) entryOf(id string, c *x509.Certificate) entry {
	return entry{
		DeviceID: id, Thumbprint: record.ThumbprintsOf(c.Raw).SHA256, Remove: r.commands.Remove,
		Certificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}),
	}
}

func (r *registrar) add(ctx context.Context, e entry) error {
	i := slices.IndexFunc(r.journal.Entries, e.same)
	switch {
	case i < 0:
		i = len(r.journal.Entries)
		if err := r.journal.Add(e); err != nil {
			return err
		}
	case r.journal.Entries[i].added:
		return nil
	}
	if err := put(r.caDir(), e); err != nil {
		return err
	}
	if err := r.command(ctx, "register.add", r.commands.Add, e); err != nil {
		return err
	}
	r.journal.Entries[i].added = true
	return nil
}

func (r *registrar) forgetOthers(ctx context.Context, id string, wanted []string) error {
	var errs []error
	for _, e := range slices.Clone(r.journal.Entries) {
		if e.DeviceID == id && !slices.Contains(wanted, e.Thumbprint) {
			errs = append(errs, r.forget(ctx, r.journal, e))
		}
	}
	return errors.Join(errs...)
}

// forget removes an entry. Its certificate is where {certificate} says while
// the command runs, and no more among all of them.
func (r *registrar) forget(ctx context.Context, j *made, e entry) error {
	if err := take(r.caDir(), e); err != nil {
		return err
	}
	if err := r.command(ctx, "register.remove", e.Remove, e); err != nil {
		return record.NewFailure(record.RigHub, "remove from the broker", e.DeviceID+" with thumbprint "+e.Thumbprint, err).
			WithCure("it is known there until the command goes well: the next run tries it again")
	}
	return j.Remove(e.same)
}

// command runs one of the rig file's, with a file of its own that has the
// certificate.
func (r *registrar) command(ctx context.Context, step string, argv []string, e entry) error {
	if len(argv) == 0 {
		return nil
	}
	host, port, err := net.SplitHostPort(r.address)
	if err != nil {
		return record.NewFailure(record.Usage, "read address of broker", r.address, err)
	}
	file := filepath.Join(r.dir, e.Thumbprint+".crt")
	if err := record.WriteFile(file, e.Certificate, 0o644); err != nil {
		return err
	}
	defer func() { _ = os.Remove(file) }() // the next one writes it again
	return run(ctx, step, fill(argv, map[string]string{
		"device_id": e.DeviceID, "thumbprint": e.Thumbprint, "certificate": file, "ca_dir": r.caDir(), "hub_host": host, "hub_port": port,
	}), r.env, r.secrets...)
}

func (r *registrar) close(ctx context.Context) error {
	done, err := r.begin(ctx)
	if err != nil {
		return errors.Join(err, r.journal.Close()) // the next process removes it
	}
	defer done()
	var errs []error
	for _, e := range slices.Clone(r.journal.Entries) {
		errs = append(errs, r.forget(ctx, r.journal, e))
	}
	return errors.Join(append(errs, r.journal.Close())...)
}
