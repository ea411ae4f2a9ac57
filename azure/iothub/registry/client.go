package registry

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"hilrig/azure/iothub/access"
	"hilrig/record"
)

// apiVersion is the stable one of the data plane.
const apiVersion = "2021-04-12"

// Bounds of a request.
const (
	tryWithin  = 10 * time.Second
	maxRetries = 3
	maxLost    = 1                // times that one is sent again because nothing came back
	maxWait    = 60 * time.Second // that a hub may ask for
	maxBody    = 16 << 20         // bytes: a page has 100 twins of 72 KiB
)

// Options say how the hub is reached. The zero value is the hub itself.
type Options struct {
	Network access.Network // Endpoint is HOST:PORT in place of the hub and 443
	Pause   time.Duration  // before a request is sent again, more with each; 0: half a second
	Log     *slog.Logger   // nil: none
}

// Client is a hub's registry. Use New, Close.
type Client struct {
	host     string
	base     string
	pause    time.Duration
	pipeline runtime.Pipeline
	idle     func()
}

// New makes a client. Nothing is sent yet.
func New(way access.Credential, o Options) *Client {
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	transport := o.Network.Transport(way.HostName)
	c := &Client{
		host: way.HostName, base: "https://" + cmp.Or(o.Network.Endpoint, way.HostName), pause: cmp.Or(o.Pause, 500*time.Millisecond),
		idle: transport.CloseIdleConnections,
	}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	c.pipeline = runtime.NewPipeline("hilrig", "1", runtime.PipelineOptions{PerRetry: []policy.Policy{way.Policy(), logging{o.Log}}},
		&policy.ClientOptions{Transport: bounded{client}})
	return c
}

// HostName is the hub's.
func (c *Client) HostName() string { return c.host }

// Close gives the connections back.
func (c *Client) Close() { c.idle() }

// bounded reads so much of an answer and no more.
type bounded struct{ client *http.Client }

func (b bounded) Do(r *http.Request) (*http.Response, error) {
	resp, err := b.client.Do(r)
	if err == nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, maxBody), resp.Body}
	}
	return resp, err
}

// logging notes each attempt: neither headers nor bodies.
type logging struct{ log *slog.Logger }

func (l logging) Do(r *policy.Request) (*http.Response, error) {
	began := time.Now()
	resp, err := r.Next()
	attrs := []any{"method", r.Raw().Method, "path", r.Raw().URL.EscapedPath(), "took", time.Since(began)}
	if err != nil {
		l.log.Debug("registry", append(attrs, "error", err)...)
		return resp, err
	}
	l.log.Debug("registry", append(attrs, "status", resp.StatusCode, "request", resp.Header.Get("x-ms-request-id"))...)
	return resp, err
}

// request is one of the hub's REST interface.
type request struct {
	step, subject string // for people: "create", "device d"
	method        string
	path          []string // unescaped
	etag          string   // If-Match; empty: none
	header        map[string]string
	body          any           // as JSON; nil: none
	within        time.Duration // of a try; 0: the usual
	once          bool          // it may have an effect each time that it is sent
}

// answer is what came back, with how.
type answer struct {
	header http.Header
	lost   bool // an earlier try may have been carried out too
}

// do sends a request until it is answered, and reads the answer into v.
func (c *Client) do(ctx context.Context, r request, v any) (answer, error) {
	t := &tries{ctx: ctx, once: r.once}
	within := r.within
	if within == 0 {
		within = tryWithin
	}
	ctx = policy.WithRetryOptions(ctx, policy.RetryOptions{
		MaxRetries: maxRetries, TryTimeout: within, RetryDelay: c.pause, MaxRetryDelay: maxWait, ShouldRetry: t.again,
	})
	req, err := c.request(ctx, r)
	if err != nil {
		return answer{}, record.NewFailure(record.Harness, r.step, r.subject, err)
	}
	resp, err := c.pipeline.Do(req)
	if err != nil {
		return answer{lost: t.lost}, c.unanswered(t, r, err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := runtime.Payload(resp)
	if err != nil {
		return answer{lost: t.lost}, c.unanswered(t, r, err)
	}
	a := answer{header: resp.Header, lost: t.lost}
	if resp.StatusCode/100 != 2 {
		return a, c.refused(r, errorOf(resp, body, time.Now()))
	}
	if v == nil {
		return a, nil
	}
	if err := json.Unmarshal(body, v); err != nil {
		return a, c.refused(r, strange(resp, fmt.Errorf("no JSON: %w", err)))
	}
	return a, nil
}

func (c *Client) request(ctx context.Context, r request) (*policy.Request, error) {
	at := c.base
	for _, segment := range r.path {
		at += "/" + url.PathEscape(segment)
	}
	req, err := runtime.NewRequest(ctx, r.method, at)
	if err != nil {
		return nil, err
	}
	raw := req.Raw()
	raw.Host = c.host
	raw.URL.RawQuery = "api-version=" + apiVersion
	raw.Header.Set("Accept", "application/json")
	if r.etag != "" {
		raw.Header.Set("If-Match", ifMatch(r.etag))
	}
	for name, value := range r.header {
		raw.Header.Set(name, value)
	}
	if r.body == nil {
		return req, nil
	}
	return req, runtime.MarshalAsJSON(req, r.body)
}

// AnyETag stands for whatever version there is.
const AnyETag = "*"

func ifMatch(etag string) string {
	if etag == AnyETag {
		return etag
	}
	return `"` + etag + `"`
}

// tries judges whether a request is sent again.
type tries struct {
	ctx    context.Context
	once   bool
	silent int
	lost   bool
	last   *Error // that is waited for
}

func (t *tries) again(resp *http.Response, err error) bool {
	if err != nil {
		_, cause := access.Explain("", err)
		before := errors.Is(cause, access.ErrRefused) || errors.Is(cause, access.ErrNoWay)
		after := errors.Is(cause, access.ErrCut) || errors.Is(cause, access.ErrSilent)
		t.silent++
		if !before && !after || t.once && after || t.silent > maxLost {
			return false
		}
		t.lost = t.lost || after
		return true
	}
	e := errorOf(resp, payload(resp), time.Now())
	throttled := e.Status == http.StatusTooManyRequests
	if !throttled && (e.Status < 500 || e.Status == http.StatusNotImplemented || t.once) {
		return false
	}
	if end, bounded := t.ctx.Deadline(); bounded && time.Now().Add(e.RetryAfter).After(end) {
		return false // the wait would be for nothing
	}
	t.last, t.lost = e, t.lost || !throttled
	return true
}

func payload(resp *http.Response) []byte {
	body, _ := runtime.Payload(resp) // it is here already
	return body
}
