package localhub

import (
	"context"
	"net"

	"hilrig/azure/hub"
	"hilrig/record"
)

// Open opens a hub of this kind for a bench.
func Open(ctx context.Context, s hub.Setup) (hub.Hub, string, error) {
	server, err := s.Certificate(ctx)
	if err != nil {
		return nil, "", err
	}
	h, err := New(Config{Host: s.Host, For: s.DeviceID, Certificate: server, Log: s.Log, UserNameExact: s.UserName, Beside: s.Beside, Bind: s.Bind})
	if err != nil {
		return nil, "", err
	}
	at, err := h.Listen(ctx, s.Listen)
	if err != nil {
		return nil, "", err
	}
	_, port, err := net.SplitHostPort(at.String())
	if err != nil {
		return nil, "", record.NewFailure(record.Harness, "read hub address", at.String(), err)
	}
	return ForBench(h), net.JoinHostPort(s.Host, port), nil
}

// ForBench is h as a bench asks for it: it can do all that a hub can.
func ForBench(h *Hub) hub.Hub { return benched{h} }

type benched struct{ *Hub }

func (b benched) Letters() hub.Letters { return hub.OfLocal }

func (b benched) Register(_ context.Context, d hub.Device) error {
	b.Hub.Register(d)
	return nil
}

func (b benched) Unregister(_ context.Context, id string) error {
	b.Hub.Unregister(id)
	return nil
}

func (b benched) Lookup(_ context.Context, id string) (hub.Device, bool, error) {
	d, known := b.Hub.Lookup(id)
	return d, known, nil
}
