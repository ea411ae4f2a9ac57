package broker

import (
	"context"
	"crypto/rand"
	"encoding/hex"
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

const (
	keepAlive   = 5 * time.Second
	firstPause  = 100 * time.Millisecond // between attempts to come back
	longestWait = 5 * time.Second
	heardWithin = 2 * time.Second // a message of its own, of which nothing is known
	takenWithin = 6 * time.Second // one that the broker says it has: where it does not come, the run ends
)

// observer is subscribed to a device's telemetry, and comes back by itself.
type observer struct {
	config   Config
	deviceID string
	topic    string // as the type gives it
	events   *hub.Events
	log      *slog.Logger

	mu     sync.Mutex
	client client          // nil while it is away
	since  time.Time       // when what arrives began to be seen, where nothing has proven it yet
	how    hub.Listening   // the same
	before hub.Gap         // the same
	own    map[sent]func() // what the rig itself writes there: told when it comes back
	itself bool            // it has heard itself
	last   time.Time       // when anything came by the subscription
	deaf   error           // why nothing is believed to come any more, though the connection is there
	doubts chan struct{}   // something stands in deaf
}

// sent is a message of the rig's own.
type sent struct{ topic, payload string }

// expect has the next arrival of a message taken for the rig's own, and not for
// one of the device.
func (o *observer) expect(m sent, heard func()) (forget func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.own[m] = heard
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.own, m)
	}
}

// isOwn reports whether an arrival is a message of the rig's own, once for each.
func (o *observer) isOwn(a arrival) bool {
	m := sent{a.topic, string(a.payload)}
	o.mu.Lock()
	heard, own := o.own[m]
	delete(o.own, m)
	o.mu.Unlock()
	if own {
		heard()
	}
	return own
}

// hears reports whether what is written to a topic comes to the observer.
func (o *observer) hears(topic string) bool {
	above, open := strings.CutSuffix(o.filter(), "#")
	return open && strings.HasPrefix(topic, above) || topic == o.topic
}

// filter takes the device's topic, and what it may write behind a last slash.
func (o *observer) filter() string {
	if strings.HasSuffix(o.topic, "/") {
		return o.topic + "#"
	}
	return o.topic
}

// attach connects and subscribes, and hears itself where it may publish. gap is
// what could be missed until now.
func (o *observer) attach(ctx context.Context, gap hub.Gap) (client, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, dialWithin, errSilent{dialWithin})
	defer cancel()
	id, err := nonce()
	if err != nil {
		return nil, err
	}
	c, err := o.config.open(ctx, "hilrig-"+id, o.arrived)
	if err != nil {
		return nil, err
	}
	granted, err := c.subscribe(ctx, o.filter())
	if err != nil {
		c.close()
		return nil, o.notGranted(err)
	}
	now := time.Now()
	proven, err := o.prove(ctx, c)
	if err != nil {
		c.close()
		return nil, err
	}
	o.listens(now, gap, hub.Listening{Protocol: c.version(), QoS: granted, Retain: c.showsRetain()}, proven)
	return c, nil
}

func (o *observer) notGranted(err error) error {
	f := record.NewFailure(record.RigHub, "subscribe observer to", o.filter(), err)
	acl := "the broker's ACL must let the observer read " + o.filter()
	var no *refusal
	switch {
	case !errors.As(err, &no):
		return f.WithCure(brokersLog)
	case no.packet == subscribed && no.code == 0x87:
		return f.WithCure(acl)
	case no.packet == subscribed:
		return f.WithCure(cureOf(err, acl))
	}
	return f.WithCure(cureOf(err, brokersLog))
}

// settle waits until the observer is at the broker, as a message shows that goes
// there and back where it may publish.
func (o *observer) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, commandWithin, fmt.Errorf("not back within %s", commandWithin))
	defer cancel()
	for {
		if c := o.present(); c != nil {
			if _, err := o.prove(ctx, c); err == nil {
				return nil
			}
		}
		select {
		case <-time.After(firstPause):
		case <-ctx.Done():
			return record.NewFailure(record.RigHub, "wait for observer at", o.config.Address, context.Cause(ctx)).
				WithCure("does the broker run again once the register command has ended?")
		}
	}
}

