package iothub

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"hilrig/azure"
	"hilrig/azure/hub"
	"hilrig/azure/iothub/events"
	"hilrig/record"
)

// cloud is a hub for one device. It can do what a bench asks of it by the
// interfaces of azure/hub; one that registers devices is a [registering].
type cloud struct {
	config Config
	setup  hub.Setup
	root   []byte
	events *hub.Events
	reader reader
	bound  *bound // nil: no messages to the device
	log    *slog.Logger

	stop    context.CancelFunc
	running context.Context // until stop
	ended   chan struct{}   // nothing is read any more

	mu   sync.Mutex
	held *tls.Certificate // what the device is to hold
}

// registering is a hub that is told which thumbprints a device has.
type registering struct {
	*cloud
	*registrar
}

// Open opens the hub for a device: its events are read from now on, and what a
// run that died left registered is removed. A Config's Open is a [hub.Open].
func (c Config) Open(ctx context.Context, s hub.Setup) (_ hub.Hub, address string, err error) {
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	h := &cloud{config: c, setup: s, log: s.Log, events: hub.NewEvents(s.DeviceID, 0), held: s.Identity, ended: make(chan struct{})}
	h.events.ByArrivals(false)
	if h.root, err = c.findRoot(ctx); err != nil {
		return nil, "", err
	}
	var r *registrar
	if s.Identity == nil {
		if r, err = c.registrar(ctx, s); err != nil {
			return nil, "", err
		}
	}
	if h.reader, err = c.openReader(ctx, s); err != nil {
		if r != nil {
			err = errors.Join(err, r.close(ctx))
		}
		return nil, "", err
	}
	if c.Bound != nil {
		h.bound = newBound(*c.Bound)
	}
	h.running, h.stop = context.WithCancel(context.WithoutCancel(ctx))
	go h.read()
	if r == nil {
		return h, c.address(), nil
	}
	return registering{h, r}, c.address(), nil
}

// reader is where what arrives comes from.
type reader interface {
	Next(ctx context.Context) (hub.Event, error)
	Close(ctx context.Context) error
}

func (c Config) openReader(ctx context.Context, s hub.Setup) (reader, error) {
	if s.Feed != nil {
		return events.Join(ctx, s.Feed)
	}
	c.Events.Devices, c.Events.Log = []string{s.DeviceID}, s.Log
	return events.Open(ctx, c.Events)
}

func (c Config) registrar(ctx context.Context, s hub.Setup) (*registrar, error) {
	if c.Registry == nil {
		return nil, record.NewFailure(record.Usage, "register devices at", c.Host, errors.New("the rig file says no registry")).
			WithCure("registry: {connection_string_env: NAME} in the hub's entry; or register the identity by hand, and name its files with identity of the device")
	}
	return openRegistrar(ctx, c, s)
}

// read records what arrives until the reader is closed.
func (h *cloud) read() {
	defer close(h.ended)
	for {
		e, err := h.reader.Next(h.running)
		if err != nil {
			return
		}
		if e.DeviceID == "" {
			e.DeviceID = h.setup.DeviceID
		}
		if m := e.Message; m != nil && m.Topic == "" {
			m.Topic = topicOf(e.DeviceID, m.Properties)
		}
		h.events.Add(e)
	}
}

// topicOf is where a message that arrived was published: the hub takes telemetry
// at one topic, and closes the connection over any other.
func topicOf(id string, properties map[string]string) string {
	var all []azure.Property
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		all = append(all, azure.Property{Name: name, Value: properties[name]})
	}
	return azure.EventsTopic(id) + azure.EncodeBag(nil, all)
}

func (h *cloud) Events() *hub.Events { return h.events }

func (h *cloud) Letters() hub.Letters { return "AD" }

func (registering) Letters() hub.Letters { return hub.OfAzure }

// Register has the record know the device by what is registered.
func (r registering) Register(ctx context.Context, d hub.Device) error {
	r.events.Know(d)
	return r.registrar.Register(ctx, d)
}

// Close takes out what was registered, then ends the reader.
func (r registering) Close(ctx context.Context) error {
	return errors.Join(r.registrar.close(ctx), r.cloud.Close(ctx))
}

// Close ends the reader.
func (h *cloud) Close(ctx context.Context) error {
	h.stop()
	err := h.reader.Close(ctx)
	if h.bound != nil {
		err = errors.Join(err, h.bound.close(ctx))
	}
	select {
	case <-h.ended:
		return err
	case <-ctx.Done():
		return errors.Join(err, record.NewFailure(record.Harness, "close", "reader of "+h.config.Host, context.Cause(ctx)))
	}
}

// StillHears waits until a message shows that what arrives is read, or the reader
// has had the time to notice that it is not.
func (h *cloud) StillHears(ctx context.Context) {
	waiting, cancel := context.WithTimeout(ctx, events.NoticedWithin)
	defer cancel()
	_, _ = h.events.Await(waiting, h.events.Mark(), func(e hub.Event) bool { return e.Kind == hub.KindMessage || e.Kind == hub.KindGap }) // the record has it
}

// Hold takes the identity that the device is to hold.
func (h *cloud) Hold(id tls.Certificate) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.held = &id
}

// Drop ends the device's session by taking it over: who connects with the id of
// a device ends the session that it has (Azure: 400027
// ConnectionForcefullyClosedOnNewConnection). What is stored of it stays. False
// where the hub did not let the rig in; whether there was a session it does not
// say.
func (h *cloud) Drop(id string) bool {
	ctx, cancel := context.WithTimeout(h.running, dialWithin)
	defer cancel()
	h.mu.Lock()
	held := h.held
	h.mu.Unlock()
	if err := h.takeOver(ctx, id, held); err != nil {
		h.log.Warn("the device's session was not taken over", "device", id, "error", err)
		return false
	}
	h.events.Add(hub.Event{Kind: hub.KindDisconnected, At: time.Now(), DeviceID: id, Takeover: true, Fault: hub.OutageTakeOver,
		Text: "the hub took the device's session over and left"})
	return true
}
