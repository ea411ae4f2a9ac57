package runner

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"time"

	"hilrig/azure/hub"
	"hilrig/azure/iothub/events"
	"hilrig/fixtures/rigfile"
)

// feed is what a hub is read by for all its devices, or why it cannot be.
type feed struct {
	relay *events.Relay
	err   error
}

// feeds are those of a run, by the hub's name.
type feeds map[string]feed

// feeds has one reader for each IoT Hub: a consumer group lets few in.
func (p *Plan) feeds(log *slog.Logger) feeds {
	all := feeds{}
	for _, h := range p.Hubs {
		if !hub.Feeds || h.Kind != rigfile.KindAzure {
			continue
		}
		c, err := eventsOf(h)
		if err != nil {
			all[h.Name] = feed{err: err}
			continue
		}
		c.Log = log
		for _, e := range p.Entries() {
			if id := e.DeviceID; e.Hub.Name == h.Name && !slices.Contains(c.Devices, id) {
				c.Devices = append(c.Devices, id)
			}
		}
		all[h.Name] = feed{relay: events.NewRelay(c)}
	}
	return all
}

// to makes the way of an entry's messages to its process; there is none where it
// reads by itself.
func (all feeds) to(e Entry) (way *os.File, leave func(), err error) {
	f, is := all[e.Hub.Name]
	switch {
	case !is:
		return nil, func() {}, nil
	case f.err != nil:
		return nil, nil, f.err
	}
	return f.relay.Admit(e.DeviceID)
}

// closeWithin bounds the end of the readers.
const closeWithin = 5 * time.Second

func (r *run) closeFeeds() {
	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	for name, f := range r.feeds {
		if f.relay == nil {
			continue
		}
		if err := f.relay.Close(ctx); err != nil {
			r.Log.Warn("close the reader of events", "hub", name, "error", err)
		}
	}
}
