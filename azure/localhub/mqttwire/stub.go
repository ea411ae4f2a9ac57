package mqttwire

import "time"

// Splitter cuts a byte stream into control packets. One direction of one
// connection has one. Not safe for concurrent use.
type Splitter struct{ now func() time.Time }

// NewSplitter makes a Splitter that keeps packets whole up to maxPacket bytes
// (0: DefaultMaxPacket). now gives the moments; nil is time.Now.
func NewSplitter(maxPacket int, now func() time.Time) *Splitter { return &Splitter{now: now} }

// Feed takes the next bytes of the stream and returns the packets that they
// complete. A packet over the limit is returned, Truncated, as soon as the
// limit is reached, and its rest is skipped. After an error, nothing more.
func (s *Splitter) Feed(b []byte) []Frame { return nil }

// Err says why the stream can no longer be cut: a remaining length of more
// than four bytes. nil while it can.
func (s *Splitter) Err() error { return nil }

// Pending is how many bytes of an unfinished packet have come.
func (s *Splitter) Pending() int { return 0 }

func lengthBytes(remaining int) int { return 1 }

// Redacted is a copy of Raw in which the bytes of a CONNECT's password are
// replaced by '*': the only form in which a frame may be recorded.
func (f Frame) Redacted() []byte { return nil }

// Decode reads a frame and says which statements it breaks by itself.
// fromClient says who sent it; only a client is blamed.
func Decode(f Frame, fromClient bool) (Packet, []Violation) { return Packet{}, nil }

// Sessions remembers across connections what a client left unacknowledged, by
// client id. The Checkers of one hub share one. Safe for concurrent use.
type Sessions struct{}

// NewSessions makes an empty memory.
func NewSessions() *Sessions { return &Sessions{} }

// Excuse forgets what clientID owes from earlier connections: its power was
// cut, or it was given another identity.
func (s *Sessions) Excuse(clientID string) {}

// Checker judges the client of one connection. Safe for concurrent use, though
// packets must be fed in the order in which they were on the wire.
type Checker struct{}

// NewChecker makes the Checker of a new connection. sessions may be nil: then
// nothing is carried over.
func NewChecker(sessions *Sessions) *Checker { return &Checker{} }

// Feed decodes the next frame and judges it. A frame of the server must be fed
// before it is written, else the client's answer to it may come first.
func (c *Checker) Feed(f Frame, fromClient bool) (Packet, []Violation) { return Packet{}, nil }

// Broken records that the client's stream could not be cut any further
// (Splitter.Err).
func (c *Checker) Broken(err error, at time.Time) []Violation { return nil }

// End closes the books at the end of the connection. byClient says that the
// client closed it.
func (c *Checker) End(at time.Time, byClient bool) []Violation { return nil }

// Violations are all so far.
func (c *Checker) Violations() []Violation { return nil }

// Connack encodes a CONNACK.
func Connack(returnCode byte, sessionPresent bool) []byte { return nil }

// Pingresp encodes a PINGRESP.
func Pingresp() []byte { return nil }

// Puback encodes a PUBACK.
func Puback(id uint16) []byte { return nil }

// Suback encodes a SUBACK.
func Suback(id uint16, returnCodes ...byte) []byte { return nil }

// Publish encodes a PUBLISH from its Topic, Payload, QoS, ID, Dup and Retain.
func Publish(p Packet) []byte { return nil }
