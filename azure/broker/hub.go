package broker

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"hilrig/azure"
	"hilrig/azure/hub"
	"hilrig/record"
)

// broker is a hub for one device. It can do what a bench asks of it by the
// interfaces of azure/hub; one that registers devices is a [registering].
type broker struct {
	config   Config
	setup    hub.Setup
	events   *hub.Events
	observer *observer
	log      *slog.Logger

	stop    context.CancelFunc
	running context.Context // until stop
	ended   chan struct{}   // nothing runs any more

	mu   sync.Mutex
	held *tls.Certificate // what the device is to hold
}

// Open opens the broker for a device: the observer is subscribed, and what a run
// that died left registered is removed. A Config's Open is a [hub.Open].
func (c Config) Open(ctx context.Context, s hub.Setup) (hub.Hub, string, error) {
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	topic := cmp.Or(s.Topic, azure.EventsTopic(s.DeviceID))
	if strings.ContainsAny(topic, "+#") {
		return nil, "", record.NewFailure(record.Usage, "listen on", topic, errors.New("nothing is published to a topic with a wildcard")).
			WithCure("mqtt.topic of the type is the topic that the device publishes to")
	}
	b := &broker{config: c, setup: s, log: s.Log, events: hub.NewEvents(s.DeviceID, 0), held: s.Identity, ended: make(chan struct{})}
	b.events.ByArrivals(false)
	b.observer = &observer{config: c, deviceID: s.DeviceID, topic: topic, events: b.events, log: s.Log, own: map[sent]func(){}, doubts: make(chan struct{}, 1)}
	first, err := b.observer.attach(ctx, hub.Gap{Why: "nobody listened yet"})
	if err != nil {
		return nil, "", err
	}
	b.observer.set(first)
	b.running, b.stop = context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer close(b.ended)
		b.observer.watch(b.running)
	}()
	if len(c.Register.Add) == 0 || s.Identity != nil {
		return b, c.Address, nil
	}
	r, err := openRegistrar(ctx, c, s)
	if err != nil {
		return nil, "", errors.Join(err, b.Close(ctx))
	}
	if err := b.observer.settle(ctx); err != nil { // what was left there was removed
		return nil, "", errors.Join(err, b.Close(ctx), r.close(ctx))
	}
	return registering{b, r}, c.Address, nil
}

func (b *broker) Events() *hub.Events { return b.events }

func (b *broker) Letters() hub.Letters { return "ADS" }

// Root is what devices get.
func (b *broker) Root() []byte { return b.config.Root }

// Chain is what the broker presents now.
func (b *broker) Chain(ctx context.Context) ([][]byte, error) {
	if c := b.observer.present(); c != nil {
		return presented(c.wire().ConnectionState().PeerCertificates), nil
	}
	w, err := b.config.dial(ctx, b.config.Observer.Certificate)
	if err != nil {
		return nil, err
	}
	defer func() { _ = w.Close() }() // nothing was asked of it
	return presented(w.ConnectionState().PeerCertificates), nil
}

// StillHears makes sure that the observer hears.
func (b *broker) StillHears(ctx context.Context) { b.observer.stillHears(ctx) }

// Close ends the observer.
func (b *broker) Close(ctx context.Context) error {
	b.stop()
	select {
	case <-b.ended:
		return nil
	case <-ctx.Done():
		return record.NewFailure(record.Harness, "close", "observer at "+b.config.Address, context.Cause(ctx))
	}
}

// Hold takes the identity that the device is to hold.
func (b *broker) Hold(id tls.Certificate) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held = &id
}

// Drop ends the device's session by taking it over: who connects with the client
// id of a session ends it (MQTT 3.1.1, 3.1.4; MQTT 5, 3.1.4). What is stored of
// it stays, and nothing that waits in it is acknowledged. False where the broker
// did not let the hub in; whether there was a session it does not say.
func (b *broker) Drop(id string) bool {
	ctx, cancel := context.WithTimeoutCause(b.running, dialWithin, errSilent{dialWithin})
	defer cancel()
	b.mu.Lock()
	held := b.held
	b.mu.Unlock()
	w, err := b.config.dial(ctx, held)
	if err == nil {
		as := credentials{id: cmp.Or(b.setup.ClientID, id), user: b.setup.UserName, password: b.setup.Password, keepAlive: keepAlive}
		var c *client3
		if c, err = connect3(ctx, w, as, nil); err == nil {
			c.close()
			b.events.Add(hub.Event{Kind: hub.KindDisconnected, DeviceID: id, Takeover: true, Fault: hub.OutageTakeOver,
				Text: "the hub took the device's session over and left"})
			return true
		}
	}
	b.log.Warn("the device's session was not taken over", "device", id, "error", err)
	return false
}

// SendToDevice publishes to the topic that the device reads.
func (b *broker) SendToDevice(id string, m hub.DeviceBound) error {
	topic, err := b.readTopic(id, m)
	if err != nil {
		return err
	}
	c := b.observer.present()
	if c == nil {
		return record.NewFailure(record.RigHub, "publish to", topic, errors.New("the observer is away from the broker"))
	}
	ctx, cancel := context.WithTimeoutCause(b.running, dialWithin, errSilent{dialWithin})
	defer cancel()
	forget := func() {}
	if b.observer.hears(topic) {
		forget = b.observer.expect(sent{topic, string(m.Payload)}, func() {})
	}
	became, err := c.publish(ctx, topic, m.Payload)
	acl := "the broker's ACL must let the observer write " + topic
	if err == nil && became == fateForbidden {
		forget()
		return record.NewFailure(record.RigHub, "publish to", topic, errors.New("not authorised")).WithCure(acl)
	}
	if err != nil {
		forget()
		return record.NewFailure(record.RigHub, "publish to", topic, err).WithCure(cureOf(err, acl))
	}
	b.events.Add(hub.Event{Kind: hub.KindDeviceBound, DeviceID: id, Text: fmt.Sprintf("message %s of %d bytes to the device, on %s", m.ID, len(m.Payload), topic)})
	return nil
}

// readTopic is a topic that the device's filter matches.
func (b *broker) readTopic(id string, m hub.DeviceBound) (string, error) {
	filter := cmp.Or(b.setup.ReadTopic, azure.DeviceboundFilter(id))
	if filter == azure.DeviceboundFilter(id) {
		return m.Topic(id), nil
	}
	above, open := strings.CutSuffix(filter, "#")
	if strings.ContainsAny(above, "+#") {
		return "", record.NewFailure(record.Usage, "publish to", filter, errors.New("which topic is meant?")).
			WithCure("mqtt.read_topic of the type, without +")
	}
	if !open {
		return filter, nil
	}
	return above + cmp.Or(m.ID, "message"), nil
}

// Purge takes nothing back: what was published is on its way.
func (b *broker) Purge(string) int { return 0 }

// PatchDesired is asked of a hub with twins.
func (b *broker) PatchDesired(string, []byte) (hub.Twin, error) {
	return hub.Twin{}, hub.Lacking{Letter: hub.Speaks}
}

// Invoke is asked of a hub with direct methods.
func (b *broker) Invoke(context.Context, string, string, []byte, time.Duration) (int, []byte, error) {
	return 0, nil, hub.Lacking{Letter: hub.Speaks}
}
