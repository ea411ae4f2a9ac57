package iothub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"hilrig/azure/hub"
	"hilrig/azure/iothub/registry"
	"hilrig/azure/journal"
	"hilrig/record"
)

// entry is a device that this rig has made, or uses.
type entry struct {
	DeviceID string  `json:"device_id"`
	Mark     string  `json:"mark"`
	Before   *before `json:"before,omitempty"` // how somebody else had it: it is put back, and not removed
}

// before is what of an adopted device a run changes.
type before struct {
	Status    string `json:"status"`
	Reason    string `json:"reason"`
	Primary   string `json:"primary"`
	Secondary string `json:"secondary"`
}

type ledger = journal.Journal[entry]

// registrar has one device in the registry, and takes it out again.
type registrar struct {
	registry Registry
	hub      string // host name
	id       string
	rig      string
	mark     Mark
	adopt    bool
	log      *slog.Logger
	turn     chan struct{} // holds one token: what follows is for one caller at a time
	ledger   *ledger
	device   *registry.Device // as it was last written; nil: not yet
}

// Folder is where the journals of a hub are.
func Folder(stateDir, host string) string {
	return filepath.Join(stateDir, "azure", strings.ReplaceAll(host, ":", "_"))
}

func openRegistrar(ctx context.Context, c Config, s hub.Setup) (*registrar, error) {
	r := &registrar{
		registry: c.Registry, hub: c.Host, id: s.DeviceID, rig: s.Rig, mark: NewMark(s.Rig, s.Run, cmp.Or(s.Until, time.Now().Add(24*time.Hour))),
		adopt: c.Adopt, log: s.Log, turn: make(chan struct{}, 1),
	}
	dir := Folder(s.StateDir, c.Host)
	if _, err := Sweep(ctx, c.Registry, dir, s.Log); err != nil {
		return nil, err
	}
	if err := r.look(ctx); err != nil {
		return nil, err
	}
	done, err := journal.Turn(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer done()
	r.ledger, err = journal.Open[entry](dir)
	return r, err
}

// look finds out before the device is touched whether the registry answers the
// rig, and whether the device is there for it to take.
func (r *registrar) look(ctx context.Context) error {
	now, err := r.registry.Get(ctx, r.id)
	switch {
	case errors.Is(err, registry.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	return r.mayTake(now)
}

// Swept is a device of a run that died, and what became of it.
type Swept struct {
	DeviceID string
	Mark     string
	What     string // one of the words of undo
	Err      error  // it is still there, and noted
}

// Sweep removes what dead processes left at a hub, by the journals in its folder.
func Sweep(ctx context.Context, at Registry, dir string, log *slog.Logger) ([]Swept, error) {
	return sweep(ctx, dir, func(l *ledger, e entry) (what string, err error) {
		if what, err = undo(ctx, at, e); err == nil {
			err = l.Remove(func(x entry) bool { return x == e })
		}
		if err != nil {
			log.Warn("what a run that died left at the hub is not removed", "device", e.DeviceID, "mark", e.Mark, "error", err)
		}
		return what, err
	})
}

// Abandoned says what [Sweep] would look at.
func Abandoned(ctx context.Context, _ Registry, dir string, _ *slog.Logger) ([]Swept, error) {
	return sweep(ctx, dir, func(_ *ledger, e entry) (string, error) { return "would be removed: " + e.Mark, nil })
}

func sweep(ctx context.Context, dir string, each func(*ledger, entry) (string, error)) (swept []Swept, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, record.NewFailure(record.RigHost, "make", dir, err)
	}
	done, err := journal.Turn(ctx, dir)
	if err != nil {
		return nil, err
	}
	left, err := journal.Abandoned[entry](dir)
	done() // the journals are held
	for _, l := range left {
		for _, e := range slices.Clone(l.Entries) {
			s := Swept{DeviceID: e.DeviceID, Mark: e.Mark}
			s.What, s.Err = each(l, e)
			swept = append(swept, s)
		}
		err = errors.Join(err, l.Close())
	}
	return swept, err
}

// undo takes a device out, or puts it back as it was, if it still has the mark.
func undo(ctx context.Context, at Registry, e entry) (what string, err error) {
	d, err := at.Get(ctx, e.DeviceID)
	switch {
	case errors.Is(err, registry.ErrNotFound):
		return "gone already", nil
	case err != nil:
		return "", err
	case d.StatusReason != e.Mark:
		return "another's by now", nil
	case e.Before != nil:
		_, err = at.Update(ctx, e.Before.restored(d))
		return "put back", err
	}
	return "removed", at.Delete(ctx, e.DeviceID, d.ETag)
}

func (b before) restored(d registry.Device) registry.Device {
	d.Status, d.StatusReason, d.PrimaryThumbprint, d.SecondaryThumbprint = b.Status, b.Reason, b.Primary, b.Secondary
	return d
}

// Register makes the hub know these thumbprints of the device, and no others.
func (r *registrar) Register(ctx context.Context, d hub.Device) error {
	done, err := r.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	if len(d.Thumbprints) > 2 {
		return record.NewFailure(record.Harness, "register", d.ID, fmt.Errorf("%d thumbprints; a device has two", len(d.Thumbprints)))
	}
	want := registry.Device{ID: d.ID, StatusReason: r.mark.String(), Status: registry.Enabled, AuthenticationType: registry.SelfSigned}
	for i, p := range d.Thumbprints {
		*[]*string{&want.PrimaryThumbprint, &want.SecondaryThumbprint}[i] = strings.ToUpper(p)
	}
	if d.Disabled || len(d.Thumbprints) == 0 {
		want.Status = registry.Disabled
	}
	if len(d.Thumbprints) == 0 { // a device is not without any
		if r.device == nil {
			return nil
		}
		want.PrimaryThumbprint, want.SecondaryThumbprint = r.device.PrimaryThumbprint, r.device.SecondaryThumbprint
	}
	return r.write(ctx, want)
}

func (r *registrar) write(ctx context.Context, want registry.Device) error {
	if r.device == nil {
		return r.first(ctx, want)
	}
	if r.device.Same(want) {
		return nil
	}
	is, err := r.registry.Update(ctx, over(*r.device, want))
	if errors.Is(err, registry.ErrPrecondition) {
		is, err = r.again(ctx, want)
	}
	return r.took(is, err)
}

// again writes over what somebody else has changed, if it is the rig's still.
func (r *registrar) again(ctx context.Context, want registry.Device) (registry.Device, error) {
	now, err := r.registry.Get(ctx, want.ID)
	if err != nil {
		return now, err
	}
	if now.StatusReason != r.mark.String() {
		return now, record.NewFailure(record.RigCloud, "register", want.ID+" at "+r.hub, fmt.Errorf("somebody else has taken it meanwhile: %q", now.StatusReason)).
			WithCure("give each rig its own device ids")
	}
	return r.registry.Update(ctx, over(now, want))
}

// noted is the entry of a device, which has one however often it is tried; nil:
// none.
func (r *registrar) noted(id string) *entry {
	i := slices.IndexFunc(r.ledger.Entries, func(e entry) bool { return e.DeviceID == id })
	if i < 0 {
		return nil
	}
	return &r.ledger.Entries[i]
}

// first makes the device, or takes it over.
func (r *registrar) first(ctx context.Context, want registry.Device) error {
	if r.noted(want.ID) == nil {
		if err := r.ledger.Add(entry{DeviceID: want.ID, Mark: want.StatusReason}); err != nil {
			return err
		}
	}
	is, err := r.registry.Create(ctx, want)
	if errors.Is(err, registry.ErrConflict) {
		is, err = r.takeOver(ctx, want)
	}
	return r.took(is, err)
}

// takeOver uses a device that is there already: one that a rig made and whose
// time is over, or with adopt any that has thumbprints.
func (r *registrar) takeOver(ctx context.Context, want registry.Device) (registry.Device, error) {
	now, err := r.registry.Get(ctx, want.ID)
	if err != nil {
		return now, err
	}
	if err := r.mayTake(now); err != nil {
		return now, errors.Join(err, r.ledger.Remove(func(e entry) bool { return e.DeviceID == want.ID })) // it is left alone
	}
	if _, made := ParseMark(now.StatusReason); made {
		return r.registry.Update(ctx, over(now, want))
	}
	r.noted(want.ID).Before = &before{now.Status, now.StatusReason, now.PrimaryThumbprint, now.SecondaryThumbprint}
	if err := r.ledger.Save(); err != nil {
		return now, err
	}
	return r.registry.Update(ctx, over(now, want))
}

// mayTake says why a device that is there is not the rig's to take.
func (r *registrar) mayTake(now registry.Device) error {
	refused := func(why error, cure string) error {
		return record.NewFailure(record.RigCloud, "register", now.ID+" at "+r.hub, why).WithCure(cure)
	}
	if m, made := ParseMark(now.StatusReason); made {
		if why := m.taken(r.rig, time.Now()); why != "" {
			return refused(errors.New(why), "give each rig its own device ids")
		}
		return nil
	}
	switch {
	case !r.adopt:
		return refused(errors.New("it is registered already, and no rig made it"),
			"adopt: true in the hub's entry lets the rig use it and put it back; else take another device_id")
	case now.AuthenticationType != registry.SelfSigned:
		return refused(fmt.Errorf("it signs in by %s, and not by thumbprint", now.AuthenticationType), "take another device_id")
	}
	return nil
}

func (r *registrar) took(is registry.Device, err error) error {
	if err == nil {
		r.device = &is
	}
	return err
}

// over is a device as it was read, with what is wanted of it.
func over(is, want registry.Device) registry.Device {
	is.Status, is.StatusReason, is.PrimaryThumbprint, is.SecondaryThumbprint = want.Status, want.StatusReason, want.PrimaryThumbprint, want.SecondaryThumbprint
	return is
}

// Unregister takes the device out, or puts it back as it was.
func (r *registrar) Unregister(ctx context.Context, id string) error {
	done, err := r.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	return r.forget(ctx, id)
}

func (r *registrar) forget(ctx context.Context, id string) error {
	e, err := r.noted(id), registry.ErrPrecondition
	if e == nil {
		return nil
	}
	if r.device != nil && e.Before == nil {
		err = r.registry.Delete(ctx, id, r.device.ETag)
	}
	switch {
	case errors.Is(err, registry.ErrNotFound):
		err = nil
	case errors.Is(err, registry.ErrPrecondition):
		_, err = undo(ctx, r.registry, *e)
	}
	if err != nil {
		return err
	}
	r.device = nil
	return r.ledger.Remove(func(x entry) bool { return x.DeviceID == id })
}

// Lookup is the device as the registry has it.
func (r *registrar) Lookup(ctx context.Context, id string) (hub.Device, bool, error) {
	d, err := r.registry.Get(ctx, id)
	if errors.Is(err, registry.ErrNotFound) {
		return hub.Device{}, false, nil
	}
	found := hub.Device{ID: d.ID, Disabled: d.Status == registry.Disabled}
	for _, p := range []string{d.PrimaryThumbprint, d.SecondaryThumbprint} {
		if p != "" {
			found.Thumbprints = append(found.Thumbprints, p)
		}
	}
	return found, err == nil, err
}

// begin takes the turn in this process.
func (r *registrar) begin(ctx context.Context) (done func(), err error) {
	select {
	case r.turn <- struct{}{}:
		return func() { <-r.turn }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// close takes out what was made. What cannot be taken out stays noted.
func (r *registrar) close(ctx context.Context) error {
	done, err := r.begin(ctx)
	if err != nil {
		return errors.Join(err, r.ledger.Close())
	}
	defer done()
	err = r.forget(ctx, r.id)
	if err != nil {
		err = record.NewFailure(record.RigCloud, "take out again", r.id+" at "+r.hub, err).WithCure("the next run of this rig does it, or hilrig azure sweep --rig FILE")
	}
	return errors.Join(err, r.ledger.Close())
}
