package power_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hilrig/hw/power"
	"hilrig/record"
)

// outlet is a power controller with one outlet, as many are: it is told by one
// address and asked at another, and each switching takes as many questions to
// come true.
type outlet struct {
	on    atomic.Bool
	late  int32
	asked atomic.Int32
	seen  atomic.Pointer[http.Request]
	body  atomic.Pointer[string]
}

func (o *outlet) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	o.seen.Store(q.Clone(context.Background()))
	body, _ := io.ReadAll(q.Body)
	text := string(body)
	o.body.Store(&text)
	switch q.URL.Path {
	case "/on", "/off":
		o.on.Store(q.URL.Path == "/on")
		o.asked.Store(0)
		_, _ = io.WriteString(w, "OK accepted request\n")
	case "/state":
		is := o.on.Load()
		if o.asked.Add(1) <= o.late {
			is = !is
		}
		_, _ = io.WriteString(w, map[bool]string{true: `{"ison":true}`, false: `{"ison":false}`}[is])
	case "/away":
		http.Redirect(w, q, "/on", http.StatusFound)
	case "/echo":
		http.Error(w, "no such key "+q.Header.Get("X-Key"), http.StatusForbidden)
	case "/hangs":
		<-q.Context().Done()
	}
}

func served(t *testing.T, o *outlet) string {
	t.Helper()
	s := httptest.NewServer(o)
	t.Cleanup(s.Close)
	return s.URL
}

func get(url string) power.Action { return power.Action{Request: &power.Request{URL: url}} }

func TestPowerIsSwitchedByRequests(t *testing.T) {
	t.Parallel()
	o := &outlet{}
	at := served(t, o)
	on := power.Action{Request: &power.Request{
		Method: "POST", URL: at + "/on", Header: http.Header{"X-Key": {"hunter2"}}, Body: `{"port":3}`, Expect: regexp.MustCompile("accepted"),
	}}
	c := power.Commands{TurnOn: on, TurnOff: get(at + "/off")}
	if err := c.On(t.Context()); err != nil || !o.on.Load() {
		t.Fatalf("on: %v, %v", o.on.Load(), err)
	}
	if q := o.seen.Load(); q.Method != "POST" || q.Header.Get("X-Key") != "hunter2" || *o.body.Load() != `{"port":3}` {
		t.Errorf("%s %v %s", q.Method, q.Header, *o.body.Load())
	}
	if err := c.Off(t.Context()); err != nil || o.on.Load() {
		t.Fatalf("off: %v, %v", !o.on.Load(), err)
	}
	if _, known, err := c.IsOn(t.Context()); known || err != nil {
		t.Errorf("what cannot be read back is known: %v", err)
	}
}

// What is told is not believed where it can be asked: the switch may stand
// behind a queue.
func TestPowerIsReadBack(t *testing.T) {
	t.Parallel()
	o := &outlet{late: 2}
	at := served(t, o)
	state := &power.State{Ask: get(at + "/state"), OnText: regexp.MustCompile(`"ison":true`)}
	c := power.Commands{TurnOn: get(at + "/on"), TurnOff: get(at + "/off"), State: state}
	if err := c.On(t.Context()); err != nil || o.asked.Load() != 3 {
		t.Fatalf("on: %v after %d questions", err, o.asked.Load())
	}
	if on, known, err := c.IsOn(t.Context()); !on || !known || err != nil {
		t.Errorf("on %v, known %v: %v", on, known, err)
	}
	stuck := power.Commands{TurnOn: get(at + "/on"), TurnOff: get(at + "/state"), State: state, Within: 300 * time.Millisecond}
	if err := stuck.Off(t.Context()); record.ClassOf(err) != record.RigPower || !strings.Contains(err.Error(), "power.state says on still") {
		t.Errorf("a switch that does not switch: %v", err)
	}
}

// A request that fails is the rig's trouble, and shows no secret.
func TestARequestThatFailsIsTheRigs(t *testing.T) {
	t.Parallel()
	at := served(t, &outlet{})
	secret := func(path string) power.Request {
		return power.Request{URL: at + path, Header: http.Header{"X-Key": {"hunter2"}}, Secret: []string{"hunter2"}}
	}
	for name, c := range map[string]struct {
		change func(*power.Request)
		path   string
		says   string
	}{
		"no server":            {func(r *power.Request) { r.URL = "http://127.0.0.1:1/on" }, "", "connection refused"},
		"refused":              {func(*power.Request) {}, "/echo", "403 Forbidden: no such key ***"},
		"another answer":       {func(r *power.Request) { r.Expect = regexp.MustCompile("^done$") }, "/on", "does not fit ^done$: OK accepted request"},
		"a redirect":           {func(*power.Request) {}, "/away", "302 Found"},
		"no answer":            {func(*power.Request) {}, "/hangs", "no answer within 300ms"},
		"secrets alike":        {func(r *power.Request) { r.Secret = []string{"", "hunter", "hunter2"} }, "/echo", "no such key ***"},
		"a secret in the path": {func(r *power.Request) { r.URL = "http://127.0.0.1:1/hunter2" }, "", "connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := secret(c.path)
			c.change(&r)
			err := power.Commands{TurnOff: power.Action{Request: &r}, Within: 300 * time.Millisecond}.Off(t.Context())
			if record.ClassOf(err) != record.RigPower || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "***2") {
				t.Errorf("%v, want %q", err, c.says)
			}
		})
	}
}

// What is read back is looked at as it stands: a secret may be in it, by chance
// or because the controller repeats it.
func TestAnAnswerIsJudgedAsItStands(t *testing.T) {
	t.Parallel()
	at := served(t, &outlet{})
	state := get(at + "/state")
	state.Request.Secret = []string{"true"}
	byRequest := power.Commands{TurnOn: get(at + "/on"), State: &power.State{Ask: state, OnText: regexp.MustCompile(`"ison":true`)}, Within: time.Second}
	byCommand := power.Commands{TurnOn: power.Action{Argv: []string{"true"}}, State: &power.State{Ask: power.Action{Argv: []string{"echo", "relay7 is closed"}}, OnText: regexp.MustCompile(`relay7 is closed`)},
		Env: append(os.Environ(), "RELAY_KEY=relay7", "MQTT_AUTH=is"), Within: time.Second}
	for name, c := range map[string]power.Commands{"a request": byRequest, "a command": byCommand} {
		if err := c.On(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
