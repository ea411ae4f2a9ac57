package events

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// wire is the connection to the endpoint. It knows when the endpoint was last
// heard of, and tells when it is over.
type wire struct {
	*tls.Conn
	heard atomic.Int64 // UnixNano of the last byte
	over  chan struct{}
	end   sync.Once

	mu  sync.Mutex
	err error
}

// dial opens TLS to the endpoint.
func (s *source) dial(ctx context.Context) (*wire, error) {
	conn, err := s.Network.AMQPS(ctx, s.namespace)
	if err != nil {
		return nil, err
	}
	w := &wire{Conn: conn, over: make(chan struct{})}
	w.heard.Store(time.Now().UnixNano())
	return w, nil
}

func (w *wire) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	if n > 0 {
		w.heard.Store(time.Now().UnixNano())
	}
	if err != nil {
		w.ended(err)
	}
	return n, err
}

func (w *wire) Close() error {
	w.ended(net.ErrClosed)
	return w.NetConn().Close() // without a last word, which could wait
}

func (w *wire) ended(err error) {
	w.end.Do(func() {
		w.mu.Lock()
		w.err = err
		w.mu.Unlock()
		close(w.over)
	})
}

// why is how it ended.
func (w *wire) why() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil || errors.Is(w.err, net.ErrClosed) {
		return errors.New("the connection was closed")
	}
	return w.err
}

func (w *wire) lastHeard() time.Time { return time.Unix(0, w.heard.Load()) }
