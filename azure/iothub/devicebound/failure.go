package devicebound

import (
	"context"
	"errors"
	"fmt"

	"github.com/Azure/go-amqp"

	"hilrig/azure/iothub/access"
	"hilrig/record"
)

// Causes of failures that are none of the network's. Those of the network are
// [access.ErrName] and its like.
var (
	ErrToken     = errors.New("the hub does not take the token")
	ErrRights    = errors.New("the policy may not send to devices")
	ErrDevice    = errors.New("the hub does not know the device")
	ErrFull      = errors.New("fifty messages wait for the device already")
	ErrThrottled = errors.New("the hub has no time")
	ErrTier      = errors.New("the hub does not send to devices")
)

var errNoAnswer = fmt.Errorf("%w: within %s", access.ErrSilent, within)

const (
	stepSend     = "send a message to"
	stepFeedback = "read feedback of"
)

// refused is a token that the hub did not take.
type refused struct {
	code int
	why  string
}

func (r *refused) Error() string { return fmt.Sprintf("status %d: %s", r.code, r.why) }

const rightsCure = "the policy needs service connect; with Entra: IoT Hub Data Contributor"

// conditions of AMQP and of IoT Hub, as Microsoft's service clients read them.
var conditions = map[amqp.ErrCond]struct {
	cause error
	cure  string
}{
	amqp.ErrCondUnauthorizedAccess:               {ErrRights, rightsCure},
	amqp.ErrCondNotFound:                         {ErrDevice, "hilrig azure device show ID; ids are case-sensitive"},
	amqp.ErrCondResourceLimitExceeded:            {ErrFull, "is the device connected, and does it subscribe devices/ID/messages/devicebound/#? Or the day's quota is used up"},
	"com.microsoft:device-container-throttled":   {ErrThrottled, "a hub takes 100 messages to devices a minute and unit: wait a minute"},
	"com.microsoft:server-busy":                  {ErrThrottled, "try again in a minute"},
	"com.microsoft:timeout":                      {ErrThrottled, "try again in a minute"},
	amqp.ErrCondNotAllowed:                       {ErrTier, "messages to devices need the standard or free tier: az iot hub show --name NAME --query sku"},
	amqp.ErrCondNotImplemented:                   {ErrTier, "messages to devices need the standard or free tier: az iot hub show --name NAME --query sku"},
	"com.microsoft:iot-hub-suspended":            {ErrTier, "the hub is suspended: see Azure portal, IoT Hub, Overview"},
	amqp.ErrCond("com.microsoft:unauthorized"):   {ErrRights, rightsCure},
	amqp.ErrCond("com.microsoft:argument-error"): {ErrDevice, "is it the id of a device?"},
}

// explain makes err a failure that says what is to be done about it.
func (c *Client) explain(ctx context.Context, step, subject string, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	var already *record.Failure
	if errors.As(err, &already) {
		return err
	}
	cure, cause := c.cause(err)
	return record.NewFailure(record.RigCloud, step, subject, &masked{cause, err}).WithCure(cure)
}

func (c *Client) cause(err error) (cure string, cause error) {
	var token *refused
	var peer *amqp.Error
	switch {
	case errors.As(err, &token):
		return access.TokenCure, ErrToken
	case errors.As(err, &peer):
		if known, is := conditions[peer.Condition]; is {
			return known.cure, known.cause
		}
	}
	if cure, cause = access.ExplainAMQPS(c.config.Credential.HostName, err); cause != nil {
		return cure, cause
	}
	return "see the log with --debug", err
}

// masked is an error whose text holds no token.
type masked struct{ cause, text error }

func (m *masked) Unwrap() error { return m.cause }
func (m *masked) Error() string {
	text := m.cause.Error()
	if !errors.Is(m.cause, m.text) {
		text += ": " + m.text.Error()
	}
	return access.Masked(text)
}
