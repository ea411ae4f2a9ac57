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
