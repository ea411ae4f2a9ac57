package hub

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"time"
)

// Hub is what a device connects to. What more one can do is found by type
// assertion: see [Of].
type Hub interface {
	Events() *Events
	Letters() Letters // what it shows and can do
	Close(ctx context.Context) error
}

// Registry is a hub that knows devices by thumbprint. (R)
type Registry interface {
	Register(ctx context.Context, d Device) error // or replaces the one with its id
	Unregister(ctx context.Context, id string) error
	Lookup(ctx context.Context, id string) (d Device, known bool, err error)
}

// Sessions is a hub that ends a device's session. (D)
type Sessions interface {
	// Drop ends the living session without a word to the device; false where there is none.
	Drop(id string) bool
}

// Link is a hub behind a link that can be made bad, or that is away for a
// while. (N)
type Link interface {
	Reset(id string) bool         // ends the living session by a TCP reset; false where there is none
	Silence(id string) bool       // nothing gets through to or from the living session any more
	Down()                        // refuses connections and cuts those there are
	Up(ctx context.Context) error // takes connections again
}

// Faults is a hub that shows faults. (L; those of the link alone: N)
type Faults interface {
	Show(f Fault, times int) Showing // so many times, or until lifted where times is 0
	Showing() bool                   // reports whether any fault is shown at present
}

// Showing is a fault while it is shown.
type Showing interface {
	Lift()      // ends it; more than once is no error
	Count() int // how often it was shown
}

// Cloud is a hub that speaks to the device. (S)
type Cloud interface {
	SendToDevice(id string, m DeviceBound) error
	Purge(id string) int // takes back what waits for the device; how many that were
	PatchDesired(id string, patch []byte) (Twin, error)
	Invoke(ctx context.Context, id, method string, payload []byte, within time.Duration) (status int, body []byte, err error)
}

// Feedback is a hub that says what became of a message to the device. (B)
type Feedback interface {
	// Became waits until the hub says it: taken, or why it was not.
	Became(ctx context.Context, id, message string) (taken bool, why string, err error)
}

// Packets is a hub that sees and sends single MQTT packets. (K)
type Packets interface {
	Serves(id, filter string) bool        // reports whether a SUBACK for it is out
	Excuse(id string)                     // the device owes nothing from earlier connections: its power was cut
	Push(id string, payload []byte) error // a message at QoS 0, without an answer
}

// Rooted is a hub with a certificate of its own: a device gets its root, and not
// the rig's.
type Rooted interface {
	Root() []byte                                // PEM
	Chain(ctx context.Context) ([][]byte, error) // that it presents to a device: DER, its own certificate first
}

// Impersonator is a hub that connects as the device to end its session: it must
// be told which identity the device is to hold.
type Impersonator interface {
	Hold(id tls.Certificate)
}

// Hearing is a hub that may have gone deaf and not know it yet.
type Hearing interface {
	// StillHears makes sure that messages still come. Where they do not that is a
	// gap of the events when it returns.
	StillHears(ctx context.Context)
}

// Abilities is a hub with all that it can do. What it cannot do is nil: a spec
// that asks for it says so in its needs, and is not run here.
type Abilities struct {
	Hub
	Registry
	Sessions
	Link
	Faults
	Cloud
	Feedback
	Packets
	Rooted
	Impersonator
	Hearing
}

// Fronting is a hub in front of another one: what it cannot do itself the one
// behind it may.
type Fronting interface {
	Behind() Hub
}

// Of finds out what a hub can do.
func Of(h Hub) Abilities {
	return Abilities{
		Hub:          h,
		Registry:     ability[Registry](h),
		Sessions:     ability[Sessions](h),
		Link:         ability[Link](h),
		Faults:       ability[Faults](h),
		Cloud:        ability[Cloud](h),
		Feedback:     ability[Feedback](h),
		Packets:      ability[Packets](h),
		Rooted:       ability[Rooted](h),
		Impersonator: ability[Impersonator](h),
		Hearing:      ability[Hearing](h),
	}
}

// ability is what a hub can do, or one behind it; nil where none can.
func ability[A any](h Hub) (a A) {
	for h != nil {
		if a, can := h.(A); can {
			return a
		}
		front, is := h.(Fronting)
		if !is {
			break
		}
		h = front.Behind()
	}
	return a
}

// Setup is what a bench gives to whoever opens a hub for it.
type Setup struct {
	Host        string                                             // the name that the device dials, where the hub is in this process
	DeviceID    string                                             // of the one device that the hub is for
	Listen      string                                             // HOST:PORT where the hub is in this process; port 0 takes a free one
	Certificate func(ctx context.Context) (tls.Certificate, error) // the rig's for Host, for a hub in this process
	UserName    string                                             // that the device is to use; empty: each form that IoT Hub takes
	Password    string                                             // that it uses where it has one
	ClientID    string                                             // of its MQTT parameters, filled in, as are the topics
	Topic       string                                             // that telemetry comes on
	ReadTopic   string                                             // filter that the device subscribes
	Identity    *tls.Certificate                                   // the device's own, where nobody may give it another
	Beside      []string                                           // client ids of other boards that dial from the device's own address
	Rig, Run    string                                             // who asks: marks what is made for it
	Until       time.Time                                          // when the run is over at the latest
	StateDir    string                                             // for what must outlive this process
	Env         []string                                           // of commands of the lab; nil is this process's own
	Bind        Bind                                               // nil: a port of its own
	Feed        io.ReadCloser                                      // what arrives for the device, of who reads the hub for the whole run; nil: the hub is read by who opens it
	Log         *slog.Logger
}

// Bind listens at HOST:PORT for a hub that shares a port with others. A port of
// its own has nothing there: what is refused at a shared one was accepted, and is
// reset before a byte.
type Bind func(ctx context.Context, address string) (net.Listener, error)

// Listen listens at an address, by a bind or at a port of its own.
func (b Bind) Listen(ctx context.Context, address string) (net.Listener, error) {
	if b != nil {
		return b(ctx, address)
	}
	var lc net.ListenConfig
	return lc.Listen(ctx, "tcp", address)
}

// Refusal says what a device meets whose hub is away.
func (b Bind) Refusal() string {
	if b != nil {
		return "it shares its port: a connection is accepted and reset before a byte"
	}
	return "its port closed"
}

// Open opens a hub. address is where the device reaches it: HOST:PORT, the host
// being the name that it dials.
type Open func(ctx context.Context, s Setup) (h Hub, address string, err error)
