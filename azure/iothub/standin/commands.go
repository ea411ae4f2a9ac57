package standin

import "time"

// Event is a message of a device that has arrived.
type Event struct {
	Device      string            `json:"device"`
	Body        []byte            `json:"body"`
	Properties  map[string]string `json:"properties,omitempty"`
	System      map[string]string `json:"system,omitempty"`      // of AMQP, by rhea's names: message_id, content_type, …
	Annotations map[string]any    `json:"annotations,omitempty"` // in place of the hub's own
	Generation  string            `json:"generation,omitempty"`
	Auth        string            `json:"auth,omitempty"`     // auth method; empty: X.509
	Source      string            `json:"source,omitempty"`   // empty: Telemetry
	Enqueued    *time.Time        `json:"enqueued,omitempty"` // nil: now
	Partition   *int              `json:"partition,omitempty"`
}

// Seen is a line of the script: one of its fields is set.
type Seen struct {
	Listening  int       `json:"listening"` // port
	Done       int       `json:"done"`
	Connection string    `json:"connection"` // opened, closed
	Token      *Token    `json:"token"`
	Attached   *Attached `json:"attached"`
	Sent       *Sent     `json:"sent"`
}

// Token is a token that was judged.
type Token struct {
	Audience string `json:"audience"`
	Type     string `json:"type"`
	Code     int    `json:"code"`
}

// Attached is a link that was taken.
type Attached struct {
	Address string `json:"address"`
	Filter  string `json:"filter"`
}

// Sent is a message to a device.
type Sent struct {
	Device     string            `json:"device"`
	To         string            `json:"to"`
	ID         string            `json:"id"`
	Ack        string            `json:"ack"`
	Expiry     time.Time         `json:"expiry"`
	Properties map[string]string `json:"properties"`
	Body       []byte            `json:"body"`
}

// Feedback is what became of a message to a device.
type Feedback struct {
	MessageID  string    `json:"originalMessageId"`
	Generation string    `json:"deviceGenerationId"`
	Device     string    `json:"deviceId"`
	At         time.Time `json:"enqueuedTimeUtc"`
	Status     string    `json:"statusCode"` // Success, Expired, DeliveryCountExceeded, Rejected, Purged
	Text       string    `json:"description"`
}

// Arrive has events arrive, and returns when they are there to be read.
func (e *Endpoint) Arrive(events ...Event) { e.t.Helper(); e.command("events", events) }

// Feedback gives a batch to whoever reads it.
func (e *Endpoint) Feedback(batch ...Feedback) { e.t.Helper(); e.command("feedback", batch) }

// Refuse refuses links whose address holds part, so many times or until
// [Endpoint.Heal] where times is 0.
func (e *Endpoint) Refuse(part, condition, description string, times int) {
	e.t.Helper()
	e.command("refuse", map[string]any{"on": part, "condition": condition, "description": description, "times": times})
}

// Unauthorized answers every token so, until [Endpoint.Heal].
func (e *Endpoint) Unauthorized(code int, description string) {
	e.t.Helper()
	e.command("token", map[string]any{"code": code, "description": description})
}

// Heal ends the faults of links and tokens.
func (e *Endpoint) Heal() { e.t.Helper(); e.command("heal", true) }

// Detach ends the links of those who read events.
func (e *Endpoint) Detach(condition, description string) {
	e.t.Helper()
	e.command("detach", map[string]any{"condition": condition, "description": description})
}

// Cut ends all connections without a word.
func (e *Endpoint) Cut() { e.t.Helper(); e.command("cut", true) }

// Hang has it do nothing for a while: connections stay, and nobody answers.
func (e *Endpoint) Hang(d time.Duration) { e.t.Helper(); e.command("hang", d.Milliseconds()) }

// Down ends all connections and takes none.
func (e *Endpoint) Down() { e.t.Helper(); e.command("down", true) }

// Up takes connections again.
func (e *Endpoint) Up() { e.t.Helper(); e.command("up", true) }

// AwaitSent is the next message to a device.
func (e *Endpoint) AwaitSent() Sent {
	e.t.Helper()
	return *e.Await("message to a device", func(s Seen) bool { return s.Sent != nil }).Sent
}
