package localhub_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"hilrig/azure/hub"
	"hilrig/azure/localhub"
)

const methodFilter = "$iothub/methods/POST/#"

func TestInvoke(t *testing.T) {
	b := start(t)
	c, got := twinned(t, b, methodFilter)
	done := make(chan struct{})
	go func() {
		defer close(done)
		m := <-got
		name, rid, _ := strings.Cut(strings.TrimPrefix(m.Topic(), "$iothub/methods/POST/"), "/?$rid=")
		if name != "reboot" || string(m.Payload()) != `{"in":5}` || m.Qos() != 0 {
			t.Errorf("called %s %s", m.Topic(), m.Payload())
		}
		c.Publish("$iothub/methods/res/207/?$rid=another"+rid, 0, false, `{}`) // of no call
		c.Publish("$iothub/methods/res/207/?$rid="+rid, 0, false, `{"ok":true}`)
	}()
	status, body, err := b.hub.Invoke(t.Context(), deviceID, "reboot", []byte(`{"in":5}`), 5*time.Second)
	<-done
	if err != nil || status != 207 || string(body) != `{"ok":true}` {
		t.Errorf("got %d %s %v", status, body, err)
	}
	b.await(0, "the answer to nothing", func(e hub.Event) bool { return e.Kind == hub.KindMethod && e.Method.Late })
}

func TestInvokeIsRefused(t *testing.T) {
	b := start(t)
	call := func(id, method, payload string) error {
		_, _, err := b.hub.Invoke(t.Context(), id, method, []byte(payload), 50*time.Millisecond)
		return err
	}
	is := func(name string, err error, code int) {
		t.Helper()
		if r := (*localhub.Refusal)(nil); !errors.As(err, &r) || r.Code != code {
			t.Errorf("%s: want %d, got %v", name, code, err)
		}
	}
	is("not registered", call("nobody", "m", ""), 404001)
	is("no name", call(deviceID, "", ""), 400004)
	is("a name with a slash", call(deviceID, "a/b", ""), 400004)
	is("no JSON", call(deviceID, "m", "{"), 400004)
	is("too large", call(deviceID, "m", `"`+strings.Repeat("x", 128<<10)+`"`), 413001)
	is("not connected", call(deviceID, "m", ""), 404103)
	c, _ := twinned(t, b)
	is("not subscribed", call(deviceID, "m", ""), 404103)
	if err := wait(t, c.Subscribe(methodFilter, 0, nil)); err != nil {
		t.Fatal(err)
	}
	is("no answer", call(deviceID, "m", ""), 504101)
	if err := wait(t, c.Unsubscribe(methodFilter)); err != nil {
		t.Fatal(err)
	}
	is("unsubscribed", call(deviceID, "m", ""), 404103)
}

func TestInvokeEndsWithItsCaller(t *testing.T) {
	b := start(t)
	twinned(t, b, methodFilter)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	go func() {
		b.await(0, "the call", kind(hub.KindMethod))
		cancel(why)
	}()
	if _, _, err := b.hub.Invoke(ctx, deviceID, "m", nil, time.Minute); !errors.Is(err, why) {
		t.Errorf("got %v", err)
	}
}
