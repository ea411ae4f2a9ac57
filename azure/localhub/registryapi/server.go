package registryapi

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"hilrig/azure/hub"
	"hilrig/azure/localhub"
	"hilrig/record"
)

// Devices is the hub's registry.
type Devices interface {
	Devices() []hub.Device
	Lookup(id string) (hub.Device, bool)
	Register(hub.Device)
	Unregister(id string)
}

// Sessions are the devices' connections.
type Sessions interface {
	Connected(id string) bool
	Drop(id string) bool
	Pending(id string) int // cloud-to-device messages
	Purge(id string) int
}

// Twins are the devices' twins and methods. Errors wrap a [localhub.Refusal].
type Twins interface {
	Twin(deviceID string) (hub.Twin, bool)
	WriteTwin(deviceID string, change localhub.TwinChange) (hub.Twin, error)
	AwaitMethods(ctx context.Context, deviceID string, within time.Duration) bool
	Invoke(ctx context.Context, deviceID, method string, payload []byte, timeout time.Duration) (status int, body []byte, err error)
}

// Hub is what the registry is of: a [localhub.Hub].
type Hub interface {
	Devices
	Sessions
	Twins
}

// Config says what registry to be.
type Config struct {
	Host        string // the hub's name, which tokens are for
	Hub         Hub
	Key         Key
	Certificate tls.Certificate
	QueryDelay  time.Duration    // until a query finds a device that was registered here; 0: at once. IoT Hub was recorded with 6 s
	Seen        func(Exchange)   // called after each request, at once from several goroutines; may be nil
	Now         func() time.Time // nil: the clock
	Log         *slog.Logger     // nil: none
}

// Exchange is a request and how it was answered. It holds no token and no body.
type Exchange struct {
	Remote, Method, Path string
	Status               int
	Code                 string // IoT Hub's name of the error; empty where there is none
	Why                  string // in words
}

// Bounds of what a request may cost.
const (
	maxBody        = 256 << 10 // bytes; a method's payload has 128 KiB, a section of a twin 32
	maxHeader      = 16 << 10  // bytes
	maxConnections = 256
	maxInFlight    = 64     // requests; more are throttled
	maxDevices     = 10_000 // registered; IoT Hub's limit is a million
	headerWithin   = 10 * time.Second
	requestWithin  = 30 * time.Second
	idleWithin     = 60 * time.Second
)

// Server is the registry. Use New, Listen, Close.
type Server struct {
	config   Config
	metadata *metadata
	inFlight chan struct{}
	conns    atomic.Int64
	http     *http.Server

	mu      sync.Mutex
	closing bool
	running sync.WaitGroup // what serves and what is under way; none is added once it is closing
}

// New makes a registry that does not listen yet.
func New(c Config) *Server {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	s := &Server{config: c, metadata: newMetadata(c.Hub, c.Now), inFlight: make(chan struct{}, maxInFlight)}
	s.http = &http.Server{
		Handler: s, MaxHeaderBytes: maxHeader,
		ReadHeaderTimeout: headerWithin, ReadTimeout: requestWithin, WriteTimeout: requestWithin, IdleTimeout: idleWithin,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{c.Certificate}, MinVersion: tls.VersionTLS12},
		ConnState: s.count,
		ErrorLog:  slog.NewLogLogger(c.Log.Handler(), slog.LevelDebug), // strangers' failed handshakes
	}
	return s
}

// count keeps strangers from taking every descriptor.
func (s *Server) count(c net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		if s.conns.Add(1) > maxConnections {
			_ = c.Close()
		}
	case http.StateClosed, http.StateHijacked:
		s.conns.Add(-1)
	}
}

// Listen binds addr ("127.0.0.1:0" for a free port) and serves HTTPS until
// Close or the end of ctx, with which requests under way end too.
func (s *Server) Listen(ctx context.Context, addr string) (net.Addr, error) {
	if err := CheckAddress(addr); err != nil {
		return nil, err
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, refusedAddress(addr, err)
	}
	s.http.BaseContext = func(net.Listener) context.Context { return ctx }
	if !s.begin() {
		return nil, errors.Join(record.NewFailure(record.Harness, "listen on", addr, http.ErrServerClosed), l.Close())
	}
	stop := context.AfterFunc(ctx, func() { _ = s.http.Close() })
	go func() {
		defer s.running.Done()
		defer stop()
		if err := s.http.ServeTLS(l, "", ""); !errors.Is(err, http.ErrServerClosed) {
			s.config.Log.Warn("device registry", "error", err)
		}
	}()
	return l.Addr(), nil
}

// begin counts one more that Close waits for; false once it is closing.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.running.Add(1)
	return true
}

// CheckAddress says what keeps addr from being one to listen at; of class
// usage.
func CheckAddress(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err == nil {
		return nil
	}
	return record.NewFailure(record.Usage, "listen on", addr, err).WithCure("HOST:PORT of this machine is meant, or :PORT")
}

// refusedAddress says whose fault it is that nothing can listen there: a port
// that is taken is the rig's, an address that is none is the user's.
func refusedAddress(addr string, err error) error {
	var op *net.OpError
	cause := err
	if errors.As(err, &op) {
		cause = op.Err
	}
	var dns *net.DNSError
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return record.NewFailure(record.RigHub, "listen on", addr, cause).
			WithCure("the port is taken: another hub, or another server? ss -ltnp shows it; give the registry another port")
	case errors.Is(err, syscall.EACCES):
		return record.NewFailure(record.RigHub, "listen on", addr, cause).
			WithCure("ports below 1024 need a right: give the registry another port, or setcap cap_net_bind_service=+ep to hilrig")
	case errors.As(err, &dns), errors.Is(err, syscall.EADDRNOTAVAIL):
		return record.NewFailure(record.Usage, "listen on", addr, cause).WithCure("HOST:PORT of this machine is meant, or :PORT")
	}
	return record.NewFailure(record.RigHub, "listen on", addr, cause)
}

// Close stops listening, cuts what is under way and waits for its end, as long
// as ctx allows.
func (s *Server) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closing = true
	s.mu.Unlock()
	err := s.http.Close()
	done := make(chan struct{})
	go func() { s.running.Wait(); close(done) }()
	select {
	case <-done:
		return err
	case <-ctx.Done():
		return record.NewFailure(record.Harness, "close", "device registry", context.Cause(ctx))
	}
}
