package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"hilrig/record"
)

// Client speaks to one hub.
type Client struct {
	path string
	http *http.Client
}

// Find is the one hub that runs by a state folder. None, or one that does not
// answer, is of class rig:hub; several are of class usage, with their sockets.
func Find(ctx context.Context, dir string) (*Client, error) {
	const step = "find"
	if info, err := os.Lstat(dir); err == nil && info != nil {
		if err := checkOwner(dir, os.ModeDir, 0o077); err != nil {
			return nil, record.NewFailure(record.RigHost, "trust", dir, err).WithCure(foreignCure)
		}
	}
	var living []*Client
	var abouts []string
	dead := 0
	for _, path := range sockets(dir) {
		c, err := Open(path)
		if err != nil {
			return nil, err
		}
		if !answers(path) {
			dead++
			continue
		}
		about, err := c.about(ctx, dialWithin)
		if err != nil {
			return nil, err
		}
		living = append(living, c)
		abouts = append(abouts, fmt.Sprintf("--control %s is %s (process %d)", path, about.Address, about.PID))
	}
	switch {
	case len(living) == 1:
		return living[0], nil
	case len(living) > 1:
		return nil, record.NewFailure(record.Usage, step, "the hub", fmt.Errorf("%d hubs run by %s", len(living), dir)).
			WithCure("say which: " + strings.Join(abouts, "; "))
	}
	why := "no hub runs by " + dir
	if dead > 0 {
		why += fmt.Sprintf(", %d that ran was killed", dead)
	}
	return nil, record.NewFailure(record.RigHub, step, "the hub", errors.New(why)).
		WithCure("start one: hilrig hub; or name the --state that it was started with")
}

// Open is the hub at a socket, which must be this user's.
func Open(path string) (*Client, error) {
	if err := checkOwner(path, os.ModeSocket, 0o077); err != nil {
		return nil, record.NewFailure(record.RigHost, "trust", path, err).WithCure("the socket that the hub's first line names as control is meant")
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		d := net.Dialer{Timeout: dialWithin}
		return d.DialContext(ctx, "unix", path)
	}
	return &Client{path: path, http: &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}}, nil
}

// About is what the hub says of itself.
func (c *Client) About(ctx context.Context) (About, error) { return c.about(ctx, answerWithin) }

func (c *Client) about(ctx context.Context, within time.Duration) (a About, err error) {
	err = c.do(ctx, within, http.MethodGet, "/about", nil, &a)
	return a, err
}

// Send sends a message to a device.
func (c *Client) Send(ctx context.Context, q Send) (a Sent, err error) {
	err = c.do(ctx, q.Wait+answerWithin, http.MethodPost, "/send", q, &a)
	return a, err
}

// Invoke calls a method of a device.
func (c *Client) Invoke(ctx context.Context, q Invoke) (a Invoked, err error) {
	err = c.do(ctx, q.Within+q.Connect+answerWithin, http.MethodPost, "/invoke", q, &a)
	return a, err
}

// Patch writes a device's twin.
func (c *Client) Patch(ctx context.Context, q Patch) (a Patched, err error) {
	err = c.do(ctx, answerWithin, http.MethodPost, "/patch", q, &a)
	return a, err
}

// Fault shows or lifts faults.
func (c *Client) Fault(ctx context.Context, q Show) (a []Shown, err error) {
	err = c.do(ctx, answerWithin, http.MethodPost, "/fault", q, &a)
	return a, err
}

// Faults are those that are shown.
func (c *Client) Faults(ctx context.Context) (a []Shown, err error) {
	err = c.do(ctx, answerWithin, http.MethodGet, "/faults", nil, &a)
	return a, err
}

// do asks the hub. What it refuses has the class that it gave.
func (c *Client) do(ctx context.Context, within time.Duration, method, path string, q, a any) error {
	failed := func(err error) error {
		return record.NewFailure(record.RigHub, "ask", "the hub at "+c.path, err).WithCure("does it still run?")
	}
	ctx, cancel := context.WithTimeoutCause(ctx, within, fmt.Errorf("no answer within %s", within))
	defer cancel()
	body, err := json.Marshal(q)
	if err != nil {
		return record.NewFailure(record.Usage, "write", "the request", err)
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://hub"+path, bytes.NewReader(body))
	if err != nil {
		return failed(err)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return failed(err)
	}
	defer func() { _ = resp.Body.Close() }() // only read
	d := json.NewDecoder(resp.Body)
	if resp.StatusCode == http.StatusOK {
		if err := d.Decode(a); err != nil {
			return failed(err)
		}
		return nil
	}
	var p problem
	if err := d.Decode(&p); err != nil || p.Class == "" {
		return failed(fmt.Errorf("HTTP %s", resp.Status))
	}
	var cause error
	if p.Cause != "" {
		cause = errors.New(p.Cause)
	}
	return record.NewFailure(p.Class, p.Step, p.Subject, cause).WithCure(p.Cure)
}
