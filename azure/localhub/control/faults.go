package control

import (
	"context"
	"errors"
	"slices"

	"hilrig/azure/hub"
	"hilrig/azure/localhub"
	"hilrig/record"
)

// fault shows one, or lifts what is shown.
func (s *Server) fault(ctx context.Context, q Show) ([]Shown, error) {
	if q.Lift {
		return s.lift(ctx, q)
	}
	if q.Device != "" {
		if err := s.named(q.Device, "show "+q.Fault+" to"); err != nil {
			return nil, err
		}
	}
	f, known := localhub.FaultNamed(q.Fault)
	if known && f.Now != nil {
		return s.now(f, q.Device)
	}
	if known && f.Away {
		return s.leave(ctx, f, q)
	}
	if !known {
		name := localhub.FaultName(q.Fault)
		if !slices.ContainsFunc(s.config.More, func(m Fault) bool { return m.Name == name }) {
			return nil, noFault(q.Fault)
		}
		made, err := s.config.Make(ctx, name)
		if err != nil {
			return nil, err
		}
		f.Fault = made
	}
	f.Device = q.Device
	entry := &showing{Shown: Shown{Fault: f.Name, Device: q.Device, Times: q.Times}}
	s.mu.Lock()
	entry.s = s.config.Hub.Show(f.Fault, q.Times)
	s.shown = append(s.shown, entry)
	s.mu.Unlock()
	return []Shown{entry.state()}, nil
}

func noFault(name string) error {
	return record.NewFailure(record.Usage, "show", name, errors.New("no such fault")).WithCure("hilrig hub --list-faults shows them all")
}

// now is what is done to living sessions at once.
func (s *Server) now(f localhub.NamedFault, device string) ([]Shown, error) {
	devices := []string{device}
	if device == "" {
		devices = nil
		for _, d := range s.config.Hub.Devices() {
			devices = append(devices, d.ID)
		}
	}
	var done []Shown
	for _, id := range devices {
		if f.Now(s.config.Hub, id) {
			done = append(done, Shown{Fault: f.Name, Device: id, Times: 1, Count: 1, Done: true})
		}
	}
	if len(done) == 0 {
		return nil, record.NewFailure(record.RigHub, "show", f.Name, errors.New("no session lives that it could be shown to")).WithCure("the device must be connected")
	}
	return done, nil
}

// leave takes the hub away. It can be done once at a time, and to all devices
// alone.
func (s *Server) leave(ctx context.Context, f localhub.NamedFault, q Show) ([]Shown, error) {
	if q.Device != "" || q.Times > 0 {
		return nil, record.NewFailure(record.Usage, "show", f.Name, errors.New("it is the hub that goes, for every device and until it is lifted")).WithCure("without --device and --times; --for 30s brings it back")
	}
	if err := s.takeTurn(ctx); err != nil {
		return nil, err
	}
	defer s.endTurn()
	entry := &showing{Shown: Shown{Fault: f.Name, Count: 1}}
	s.mu.Lock()
	i := slices.IndexFunc(s.shown, func(e *showing) bool { return e.s == nil })
	if i >= 0 {
		entry = s.shown[i]
	} else {
		s.shown = append(s.shown, entry)
	}
	s.mu.Unlock()
	if i < 0 {
		s.config.Hub.Down()
	}
	return []Shown{entry.state()}, nil
}

// takeTurn makes the hub's going and coming one at a time.
func (s *Server) takeTurn(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return record.NewFailure(record.RigHub, "show", hub.OutageDown, errors.New("another order brings the hub back at this moment"))
	}
}

func (s *Server) endTurn() { <-s.turn }

// lift ends what is shown by this name, or all of it. A hub that cannot come
// back is still shown as away.
func (s *Server) lift(ctx context.Context, q Show) ([]Shown, error) {
	if err := s.takeTurn(ctx); err != nil {
		return nil, err
	}
	defer s.endTurn()
	meant := func(e *showing) bool {
		return (q.Fault == "" || localhub.FaultName(e.Fault) == localhub.FaultName(q.Fault)) && (q.Device == "" || e.Device == q.Device)
	}
	s.mu.Lock()
	away := slices.ContainsFunc(s.shown, func(e *showing) bool { return e.s == nil && meant(e) })
	s.mu.Unlock()
	if away {
		within, cancel := context.WithTimeout(ctx, backWithin)
		defer cancel()
		if err := s.config.Hub.Up(within); err != nil {
			return nil, err
		}
	}
	lifted := []Shown{}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shown = slices.DeleteFunc(s.shown, func(e *showing) bool {
		if !meant(e) || e.s == nil && !away {
			return false
		}
		if e.s != nil {
			e.s.Lift()
		}
		lifted = append(lifted, e.state())
		return true
	})
	if len(lifted) == 0 && q.Fault != "" {
		return nil, record.NewFailure(record.Usage, "lift", q.Fault, errors.New("it is not shown")).WithCure("hilrig hub fault says what is")
	}
	return lifted, nil
}

// faults are those that are shown at present. One that was shown often enough
// is told once more, as done.
func (s *Server) faults() []Shown {
	all := []Shown{}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shown = slices.DeleteFunc(s.shown, func(e *showing) bool {
		now := e.state()
		all = append(all, now)
		return now.Done
	})
	return all
}

func (e *showing) state() Shown {
	now := e.Shown
	if e.s == nil {
		return now
	}
	now.Count = e.s.Count()
	now.Done = now.Times > 0 && now.Count >= now.Times
	return now
}
