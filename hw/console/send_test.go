package console

import (
	"context"
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"hilrig/record"
)

func TestRecover(t *testing.T) {
	quiet := 100 * time.Millisecond
	for _, c := range []struct {
		name     string
		say      func(*memory)
		from, to time.Duration
	}{
		{"a device that says nothing", func(*memory) {}, time.Second, 1100 * time.Millisecond},
		{"a device that answers", func(m *memory) {
			time.Sleep(50 * time.Millisecond)
			m.say("ERROR\r\n")
			time.Sleep(50 * time.Millisecond)
			m.say("> ")
		}, 200 * time.Millisecond, 250 * time.Millisecond},
		{"a device that never stops", func(m *memory) {
			for range 100 {
				time.Sleep(50 * time.Millisecond)
				m.say("noise\r\n")
			}
		}, time.Second, 2 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := guide()
				s.RecoverQuiet = quiet
				b := newBench(t, s, nil)
				b.ended.Go(func() { c.say(b.line) })
				start := time.Now()
				if err := b.Recover(t.Context()); err != nil {
					t.Fatal(err)
				}
				if d := time.Since(start); d < c.from || d > c.to {
					t.Errorf("took %s", d)
				}
				if got := b.line.wasSent(); got != "*\r" {
					t.Errorf("sent %q", got)
				}
				b.close(t)
			})
		})
	}
}

func TestQuiet(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines int // one every 50 ms
		want  time.Duration
	}{
		{"silent from the beginning", 0, 100 * time.Millisecond},
		{"silent after a while", 5, 350 * time.Millisecond},
		{"never silent", 100, time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, guide(), nil)
				b.ended.Go(func() {
					for range c.lines {
						time.Sleep(50 * time.Millisecond)
						b.line.say("line\r\n")
					}
				})
				start := time.Now()
				if err := b.Quiet(t.Context(), 100*time.Millisecond, time.Second); err != nil {
					t.Fatal(err)
				}
				if d := time.Since(start); d != c.want {
					t.Errorf("took %s, want %s", d, c.want)
				}
				b.close(t)
			})
		})
	}
}

func TestRecoverEndsWithLineAndContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, guide(), nil)
		why := errors.New("interrupted")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Millisecond, func() { cancel(why) })
		wantClass(t, b.Recover(ctx), record.Harness, why)
		time.AfterFunc(time.Millisecond, func() { b.line.unplug(os.ErrClosed) })
		wantClass(t, b.Recover(t.Context()), record.RigPort, os.ErrClosed)
		b.close(t)
	})
}
