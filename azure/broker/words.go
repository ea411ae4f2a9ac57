package broker

import (
	"cmp"
	"errors"
	"fmt"
)

// refusal is a packet by which a broker says no: CONNACK, SUBACK, PUBACK, or
// the DISCONNECT of MQTT 5.
type refusal struct {
	packet string
	code   byte
	said   string // in the broker's own words, where it has some
}

func (r *refusal) Error() string {
	number := fmt.Sprintf("%d", r.code)
	if r.code >= 0x80 {
		number = fmt.Sprintf("0x%02x", r.code)
	}
	text := fmt.Sprintf("%s %s: %s", r.packet, number, cmp.Or(reasons()[r.code].words, "unknown code"))
	if r.packet == subscribed && r.code == 0x80 {
		text = subscribed + " 0x80: not granted" // all that 3.1.1 has
	}
	if r.said != "" {
		text += fmt.Sprintf(" (it says %q)", r.said)
	}
	return text
}

// The packets that may say no.
const (
	connected  = "CONNACK"
	subscribed = "SUBACK"
	published  = "PUBACK"
	ended      = "DISCONNECT"
)

// brokersLog is the cure where only the broker knows.
const brokersLog = "the broker's log says why"

// unknown is the cure where the broker does not let the observer in.
const unknown = "the broker does not know the observer: look at observer.user and its password, or observer.certificate, against what the broker is told of it"

// cureOf is what to do about an error of the broker's; otherwise where it is no
// refusal, or one that says nothing.
func cureOf(err error, otherwise string) string {
	var said *refusal
	if errors.As(err, &said) {
		return cmp.Or(reasons()[said.code].cure, otherwise)
	}
	return otherwise
}

// reason is a code that says no, in the words of MQTT, with its cure.
type reason struct{ words, cure string }

// reasons are those of MQTT 3.1.1 (3.2.2.3: below 0x80) and of MQTT 5 (2.4).
func reasons() map[byte]reason {
	const (
		version  = "this listener takes neither MQTT 5 nor 3.1.1: is the port that of devices?"
		id       = "the broker does not take the client id: the observer's begins with hilrig-, so let its user have such"
		away     = "the broker runs and takes nobody: does it still start, is its store or its disk full? Its log says why"
		most     = "a limit of the broker's is reached (connections, messages, disk): end forgotten clients or raise it"
		other    = "put the server that the broker names into url"
		topic    = "the broker refuses such a topic: mqtt.topic of the type is the device's"
		nobody   = "the broker has ended the connection by itself: " + brokersLog
		takeOver = "another client has connected with the observer's client id, which is made anew each time: does somebody at the broker copy clients?"
	)
	return map[byte]reason{
		1: {"unacceptable protocol version", version}, 2: {"identifier rejected", id}, 3: {"server unavailable", away},
		4: {"bad user name or password", unknown}, 5: {"not authorised", unknown},
		0x80: {"unspecified error", ""}, 0x81: {"malformed packet", ""}, 0x82: {"protocol error", ""}, 0x83: {"implementation specific error", ""},
		0x84: {"unsupported protocol version", version}, 0x85: {"client identifier not valid", id}, 0x86: {"bad user name or password", unknown},
		0x87: {"not authorised", unknown}, 0x88: {"server unavailable", away}, 0x89: {"server busy", most},
		0x8a: {"banned", "the broker has banned the observer's user, address or client id, as some do after wrong passwords: take that back there"},
		0x8b: {"server shutting down", away},
		0x8c: {"bad authentication method", "the broker wants an authentication that the observer has not: give it a user and a password, or a certificate"},
		0x8d: {"keep alive timeout", nobody}, 0x8e: {"session taken over", takeOver},
		0x8f: {"topic filter invalid", topic}, 0x90: {"topic name invalid", topic},
		0x93: {"receive maximum exceeded", ""}, 0x95: {"packet too large", "raise the broker's limit for a packet"}, 0x96: {"message rate too high", most},
		0x97: {"quota exceeded", most}, 0x98: {"administrative action", nobody}, 0x99: {"payload format invalid", ""}, 0x9a: {"retain not supported", ""},
		0x9b: {"QoS not supported", ""}, 0x9c: {"use another server", other}, 0x9d: {"server moved", other},
		0x9f: {"connection rate exceeded", most}, 0xa0: {"maximum connect time", nobody}, 0xa2: {"wildcard subscriptions not supported", topic},
	}
}
