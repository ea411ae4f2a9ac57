package events

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"
	"github.com/Azure/go-amqp"

	"hilrig/azure/iothub/access"
	"hilrig/record"
)

// Causes of failures that are none of the network's. Those of the network are
// [access.ErrName] and its like.
var (
	ErrToken  = errors.New("the endpoint does not take the token")
	ErrRights = errors.New("the policy may not read events")
	ErrEntity = errors.New("there is no such Event Hub")
	ErrGroup  = errors.New("there is no such consumer group")
	ErrTaken  = errors.New("the consumer group is taken")
	ErrBusy   = errors.New("the endpoint has no time")
)

var errNoAnswer = fmt.Errorf("%w: within %s", access.ErrSilent, openWithin)

type step string

const (
	stepConnect step = "connect to"
	stepRead    step = "read"
)

// explain makes err a failure that says what is to be done about it.
func (s *source) explain(at step, err error) error {
	var already *record.Failure
	if errors.As(err, &already) {
		return err
	}
	cure, cause := s.cause(at, err)
	if cause == nil {
		cure, cause = "see the log with --debug", errors.New("it went wrong")
	}
	return record.NewFailure(record.RigCloud, string(at), s.entity+" at "+s.namespace, &hidden{cause, s.masked(err)}).WithCure(cure)
}

// cause finds out what kind of failure it is.
func (s *source) cause(at step, err error) (cure string, cause error) {
	if errors.Is(err, access.ErrSilent) {
		return "is outgoing TCP 5671 (AMQP) open? A firewall may drop it", access.ErrSilent
	}
	if found, _ := access.Explain(s.namespace, err); found != nil {
		return s.network(err)
	}
	var answered interface{ RPCCode() int }
	if errors.As(err, &answered) {
		return answer(answered.RPCCode())
	}
	var client *azeventhubs.Error
	if errors.As(err, &client) {
		switch client.Code {
		case azeventhubs.ErrorCodeUnauthorizedAccess:
			return rightsCure, ErrRights
		case azeventhubs.ErrorCodeOwnershipLost:
			return s.takenCure(), ErrTaken
		}
	}
	var peer *amqp.Error
	if errors.As(err, &peer) {
		return s.condition(at, peer.Condition)
	}
	return "", nil
}

// network is a failure on the way, with the ports and names of this endpoint.
func (s *source) network(err error) (cure string, cause error) {
	_, cure = access.Explain(s.namespace, err)
	for _, one := range []struct {
		cause error
		cure  string
	}{
		{access.ErrName, "is the namespace in the connection string right? " + connectionCure},
		{access.ErrRefused, "is outgoing TCP 5671 (AMQP) open?"},
		{access.ErrNoWay, cure},
		{access.ErrSilent, "is outgoing TCP 5671 (AMQP) open? A firewall may drop it"},
		{access.ErrUntrusted, cure},
		{access.ErrClock, cure},
		{access.ErrProxy, "what answers at port 5671 speaks no TLS: something stands in between"},
		{access.ErrCut, cure},
	} {
		if found, _ := access.Explain(s.namespace, err); errors.Is(found, one.cause) {
			return one.cure, one.cause
		}
	}
	return "", nil
}

const (
	tokenCure  = "is the key whole and still the policy's (IoT Hub, Shared access policies)? Is this machine's clock right (timedatectl)?"
	rightsCure = "the policy needs the right to read events: service connect on the built-in endpoint, Listen or Azure Event Hubs Data Receiver on an Event Hub of one's own"
)

// answer is an HTTP status in an answer of the endpoint.
func answer(code int) (cure string, cause error) {
	switch code {
	case 401:
		return tokenCure, ErrToken
	case 403:
		return rightsCure, ErrRights
	case 404:
		return connectionCure, ErrEntity
	case 408, 429, 500, 503:
		return "try again in a minute", ErrBusy
	}
	return "", nil
}

// condition is an error of AMQP or of Event Hubs.
func (s *source) condition(at step, condition amqp.ErrCond) (cure string, cause error) {
	switch condition {
	case amqp.ErrCondUnauthorizedAccess:
		return rightsCure, ErrRights
	case amqp.ErrCondNotFound:
		if at == stepConnect {
			return connectionCure, ErrEntity
		}
		return fmt.Sprintf("make it: az iot hub consumer-group create --hub-name NAME --name %s; or give another one in events: {consumer_group: …}", s.Group), ErrGroup
	case amqp.ErrCondResourceLimitExceeded, amqp.ErrCondStolen, amqp.ErrCondNotAllowed:
		return s.takenCure(), ErrTaken
	case "com.microsoft:server-busy", "com.microsoft:timeout":
		return "try again in a minute", ErrBusy
	}
	return "", nil
}

func (s *source) takenCure() string {
	return fmt.Sprintf("somebody else reads by %q alone, or five do: give each rig a consumer group of its own in events: {consumer_group: …}", s.Group)
}

// hidden is an error whose text holds no secret.
type hidden struct {
	cause error
	text  string
}

func (h *hidden) Error() string { return h.cause.Error() + ": " + h.text }
func (h *hidden) Unwrap() error { return h.cause }

var signatures = regexp.MustCompile(`(?i)(sig=|Bearer\s+|SharedAccessKey=)[^\s&;"']+`)

// masked is what an error says, without what would open the hub to a reader.
func (s *source) masked(err error) string {
	text := signatures.ReplaceAllString(err.Error(), "${1}(masked)")
	for _, secret := range s.secrets {
		for _, form := range []string{secret, url.QueryEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret))} {
			text = strings.ReplaceAll(text, form, "(masked)")
		}
	}
	return text
}
