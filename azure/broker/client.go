package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"hilrig/record"
)

// client is a connection to the broker in one version of MQTT.
type client interface {
	// subscribe takes a filter at QoS 2 and says which QoS was granted.
	subscribe(ctx context.Context, filter string) (granted byte, err error)
	// publish sends at QoS 1. fate is what the broker says has become of it.
	publish(ctx context.Context, topic string, payload []byte) (fate, error)
	answers(ctx context.Context) error // whether the broker does, without a trace
	done() <-chan struct{}             // closed when the connection has ended
	why() error                        // it has
	close()
	wire() *wire
	version() string
	showsRetain() bool // of a message as it was published
}

// fate is what became of a message that was published.
type fate int8

const (
	fateUnknown   fate = iota // acknowledged in MQTT 3.1.1, where that is said also of what is thrown away
	fateTaken                 // the broker has it
	fateForbidden             // it may not be published here
)

// arrival is a message as the broker hands it on.
type arrival struct {
	topic    string
	payload  []byte
	qos      byte
	retain   bool // as it was published, where the client shows that
	leftover bool // it lay on the topic before the subscription
	dup      bool
	at       time.Time
}

// errSilent is a broker that is there and does not answer.
type errSilent struct{ within time.Duration }

func (e errSilent) Error() string { return fmt.Sprintf("no answer within %s", e.within) }

// answerWithin bounds the wait for one answer.
const answerWithin = dialWithin / 2

// inTime says of an answer that did not come how long it was waited for. An
// end of the caller's own is the caller's.
func inTime(ctx context.Context, err error) error {
	switch {
	case err == nil || !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled):
		return err
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return errSilent{answerWithin}
}

// ending is why a connection ended, which clients say a moment later.
type ending struct {
	once  sync.Once
	known chan struct{}
	err   error
}

// tell takes the first cause: that a connection which is over cannot be read is
// none.
func (e *ending) tell(err error) {
	if errors.Is(err, net.ErrClosed) {
		return
	}
	e.once.Do(func() { e.err = err; close(e.known) })
}

// why is what the broker said, or how the connection broke.
func (e *ending) why(w *wire) error {
	select {
	case <-e.known:
		var said *refusal
		if err := w.broken(); err != nil && !errors.As(e.err, &said) {
			return record.WithoutAddress(err)
		}
		return e.err
	case <-time.After(goodBye):
		return record.WithoutAddress(w.broken())
	}
}

// open connects as the observer: in MQTT 5, and in 3.1.1 where that is not
// taken. A broker that knows no MQTT 5 may say so in a CONNACK of either
// version, end the connection or say nothing.
func (c Config) open(ctx context.Context, id string, arrived func(arrival)) (client, error) {
	as := credentials{id: id, clean: true, user: c.Observer.User, password: c.Observer.Password, keepAlive: keepAlive}
	w, err := c.dial(ctx, c.Observer.Certificate)
	if err != nil {
		return nil, err
	}
	five, err := connect5(ctx, w, as, arrived)
	if err == nil {
		return five, nil
	}
	if w.alerted() {
		return nil, c.handshakeFailure(w.broken())
	}
	var said *refusal
	if errors.As(err, &said) && said.code != unsupportedProtocol || ctx.Err() != nil {
		return nil, c.refused(w, err)
	}
	if w, err = c.dial(ctx, c.Observer.Certificate); err != nil {
		return nil, err
	}
	three, err := connect3(ctx, w, as, arrived)
	if err == nil {
		return three, nil
	}
	if w.alerted() {
		return nil, c.handshakeFailure(w.broken())
	}
	return nil, c.refused(w, err)
}

// credentials are who connects.
type credentials struct {
	id             string
	clean          bool
	user, password string
	keepAlive      time.Duration
}

// unsupportedProtocol is the reason code of a broker that knows no MQTT 5.
const unsupportedProtocol = 0x84

// refused is the failure of an observer that got TLS and no session.
func (c Config) refused(w *wire, err error) error {
	fail := func(err error) *record.Failure {
		return record.NewFailure(record.RigHub, "connect observer to", c.reached(), err)
	}
	var said *refusal
	first := w.began()
	switch {
	case errors.As(err, &said):
		return fail(err).WithCure(cureOf(err, brokersLog))
	case len(first) > 0 && first[0]>>4 != connack:
		return fail(fmt.Errorf("what answers there speaks TLS and no MQTT: it begins with %q", first)).WithCure(otherPort)
	case len(first) == 0 && ctxEnded(err):
		return fail(fmt.Errorf("it speaks TLS and does not answer a CONNECT: %w", err)).
			WithCure("is the broker's disk or memory full, as RabbitMQ answers nobody then? Its log says so. Else " + otherPort)
	}
	return fail(err).WithCure("some brokers end a connection without a word where they would refuse it. Either " + unknown + ". Or " + refusedCertificate + " Its log says which")
}

// connack is the type of a packet of this name.
const connack = 2

const otherPort = "url must name the port at which the broker takes MQTT over TLS, usually 8883, and not one for web pages, WebSockets or AMQP"

// ctxEnded reports whether an answer was waited for in vain.
func ctxEnded(err error) bool {
	return errors.As(err, new(errSilent)) || errors.Is(err, context.DeadlineExceeded)
}
