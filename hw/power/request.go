package power

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"hilrig/record"
	"hilrig/record/labcommand"
	"hilrig/record/wording"
)

// Request is an HTTP request to a power controller.
type Request struct {
	Method string // empty: GET
	URL    string
	Header http.Header
	Body   string
	Expect *regexp.Regexp // what a good answer holds; nil: any of status 2xx
	Secret []string       // values that nothing shows
}

// mostAnswer is how much of an answer is read, and mostShown of one that is no
// good is shown.
const (
	mostAnswer = 64 << 10
	mostShown  = 200
)

// send gives the answer's body, which may hold secrets. A redirect is an answer that is no good:
// followed, it could carry a secret elsewhere.
func (r *Request) send(ctx context.Context, step string, within time.Duration) (said string, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, within, fmt.Errorf("no answer within %s", within))
	defer cancel()
	said, err = r.ask(ctx)
	if err == nil {
		return said, nil
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return "", record.NewFailure(record.RigPower, step, r.String(), err).WithCure("ask it by hand, with curl")
}

func (r *Request) ask(ctx context.Context) (string, error) {
	q, err := http.NewRequestWithContext(ctx, r.Method, r.URL, strings.NewReader(r.Body))
	if err != nil {
		return "", r.bare(err)
	}
	q.Header = r.Header.Clone()
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(q)
	if err != nil {
		return "", r.bare(err)
	}
	defer func() { _ = answer.Body.Close() }() // it was read
	body, err := io.ReadAll(io.LimitReader(answer.Body, mostAnswer))
	said := strings.TrimSpace(string(body))
	shown := func(text string) string { return wording.Clip(r.masked(text), mostShown) } // of a good one nothing is
	switch {
	case err != nil:
		return "", r.bare(err)
	case answer.StatusCode/100 != 2:
		return "", withOutput(fmt.Errorf("status %d%s", answer.StatusCode, shown(reason(answer))), shown(said))
	case r.Expect != nil && !r.Expect.MatchString(said):
		return "", withOutput(fmt.Errorf("the answer does not fit %s", r.Expect), shown(said))
	}
	return said, nil
}

// reachWithin bounds the trying of a server.
const reachWithin = 5 * time.Second

// reach tries whether the server takes connections, or the proxy that leads to
// it, and asks nothing.
func (r *Request) reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, reachWithin, fmt.Errorf("no connection within %s", reachWithin))
	defer cancel()
	err := r.dial(ctx)
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return record.NewFailure(record.RigPower, "reach power controller", r.String(), err).WithCure("is it on, and its address right? ask it by hand, with curl")
}

func (r *Request) dial(ctx context.Context) error {
	q, err := http.NewRequestWithContext(ctx, r.Method, r.URL, nil)
	if err != nil {
		return r.bare(err)
	}
	to := q.URL
	if proxy, err := http.ProxyFromEnvironment(q); err == nil && proxy != nil {
		to = proxy
	}
	name := cmp.Or(to.Port(), to.Scheme) // a scheme is the name of its port
	c, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(to.Hostname(), name))
	if err != nil {
		return r.bare(err)
	}
	return c.Close()
}

// reason is what an answer's status says behind its code, with the blank before it.
func reason(answer *http.Response) string {
	return strings.TrimPrefix(answer.Status, fmt.Sprint(answer.StatusCode))
}

var errNoURL = errors.New("its address is no URL")

// bare is an error without the address and what stands in it. Why an address
// cannot be read is told with pieces of it, at which no secret is known.
func (r *Request) bare(err error) error {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		if err = u.Err; u.Op == "parse" {
			return errNoURL
		}
	}
	return errors.New(r.masked(err.Error()))
}

func (r *Request) masked(text string) string { return labcommand.Masks(r.Secret...).Replace(text) }

// String names the server.
func (r *Request) String() string {
	u, err := url.Parse(r.URL)
	if err != nil || u.Host == "" {
		return "HTTP request"
	}
	return u.Scheme + "://" + u.Host
}
