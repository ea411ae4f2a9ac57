package hub

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"hilrig/azure/localhub"
	"hilrig/azure/localhub/registryapi"
	"hilrig/record"
)

// openRegistry is the device registry of `hilrig hub`; nil where there is none.
type openRegistry struct {
	server *registryapi.Server
	said   registryReady
}

// registryReady is what the first line says of the registry: where it is, and
// the file with its connection string. The secret itself is never printed.
type registryReady struct {
	Registry   string `json:"registry,omitempty"`
	Connection string `json:"connection_string_file,omitempty"`
}

// checkQueryDelay refuses a delay that would count for nothing.
func checkQueryDelay(f *flags) error {
	switch {
	case f.queryDelay < 0:
		return record.NewFailure(record.Usage, "read", "--query-delay "+f.queryDelay.String(), errors.New("a delay is not negative")).
			WithCure("6s is what the cloud was recorded with")
	case f.queryDelay > 0 && f.registry == "":
		return record.NewFailure(record.Usage, "read", "--query-delay "+f.queryDelay.String(), errors.New("only the device registry has queries")).
			WithCure("add --registry :8443")
	}
	return nil
}

// openRegistry serves the registry of a hub until close.
func (a verbs) openRegistry(ctx context.Context, f *flags, dir string, h *localhub.Hub, server tls.Certificate, out *printer) (*openRegistry, error) {
	key, err := registryapi.OpenKey(ctx, dir)
	if err != nil {
		return nil, err
	}
	s := registryapi.New(registryapi.Config{Host: f.host, Hub: h, Key: key, Certificate: server, QueryDelay: f.queryDelay, Seen: out.exchange, Log: a.Log})
	addr, err := s.Listen(ctx, f.registry)
	if err != nil {
		return nil, err
	}
	r := &openRegistry{server: s}
	file, err := key.WriteConnectionString(dir, f.host, addr)
	if err != nil {
		return r, err
	}
	r.said = registryReady{Registry: registryURL(f.host, addr), Connection: file}
	return r, nil
}

func (r *openRegistry) ready() registryReady {
	if r == nil {
		return registryReady{}
	}
	return r.said
}

func (r *openRegistry) close(ctx context.Context) error {
	if r == nil {
		return nil
	}
	return r.server.Close(ctx)
}

func registryURL(host string, addr net.Addr) string { return "https://" + dialAddress(host, addr) }

// registryLine is a request to the registry as `hilrig hub` prints it.
type registryLine struct {
	Event  string    `json:"event"`
	At     time.Time `json:"at"`
	Remote string    `json:"remote"`
	Text   string    `json:"text"`
	Status int       `json:"status"`
	Code   string    `json:"code,omitempty"`
}

// exchange prints a request. It waits while another line is written, the first
// one too.
func (p *printer) exchange(x registryapi.Exchange) {
	l := registryLine{
		Event: "registry", At: time.Now().UTC().Round(0), Remote: x.Remote, Status: x.Status, Code: x.Code,
		Text: fmt.Sprintf("%s %s: %d", x.Method, x.Path, x.Status),
	}
	if x.Why != "" {
		l.Text += ", " + x.Why
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.enc.Encode(l)
}