// prove publishes a message of the observer's own and hears it: that a
// subscription was granted does not mean that anything comes by it. False where
// the observer may not publish here, or that cannot be told.
func (o *observer) prove(ctx context.Context, c client) (bool, error) {
	id, err := nonce()
	if err != nil {
		return false, err
	}
	payload, heard := probeMark+id+`"}`, make(chan struct{})
	defer o.expect(sent{o.topic, payload}, func() { close(heard) })()
	became, err := c.publish(ctx, o.topic, []byte(payload))
	switch {
	case errors.Is(err, context.Canceled):
		return false, err
	case err != nil || became == fateForbidden: // some brokers end the connection over it
		o.log.Debug("the observer cannot publish where it listens", "topic", o.topic, "error", err)
		if gone := o.gone(c); gone != nil || err == nil {
			return false, gone
		}
		return false, record.NewFailure(record.RigHub, "publish a message of its own to", o.topic, err).
			WithCure(cureOf(err, "the broker takes a message and does not acknowledge it: is its disk full, does it hold publishers back (an alarm of RabbitMQ's)? Its log says why"))
	}
	within := heardWithin
	if became == fateTaken || o.heardBefore() {
		within = takenWithin
	}
	select {
	case <-heard:
		o.mu.Lock()
		o.itself = true
		o.mu.Unlock()
		return true, nil
	case <-time.After(within):
	case <-c.done():
		return false, o.gone(c)
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
	if became != fateTaken {
		return false, nil
	}
	return false, record.NewFailure(record.RigHub, "hear a message of its own on", o.topic,
		fmt.Errorf("the broker granted the subscription, took the message and did not deliver it within %s", within)).
		WithCure("the broker's ACL must let the observer read " + o.filter())
}

// gone is the failure of a connection that ended; nil while it is there.
func (o *observer) gone(c client) error {
	select {
	case <-c.done():
		err := c.why()
		return record.NewFailure(record.RigHub, "watch", o.topic, fmt.Errorf("the broker ended the observer's connection: %w", err)).
			WithCure(cureOf(err, "the broker's log says why; where it ends connections that publish what they may not, let the observer write "+o.topic))
	default:
		return nil
	}
}

// probeMark begins each message of an observer, also of another one.
const probeMark = `{"hilrig":"probe `

func nonce() (string, error) {
	b := make([]byte, 8)
	if _, err := rand.Read(b); err != nil {
		return "", record.NewFailure(record.RigHost, "read", "random numbers", err)
	}
	return hex.EncodeToString(b), nil
}

// listens says from when on what arrives is seen. As long as nothing proves it,
// that is a gap, which the first message closes.
func (o *observer) listens(now time.Time, gap hub.Gap, how hub.Listening, proven bool) {
	gap.To = now
	o.mu.Lock()
	o.since, o.how, o.before = time.Time{}, how, gap
	if !proven {
		o.since = now
	}
	o.mu.Unlock()
	if !proven {
		why := "the broker took the subscription, and nothing has shown yet that anything comes by it: the observer may not publish there to hear itself"
		o.add(hub.Event{Kind: hub.KindGap, Text: why, Gap: &hub.Gap{From: gap.From, Why: why, Unproven: true}})
		return
	}
	o.tellListening(how, gap)
}

func (o *observer) tellListening(how hub.Listening, gap hub.Gap) {
	text := fmt.Sprintf("listens on %s: %s, QoS %d granted", o.filter(), how.Protocol, how.QoS)
	if !how.Retain {
		text += ", RETAIN is not shown"
	}
	o.add(hub.Event{Kind: hub.KindListening, Text: text, Gap: &gap, Listening: &how})
}

func (o *observer) add(e hub.Event) {
	e.DeviceID = o.deviceID
	o.events.Add(e)
}

// arrived records a message, on the client's goroutine.
func (o *observer) arrived(a arrival) {
	o.mu.Lock()
	o.last = a.at
	o.mu.Unlock()
	if o.isOwn(a) || strings.HasPrefix(string(a.payload), probeMark) {
		return
	}
	o.proveBy(a)
	m := &hub.Message{Topic: a.topic, Payload: a.payload, QoS: a.qos, Retain: a.retain, Dup: a.dup, Enqueued: a.at}
	if t, err := azure.ParsePublishTopic(o.deviceID, a.topic); err == nil && t.Kind == azure.KindEvents {
		m.Properties, m.System = t.Properties, t.System
	}
	if a.leftover {
		m.Retain = true
		o.add(hub.Event{Kind: hub.KindLeftover, At: a.at, Text: fmt.Sprintf("retained message of before, %d bytes: not counted", len(a.payload)), Message: m})
		return
	}
	o.add(hub.Event{Kind: hub.KindMessage, At: a.at, Text: fmt.Sprintf("telemetry, %d bytes", len(a.payload)), Message: m})
}

// proveBy takes the first message for the proof that messages come.
func (o *observer) proveBy(a arrival) {
	if a.leftover {
		return
	}
	o.mu.Lock()
	since, how, gap := o.since, o.how, o.before
	o.since = time.Time{}
	o.mu.Unlock()
	if !since.IsZero() {
		o.tellListening(how, gap)
	}
}

// watch keeps the observer subscribed until ctx ends.
func (o *observer) watch(ctx context.Context) {
	c := o.present()
	for {
		select {
		case <-ctx.Done():
			c.close()
			return
		case <-o.doubts:
			if !o.isDeaf() {
				continue // that connection is gone already
			}
		case <-c.done():
		}
		gap := o.lost(c)
		c.close()
		o.add(hub.Event{Kind: hub.KindGap, Text: gap.String(), Gap: &gap})
		if c = o.comeBack(ctx, gap); c == nil {
			return
		}
		o.set(c)
	}
}

// lost is the gap that begins with a connection's end. Where what comes was in
// doubt it begins with the last message.
func (o *observer) lost(c client) hub.Gap {
	o.mu.Lock()
	deaf, last := o.deaf, o.last
	o.client, o.since, o.deaf = nil, time.Time{}, nil
	o.mu.Unlock()
	if deaf != nil {
		return hub.Gap{From: last, Why: "the broker delivers nothing: " + deaf.Error()}
	}
	gap := hub.Gap{From: c.wire().lastHeard(), Why: "the connection to the broker is lost"}
	if err := c.why(); err != nil {
		gap.Why += ": " + err.Error()
	}
	return gap
}

// stillHears makes sure that messages come: a cable that was pulled is known
// only once a PINGREQ has no answer, and a broker may answer that and deliver
// nothing. Where they do not the connection ends, and with it what is seen.
func (o *observer) stillHears(ctx context.Context) {
	c := o.present()
	if c == nil {
		return
	}
	ctx, cancel := context.WithTimeoutCause(ctx, takenWithin, errSilent{takenWithin})
	defer cancel()
	err := o.delivers(ctx, c)
	if err == nil || errors.Is(err, context.Canceled) {
		return
	}
	mark := o.events.Mark()
	o.mu.Lock()
	if o.client == c {
		o.deaf = err
	}
	o.mu.Unlock()
	select {
	case o.doubts <- struct{}{}:
	default:
	}
	told, stop := context.WithTimeout(context.WithoutCancel(ctx), goodBye)
	defer stop()
	_, _ = o.events.Await(told, mark, func(e hub.Event) bool { return e.Kind == hub.KindGap }) // watch tells it
}

// delivers asks the broker for a message of the observer's own, or for an
// answer where it may not write one.
func (o *observer) delivers(ctx context.Context, c client) error {
	if !o.heardBefore() {
		return c.answers(ctx)
	}
	heard, err := o.prove(ctx, c)
	if err == nil && !heard {
		err = errors.New("a message of the observer's own did not come, as others before")
	}
	return err
}

func (o *observer) isDeaf() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.deaf != nil
}

func (o *observer) heardBefore() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.itself
}

// comeBack tries until it is back; nil once ctx has ended.
func (o *observer) comeBack(ctx context.Context, gap hub.Gap) client {
	said := ""
	for pause := firstPause; ; pause = min(2*pause, longestWait) {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		c, err := o.attach(ctx, gap)
		if err == nil {
			return c
		}
		if ctx.Err() == nil && err.Error() != said {
			said = err.Error()
			o.log.Warn("the observer is not back at the broker", "error", err)
		}
	}
}

func (o *observer) present() client {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.client
}

func (o *observer) set(c client) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.client = c
	if c == nil {
		o.since = time.Time{}
	}
}
