package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"hilrig/azure/hub"
	"hilrig/azure/localhub"
	"hilrig/record"
)

// Bounds of what a request may cost.
const (
	maxBody      = 1 << 20 // bytes; the largest is a message of 64 kB in base64
	maxWait      = time.Hour
	backWithin   = 4 * time.Second  // for a hub that was away to have its port again
	answerWithin = 30 * time.Second // beyond what the request itself waits for
)

// Config says what hub to speak for.
type Config struct {
	Dir     string // of the sockets: [Dir]
	Address string // what devices dial
	Hub     *localhub.Hub
	More    []Fault                                                   // names that Make knows
	Make    func(ctx context.Context, name string) (hub.Fault, error) // of those
	Log     *slog.Logger                                              // nil: none
}

// Server listens at the socket. Use Listen, Close.
type Server struct {
	config Config
	path   string
	http   *http.Server
	done   chan struct{}
	turn   chan struct{} // holds a value while the hub goes away or comes back

	mu    sync.Mutex
	shown []*showing // in the order of showing; those that are over go at the next look
}

type showing struct {
	Shown
	s hub.Showing // nil: the hub is away
}

// Listen makes the socket, and serves until Close. Failures are of class
// rig:host.
func Listen(ctx context.Context, c Config) (*Server, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	l, path, err := bind(ctx, c.Dir)
	if err != nil {
		return nil, err
	}
	s := &Server{config: c, path: path, done: make(chan struct{}), turn: make(chan struct{}, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /about", func(w http.ResponseWriter, _ *http.Request) { s.answer(w, s.about(), nil) })
	mux.HandleFunc("GET /faults", func(w http.ResponseWriter, _ *http.Request) { s.answer(w, s.faults(), nil) })
	handle(mux, s, "POST /send", s.send)
	handle(mux, s, "POST /invoke", s.invoke)
	handle(mux, s, "POST /patch", s.patch)
	handle(mux, s, "POST /fault", s.fault)
	s.http = &http.Server{
		Handler: mux, ReadTimeout: answerWithin, IdleTimeout: answerWithin, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(c.Log.Handler(), slog.LevelDebug),
	}
	go func() {
		defer close(s.done)
		if err := s.http.Serve(owners{l, c.Log}); !errors.Is(err, http.ErrServerClosed) {
			c.Log.Warn("hub's control socket", "error", err)
		}
	}()
	return s, nil
}

// Path is the socket's.
func (s *Server) Path() string { return s.path }

// Close takes the socket away and ends what is under way.
func (s *Server) Close() error {
	err := s.http.Close()
	<-s.done
	return err
}

// owners are the connections of this user, and of root.
type owners struct {
	net.Listener
	log *slog.Logger
}

func (o owners) Accept() (net.Conn, error) {
	for {
		c, err := o.Listener.Accept()
		if err != nil {
			return nil, err
		}
		why := checkPeer(c)
		if why == nil {
			return c, nil
		}
		o.log.Warn("hub's control socket: somebody else was refused", "why", why)
		_ = c.Close()
	}
}

// handle reads a request and writes its answer.
func handle[Q, A any](mux *http.ServeMux, s *Server, pattern string, do func(context.Context, Q) (A, error)) {
	mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		var q Q
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&q); err != nil {
			s.answer(w, nil, record.NewFailure(record.Usage, "read", "the request", err))
			return
		}
		a, err := do(r.Context(), q)
		s.answer(w, a, err)
	})
}

func (s *Server) answer(w http.ResponseWriter, a any, err error) {
	status := http.StatusOK
	if err != nil {
		status, a = http.StatusUnprocessableEntity, problemOf(err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	if err := e.Encode(a); err != nil {
		s.config.Log.Debug("hub's control socket", "error", err)
	}
}

func problemOf(err error) problem {
	p := problem{Class: record.ClassOf(err), Cause: err.Error()}
	if f := (*record.Failure)(nil); errors.As(err, &f) {
		p.Step, p.Subject, p.Cure, p.Cause = f.Step, f.Subject, f.Cure, ""
		if f.Cause != nil {
			p.Cause = f.Cause.Error()
		}
	}
	return p
}

func (s *Server) about() About {
	a := About{Address: s.config.Address, PID: os.Getpid(), Devices: []Device{}}
	for _, d := range s.config.Hub.Devices() {
		a.Devices = append(a.Devices, Device{ID: d.ID, Connected: s.config.Hub.Connected(d.ID), Waiting: s.config.Hub.Pending(d.ID)})
	}
	return a
}

func (s *Server) send(ctx context.Context, q Send) (Sent, error) {
	h := s.config.Hub
	if err := s.named(q.Device, "send a message to"); err != nil {
		return Sent{}, err
	}
	if q.ID == "" {
		q.ID = fmt.Sprintf("hand-%d", time.Now().UnixNano())
	}
	if err := h.SendToDevice(q.Device, messageOf(q)); err != nil {
		return Sent{}, err
	}
	a := Sent{ID: q.ID}
	if q.Wait > 0 {
		within, cancel := context.WithTimeout(ctx, min(q.Wait, maxWait))
		defer cancel()
		a.Completed = h.AwaitCompleted(within, q.Device, q.ID)
	}
	a.Connected, a.Waiting = h.Connected(q.Device), h.Pending(q.Device)
	return a, nil
}

func (s *Server) invoke(ctx context.Context, q Invoke) (Invoked, error) {
	if err := s.named(q.Device, "call method "+q.Method+" of"); err != nil {
		return Invoked{}, err
	}
	if q.Connect > 0 {
		s.config.Hub.AwaitMethods(ctx, q.Device, min(q.Connect, maxWait)) // Invoke says who is not there
	}
	status, body, err := s.config.Hub.Invoke(ctx, q.Device, q.Method, q.Payload, min(q.Within, maxWait))
	if err != nil {
		return Invoked{}, err
	}
	if len(body) == 0 {
		body = []byte("null")
	}
	if !json.Valid(body) {
		return Invoked{}, record.NewFailure(record.ClassDevice, "read the answer of", q.Device, fmt.Errorf("status %d, and %d bytes that are not JSON", status, len(body)))
	}
	return Invoked{status, body}, nil
}

func (s *Server) patch(_ context.Context, q Patch) (Patched, error) {
	if err := s.named(q.Device, "write the twin of"); err != nil {
		return Patched{}, err
	}
	t, err := s.config.Hub.WriteTwin(q.Device, localhub.TwinChange{Desired: q.Desired, Tags: q.Tags, Replace: q.Replace})
	if err != nil {
		return Patched{}, err
	}
	return Patched{Version: t.Version, Connected: s.config.Hub.Connected(q.Device), Tags: t.Tags, Desired: t.Desired, Reported: t.Reported}, nil
}

// named says which devices there are, where one is named that is not.
func (s *Server) named(device, step string) error {
	if _, known := s.config.Hub.Lookup(device); known {
		return nil
	}
	var ids []string
	for _, d := range s.config.Hub.Devices() {
		ids = append(ids, d.ID)
	}
	f := record.NewFailure(record.Usage, step, device, errors.New("no such device is registered with this hub"))
	if len(ids) == 0 {
		return f.WithCure("it has none: hilrig hub --device ID=THUMBPRINT")
	}
	return f.WithCure("it has " + strings.Join(ids, ", "))
}
