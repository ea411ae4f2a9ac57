package hub

import (
	"context"

	"hilrig/azure/hub"
	"hilrig/azure/localhub"
	"hilrig/azure/localhub/control"
	"hilrig/certs"
)

// moreFaults are the certificates that a hub can show, which the table of the
// hub's own faults cannot hold: they are made for its name.
func moreFaults() []control.Fault {
	var all []control.Fault
	for _, p := range certs.Profiles() {
		shows := p.Wrong + p.Unusual
		all = append(all, control.Fault{Name: string(p.Profile), Shows: "a server certificate: " + shows})
	}
	return all
}

// openControl makes the socket of a hub. A hub without one serves its devices
// all the same.
func (a verbs) openControl(ctx context.Context, state, host, address string, h *localhub.Hub, store *certs.Store) *control.Server {
	s, err := control.Listen(ctx, control.Config{
		Dir: control.Dir(state), Address: address, Hub: h, More: moreFaults(), Log: a.Log,
		Make: func(ctx context.Context, name string) (hub.Fault, error) {
			wrong, err := store.WrongServer(ctx, host, certs.Profile(name))
			return hub.Fault{Name: name, Certificate: &wrong}, err
		},
	})
	if err != nil {
		a.Log.Warn("the hub runs without a control socket: hilrig hub send, invoke, patch and fault do not reach it", "why", err)
		return nil
	}
	return s
}

func closeControl(s *control.Server) error {
	if s == nil {
		return nil
	}
	return s.Close()
}

func controlPath(s *control.Server) string {
	if s == nil {
		return ""
	}
	return s.Path()
}
