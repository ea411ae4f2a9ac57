package devicebound

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/Azure/go-amqp"

	"hilrig/record"
)

const feedbackEndpoint = "/messages/serviceBound/feedback"

// Feedback is what became of a message (Azure: "Send cloud-to-device messages",
// message feedback).
type Feedback struct {
	MessageID  string    `json:"originalMessageId"`
	DeviceID   string    `json:"deviceId"`
	Generation string    `json:"deviceGenerationId"`
	At         time.Time `json:"enqueuedTimeUtc"`
	Status     string    `json:"statusCode"` // Success, Expired, DeliveryCountExceeded, Rejected, Purged
	Text       string    `json:"description"`
}

const success = "Success"

// Delivered reports whether the device has taken the message.
func (f Feedback) Delivered() bool { return f.Status == success }

// mostFeedback bounds a batch, in bytes; IoT Hub's have up to 64 records.
const mostFeedback = 1 << 20

// FollowFeedback hands each piece of feedback to seen until ctx ends, which is
// no error, or the connection does. ready is told once it is being read. The hub
// gives each piece to one reader: what belongs to others is taken from them.
func (c *Client) FollowFeedback(ctx context.Context, ready func(), seen func(Feedback)) error {
	host := c.config.Credential.HostName
	opening, cancel := context.WithTimeoutCause(ctx, within, errNoAnswer)
	defer cancel()
	l, err := c.config.connect(opening)
	if err != nil {
		return c.explain(opening, stepFeedback, host, err)
	}
	defer l.close()
	receiver, err := l.session.NewReceiver(opening, feedbackEndpoint, nil)
	if err != nil {
		return c.explain(opening, stepFeedback, host, err)
	}
	ready()
	for {
		batch, err := l.batch(ctx, receiver)
		for _, f := range batch {
			seen(f)
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return c.explain(ctx, stepFeedback, host, err)
		}
	}
}

// batch waits for the next one, and renews the token as long as it does.
func (l *link) batch(ctx context.Context, receiver *amqp.Receiver) ([]Feedback, error) {
	for {
		waiting, cancel := context.WithTimeout(ctx, max(time.Minute, time.Until(l.until)-renewBefore))
		m, err := receiver.Receive(waiting, nil)
		cancel()
		switch {
		case err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
			if err := l.show(ctx); err != nil {
				return nil, err
			}
			continue
		case err != nil:
			return nil, err
		}
		batch, err := parseFeedback(m.GetData())
		if err == nil {
			return batch, receiver.AcceptMessage(ctx, m)
		}
		return nil, errors.Join(err, receiver.RejectMessage(ctx, m, nil))
	}
}

// parseFeedback reads a batch.
func parseFeedback(text []byte) (batch []Feedback, err error) {
	if len(text) > mostFeedback {
		return nil, fmt.Errorf("a batch of %d bytes", len(text))
	}
	if err := json.Unmarshal(text, &batch); err != nil {
		return nil, record.NewFailure(record.RigCloud, "read", "feedback", err)
	}
	return batch, nil
}
