package events

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
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
	if cure, cause = access.ExplainAMQPS(s.namespace, err); cause != nil {
		if errors.Is(cause, access.ErrName) {
			cure = "is the namespace in the connection string right? " + connectionCure
		}
		return cure, cause
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

const rightsCure = "the policy needs the right to read events: service connect on the built-in endpoint, Listen or Azure Event Hubs Data Receiver on an Event Hub of one's own"

// answer is an HTTP status in an answer of the endpoint.
func answer(code int) (cure string, cause error) {
	switch code {
	case 401:
		return access.TokenCure, ErrToken
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

// causeOf is an error without what differs from try to try.
func causeOf(err error) string {
	var h *hidden
	if errors.As(err, &h) {
		return h.cause.Error()
	}
	return err.Error()
}

// masked is what an error says, without what would open the hub to a reader.
func (s *source) masked(err error) string {
	text := access.Masked(err.Error())
	for _, secret := range s.secrets {
		for _, form := range []string{secret, url.QueryEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret))} {
			text = strings.ReplaceAll(text, form, "(masked)")
		}
	}
	return text
}
