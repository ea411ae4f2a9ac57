package suites_test

import (
	"context"
	"crypto/tls"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"hilrig/record"
	"hilrig/suites"
)

// knock makes a stranger do something at the hub, so often, until the test ends.
func knock(t *testing.T, addr, from string, every time.Duration, do func(context.Context, net.Conn)) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var knocking sync.WaitGroup
	t.Cleanup(func() { stop(); knocking.Wait() })
	knocking.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: time.Second}
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			c, err := d.DialContext(ctx, "tcp", addr)
			if err != nil {
				continue // the hub is not there yet, or not any more
			}
			knocking.Go(func() {
				defer c.Close()
				do(ctx, c)
			})
		}
	})
}

// leaves hangs up at once, and says nothing.
func leaves(context.Context, net.Conn) {}

// says sends so much and then stays, silent.
func says(what []byte) func(context.Context, net.Conn) {
	return func(ctx context.Context, c net.Conn) {
		if len(what) > 0 {
			if _, err := c.Write(what); err != nil {
				return
			}
		}
		<-ctx.Done()
	}
}

// shakesHands does TLS without a certificate, and goes.
func shakesHands(ctx context.Context, c net.Conn) {
	_ = tls.Client(c, &tls.Config{InsecureSkipVerify: true}).HandshakeContext(ctx) //nolint:gosec // a stranger
}

// Whoever else knocks at the hub's port is not the device: what it does there
// changes no verdict.
func TestAStrangerAtThePortChangesNoVerdict(t *testing.T) {
	judged := []string{
		"provisioning/presented", "tls/client-certificate", "tls/unknown-root", "tls/client-hello", "session/client-id",
		"session/refused", "recovery/server-disconnect", "recovery/backoff", "session/no-self-takeover",
	}
	for name, crowd := range map[string]func(t *testing.T, addr string){
		"bare connects, TLS without a certificate, half handshakes and silence from elsewhere": func(t *testing.T, addr string) {
			knock(t, addr, "127.0.0.2", 200*time.Millisecond, leaves)
			knock(t, addr, "127.0.0.3", 300*time.Millisecond, shakesHands)
			knock(t, addr, "127.0.0.4", 10*time.Millisecond, says([]byte{22, 3, 1, 2, 0, 1}))
			knock(t, addr, "127.0.0.5", 10*time.Millisecond, says(nil))
			knock(t, addr, "127.0.0.6", 500*time.Millisecond, says([]byte("GET / HTTP/1.0\r\n\r\n")))
		},
		"five bare connects a second from the device's own address": func(t *testing.T, addr string) {
			knock(t, addr, "127.0.0.1", 200*time.Millisecond, leaves)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			specs, err := suites.Select(suites.All(), "", judged)
			if err != nil {
				t.Fatal(err)
			}
			job := emulatedJob(t, specs)
			l, err := net.Listen("tcp", "127.0.0.1:0") // its port is free afterwards
			if err != nil {
				t.Fatal(err)
			}
			job.Device.HubPort = l.Addr().(*net.TCPAddr).Port
			l.Close()
			crowd(t, net.JoinHostPort("127.0.0.1", strconv.Itoa(job.Device.HubPort)))
			results := runChild(t, job)
			for _, s := range specs {
				if r := results[s.ID]; r.Verdict != record.Pass {
					t.Errorf("%s: %s %s %s %v", s.ID, r.Verdict, r.Message, r.Cause, r.Warnings)
				}
			}
		})
	}
}
