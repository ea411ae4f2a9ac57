package console

import (
	"context"
	"errors"
	"io"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hilrig/record"
)

func TestExpectAcrossReads(t *testing.T) {
	const said = "boot\xff\r\nversion 1.2.3\r\n> "
	for i := range len(said) {
		for j := i; j <= len(said); j++ {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, guide(), nil)
				go func() {
					for _, part := range []string{said[:i], said[i:j], said[j:]} {
						time.Sleep(time.Second)
						b.line.say(part)
					}
				}()
				for which, m := range []Matcher{Text("1.2.3"), Regexp(regexp.MustCompile(`\d\.\d\.\d`))} {
					got, err := b.Expect(t.Context(), 0, Text("never"), m)
					if err != nil {
						t.Fatal(err)
					}
					if got.Which != 1 || got.Text != "1.2.3" || got.Start != 15 || got.End != 20 {
						t.Errorf("cut at %d and %d: %d: %+v", i, j, which, got)
					}
				}
				time.Sleep(3 * time.Second)
				b.close(t)
			})
		}
	}
}

// Of several, the match that is there first counts, however the reads fall.
func TestExpectTakesWhatEndsFirst(t *testing.T) {
	for _, parts := range [][]string{{"ab", "cdefgh"}, {"abcdefgh"}, {"abcdef", "gh"}} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, guide(), nil)
			b.line.say(parts...)
			synctest.Wait()
			got, err := b.Expect(t.Context(), 0, Text("abcdefgh"), Text("cde"))
			if err != nil || got.Which != 1 {
				t.Errorf("%q: %+v, %v", parts, got, err)
			}
			b.close(t)
		})
	}
}

func TestExpectKnowsWhen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, guide(), nil)
		start := time.Now()
		for _, part := range []string{"O", "K", " and more"} {
			time.Sleep(time.Second)
			b.line.say(part)
			synctest.Wait()
		}
		time.Sleep(time.Hour)
		got, err := b.Expect(t.Context(), 0, Text("OK"))
		if err != nil || got.At.Sub(start) != 2*time.Second {
			t.Errorf("%s after the start, %v", got.At.Sub(start), err)
		}
		b.close(t)
	})
}

// Nothing is drained: a cursor from before stays good, one from now sees only
// what comes.
func TestCursors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, guide(), nil)
		b.line.say("one OK two ")
		synctest.Wait()
		mark := b.Mark()
		for range 2 {
			if _, err := b.Expect(t.Context(), 0, Text("OK")); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errors.New("not within 1s"))
		defer cancel()
		_, err := b.Expect(ctx, mark, Text("OK"), Regexp(regexp.MustCompile("F[A]IL")))
		if record.ClassOf(err) != record.ClassDevice {
			t.Errorf("got %v", err)
		}
		if want := "wait for \"OK\" or \"F[A]IL\": not within 1s; nothing was received"; err.Error() != want {
			t.Errorf("got  %q\nwant %q", err, want)
		}
		if got := string(b.Received(mark - 4)); got != "two " {
			t.Errorf("received %q", got)
		}
		b.close(t)
	})
}

func TestExpectEnds(t *testing.T) {
	why := errors.New("interrupted")
	for _, c := range []struct {
		name  string
		end   func(*bench, context.CancelCauseFunc)
		class record.Class
		is    error
	}{
		{"with the line", func(b *bench, _ context.CancelCauseFunc) { b.line.unplug(io.EOF) }, record.RigPort, io.EOF},
		{"with the context", func(_ *bench, cancel context.CancelCauseFunc) { cancel(why) }, record.Harness, why},
		{"with the console", func(b *bench, _ context.CancelCauseFunc) { _ = b.Close() }, record.Harness, ErrClosed},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, guide(), nil)
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				time.AfterFunc(time.Second, func() { c.end(b, cancel) })
				_, err := b.Expect(ctx, 0, Text("never"))
				wantClass(t, err, c.class, c.is)
				b.close(t)
			})
		})
	}
}

// What the line brought with its last breath is still found.
func TestLastWordsOfALine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, guide(), nil)
		b.line.say("last words")
		b.line.unplug(io.EOF)
		synctest.Wait()
		if _, err := b.Expect(t.Context(), 0, Text("words")); err != nil {
			t.Error(err)
		}
		b.close(t)
	})
}

func TestErrorsShowWhatWasSeenMasked(t *testing.T) {
	key := aKey().pkcs8
	end := 400
	for key[end] == 'l' || key[end] == '\n' { // else the l behind it would go on with the key, and be masked
		end++
	}
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, guide(), nil)
		b.transcript.Secret([]byte(key))
		b.line.say("old\r\n")
		synctest.Wait()
		time.Sleep(time.Second)
		mark := b.Mark()
		b.line.say("a line\r\n", "key "+key[40:end], "\r\nlast \xff line")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := b.Expect(ctx, mark, Text("never"))
		for _, want := range []string{"a line", "key masked", `last \xff line`} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q does not say %q", err, want)
			}
		}
		if strings.Contains(err.Error(), "old") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q", err)
		}
		wantNoLeak(t, "error", err.Error(), key)
		b.close(t)
	})
}

func TestReplaceGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, guide(), nil)
		b.line.say("before ")
		b.line.unplug(io.EOF)
		synctest.Wait()
		wantClass(t, b.Err(), record.RigPort, io.EOF)
		old := b.line
		b.line = newMemory(115200)
		b.Replace(b.line)
		if b.Err() != nil || !old.closed {
			t.Errorf("err %v, old line closed %v", b.Err(), old.closed)
		}
		b.line.say("after")
		got, err := b.Expect(t.Context(), 0, Text("before after"))
		if err != nil || got.End != 12 {
			t.Errorf("%+v, %v", got, err)
		}
		if err := b.SendLine(t.Context(), "9270"); err != nil || b.line.wasSent() != "9270\r" {
			t.Errorf("%q, %v", b.line.wasSent(), err)
		}
		b.close(t)
	})
}

func TestReplaceWakesWhoSends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, guide(), &device{})
		b.line.deaf = true
		time.AfterFunc(time.Second, func() { b.Replace(newMemory(0)) })
		_, err := b.Transfer(t.Context(), certificate(t))
		wantClass(t, err, record.RigPort, errReplaced)
		synctest.Wait() // Replace has ended too
		b.close(t)
	})
}

// A command is a line of the transcript at once, though the next line end that
// would end it is far away.
func TestCommandIsInTheTranscriptAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, guide(), nil)
		if err := b.SendLine(t.Context(), "9270,10"); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(b.paper.String(), ` > 9270,10\r`+"\n") {
			t.Errorf("transcript %q", b.paper)
		}
		b.close(t)
	})
}

func TestSendersTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := guide()
		s.Baud = 300
		b := newBench(t, s, nil)
		for _, text := range []string{"aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb"} {
			b.ended.Go(func() {
				if err := b.SendLine(t.Context(), text); err != nil {
					t.Error(err)
				}
			})
		}
		b.ended.Wait()
		got := b.line.wasSent()
		if got != "aaaaaaaaaaaaaaaa\rbbbbbbbbbbbbbbbb\r" && got != "bbbbbbbbbbbbbbbb\raaaaaaaaaaaaaaaa\r" {
			t.Errorf("sent %q", got)
		}
		b.close(t)
	})
}

func TestCloseLeavesNothingRunning(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 10 {
		c := Open(newMemory(0), guide(), Options{})
		for range 2 {
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
		}
		wantClass(t, c.Send(t.Context(), []byte("x")), record.Harness, ErrClosed)
	}
	// One that has said that it is done may still be counted for a moment.
	after := runtime.NumGoroutine()
	for end := time.Now().Add(2 * time.Second); after > before && time.Now().Before(end); after = runtime.NumGoroutine() {
		runtime.Gosched()
	}
	if after > before {
		t.Errorf("%d goroutines, were %d", after, before)
	}
}

func TestWindowIsBoundedAndCursorsStayValid(t *testing.T) {
	var w window
	block := make([]byte, 64<<10)
	for i := range 400 { // 25 MB
		for j := range block {
			block[j] = byte(i)
		}
		w.add(block, time.Duration(i)*time.Second)
		if cap(w.data) > windowKeep+windowSlack+windowKeep/2 || len(w.data) > windowKeep+windowSlack {
			t.Fatalf("%d bytes of memory", cap(w.data))
		}
	}
	end := w.end()
	if end != 400*64<<10 {
		t.Fatalf("end %d", end)
	}
	for _, back := range []int{1, 10, 100} {
		from := end - Cursor(back)*64<<10
		b, base := w.view(from)
		if base != from || len(b) != back*64<<10 || b[0] != byte(400-back) {
			t.Errorf("%d blocks back: %d bytes from %d, first %d", back, len(b), base, b[0])
		}
		if at := w.arrival(from + 1); at != time.Duration(400-back)*time.Second {
			t.Errorf("%d blocks back: %s", back, at)
		}
	}
	if b, base := w.view(0); base != w.base || len(b) < windowKeep {
		t.Errorf("an old cursor: %d bytes from %d", len(b), base)
	}
	if b, base := w.view(end + 10); base != end || len(b) != 0 {
		t.Errorf("a cursor from the future: %d bytes from %d", len(b), base)
	}
}

func TestWindowStampsAreBounded(t *testing.T) {
	var w window
	const n = 5 * maxStamps
	for i := range n {
		w.add([]byte{1}, time.Duration(i))
	}
	if len(w.stamps) > maxStamps {
		t.Errorf("%d stamps", len(w.stamps))
	}
	for _, i := range []int{n - 1, n - 1000} { // the newest are exact
		if at := w.arrival(Cursor(i + 1)); at != time.Duration(i) {
			t.Errorf("byte %d came at %d", i, at)
		}
	}
	if at := w.arrival(1); at < 0 || at > n/1000 {
		t.Errorf("the first byte came at %d", at)
	}
}
