package broker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hilrig/record"
)

// client is a connection to the broker in one version of MQTT.
type client interface {
	// subscribe takes a filter at QoS 2 and says which QoS was granted.
	subscribe(ctx context.Context, filter string) (granted byte, err error)
	// publish sends at QoS 1. fate is what the broker says has become of it.
	publish(ctx context.Context, topic string, payload []byte) (fate, error)
	done() <-chan struct{} // closed when the connection has ended
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

// refusal is a CONNACK that says no.
type refusal struct {
	code  byte
	words string
}

func (r *refusal) Error() string { return fmt.Sprintf("CONNACK %d: %s", r.code, r.words) }

// hidden is a SUBACK that says no.
type hidden struct{ code byte }

func (h *hidden) Error() string { return fmt.Sprintf("SUBACK 0x%02x: not granted", h.code) }

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
		return nil, c.refused(err)
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
	return nil, c.refused(err)
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
func (c Config) refused(err error) error {
	f := record.NewFailure(record.RigHub, "connect observer to", c.Address, err)
	var said *refusal
	if !errors.As(err, &said) {
		return f.WithCure(refusedCertificate + " In TLS 1.3 a broker says so only behind the handshake; its log says why it ended the connection")
	}
	switch said.code {
	case 4, 5, 0x86, 0x87:
		return f.WithCure("the broker does not know the observer: look at observer.user and its password, or observer.certificate, against what the broker is told of it")
	case 2, 0x85:
		return f.WithCure("the broker does not take the client id " + said.words)
	}
	return f.WithCure("the broker's log says why")
}
