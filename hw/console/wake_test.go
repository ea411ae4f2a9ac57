package console

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hilrig/record"
)

// bootsFor makes a device that hears nothing before a moment, and says this
// meanwhile, a line each tenth of a second.
func bootsFor(d *device, boot time.Duration, banner ...string) func(*device) {
	return func(d *device) {
		ready := time.Now().Add(boot)
		hear, say := d.hear, d.say
		go func() {
			for i := 0; time.Now().Before(ready) && len(banner) > 0; i++ {
				say(banner[i%len(banner)] + "\r\n")
				time.Sleep(100 * time.Millisecond)
			}
		}()
		d.hear = func() (byte, bool) {
			for {
				c, ok := hear()
				if !ok || !time.Now().Before(ready) {
					return c, ok
				}
			}
		}
	}
}

func TestAConsoleIsAskedUntilItListens(t *testing.T) {
	words := []string{"*** board 7 ***", "ERROR: no SIM", "starting", "ERROR: no SIM", "wifi: up", "*"}
	for _, c := range []struct {
		name     string
		dev      *device
		boot     time.Duration
		banner   []string
		listens  bool
		from, to time.Duration
	}{
		{"echo and an answer", &device{echo: true, unknown: "ERROR"}, 0, nil, true, 0, 200 * time.Millisecond},
		{"an answer, no echo", &device{unknown: "what?"}, 0, nil, true, 0, 300 * time.Millisecond},
		{"an answer of two lines, no echo", &device{unknown: "ERROR\r\nno such command"}, 0, nil, true, 0, 300 * time.Millisecond},
		{"an answer to the star alone, no echo", &device{unknown: "ERROR", onlyStar: true}, 0, nil, true, 0, 500 * time.Millisecond},
		{"echo, no answer", &device{echo: true}, 0, nil, true, 0, 1500 * time.Millisecond},
		{"neither", &device{}, 0, nil, false, 8 * time.Second, 10 * time.Second},
		{"boots in silence", &device{echo: true, unknown: "ERROR"}, 4500 * time.Millisecond, nil, true, 4500 * time.Millisecond, 6 * time.Second},
		{"boots in words", &device{echo: true, unknown: "ERROR"}, 4500 * time.Millisecond, words, true, 4500 * time.Millisecond, 6 * time.Second},
		{"boots in words, no echo", &device{unknown: "ERROR"}, 4500 * time.Millisecond, words, true, 4500 * time.Millisecond, 7 * time.Second},
		{"says the same while it boots", &device{unknown: "ERROR"}, 4500 * time.Millisecond, []string{"."}, true, 4500 * time.Millisecond, 7 * time.Second},
		{"does not boot in time", &device{echo: true, unknown: "ERROR"}, time.Minute, words, false, 8 * time.Second, 13 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, guide(), nil)
				dev := c.dev
				dev.say, dev.hear = b.line.say, b.line.hear
				bootsFor(dev, c.boot, c.banner...)(dev)
				b.ended.Go(dev.run)
				start := time.Now()
				listens, err := b.Wake(t.Context(), 8*time.Second)
				if err != nil || listens != c.listens {
					t.Fatalf("listens %v, %v", listens, err)
				}
				if d := time.Since(start); d < c.from || d > c.to {
					t.Errorf("took %s", d)
				}
				if !strings.HasPrefix(b.line.wasSent(), "*\r") {
					t.Errorf("sent %q", b.line.wasSent())
				}
				b.close(t)
				time.Sleep(c.boot) // what it says ends
			})
		})
	}
}

// What the console was left in decides nothing: behind Recover the next command
// is a command.
func TestNothingIsTypedIntoAnOpenFile(t *testing.T) {
	for _, c := range []struct {
		name string
		dev  *device
		f    func(*File)
	}{
		{"another prompt", &device{echo: true, unknown: "ERROR", prompt: "READY?"}, nil},
		{"another prompt, no echo", &device{unknown: "ERROR", prompt: "READY?"}, nil},
		{"another prompt, a console that answers to nothing", &device{prompt: "READY?"}, nil},
		{"an OK in the middle", &device{echo: true, unknown: "ERROR", during: func(d *device, n int) {
			if n == 400 {
				d.say("\r\n" + okText + "\r\n")
			}
		}}, nil},
		{"no answer", &device{echo: true, unknown: "ERROR", answer: func(*device, string) {}}, nil},
		{"stopped", &device{echo: true, unknown: "ERROR"}, func(f *File) { f.StopAfter = 300 }},
		{"without its end", &device{unknown: "ERROR"}, func(f *File) { f.NoTerminator = true }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, guide(), c.dev)
				f := certificate(t)
				if c.f != nil {
					c.f(&f)
				}
				r, err := b.Transfer(t.Context(), f)
				if c.f == nil && record.ClassOf(err) != record.ClassDevice || c.f != nil && err != nil {
					t.Fatal(err)
				}
				if !r.Opened || !b.InFile() {
					t.Errorf("opened %v, in the file %v", r.Opened, b.InFile())
				}
				if err := b.SendLine(t.Context(), "9270,30"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				synctest.Wait()
				c.dev.mu.Lock()
				lines, files := fmt.Sprintf("%q", c.dev.lines), strings.Join(c.dev.files, "|")
				c.dev.mu.Unlock()
				if !strings.Contains(lines, `"9270,30"`) || strings.Contains(files, "9270") || b.InFile() {
					t.Errorf("it took the lines %s and the files %q; in a file %v", lines, files, b.InFile())
				}
				b.close(t)
			})
		})
	}
}

// A console that answered before and does not now is not typed at blindly.
func TestAConsoleThatDoesNotComeBackGetsNoCommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, guide(), nil)
		dev := &device{echo: true, unknown: "ERROR", say: b.line.say}
		stuck := false
		dev.hear = func() (byte, bool) {
			for {
				c, ok := b.line.hear()
				if !ok || !stuck {
					return c, ok
				}
			}
		}
		dev.during = func(_ *device, n int) { stuck = n == 200 }
		b.ended.Go(dev.run)
		if listens, err := b.Wake(t.Context(), time.Second); !listens {
			t.Fatal(err)
		}
		f := certificate(t)
		f.StopAfter = 200
		if _, err := b.Transfer(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		_, err := b.Transfer(t.Context(), certificate(t))
		wantClass(t, err, record.ClassDevice, ErrNotBack)
		wantClass(t, err, record.ClassDevice, ErrNoPrompt)
		wantClass(t, b.SendLine(t.Context(), "REBOOT"), record.ClassDevice, ErrNotBack)
		if n := strings.Count(b.line.wasSent(), "9270"); n != 1 || strings.Contains(b.line.wasSent(), "REBOOT") {
			t.Errorf("sent %q", b.line.wasSent())
		}
		b.close(t)
	})
}

// A device that thinks before each answer, for whatever time, reads the next
// line only then: its answers come behind what was sent after, and none of them
// is the refusal of a command that it has not read yet.
func TestADeviceThatThinksForLongIsNotTakenForOneThatRefuses(t *testing.T) {
	for _, times := range [][]int{{0}, {160}, {300, 200}, {400, 400, 300}, {280, 340, 320}, {700}, {0, 900}} {
		synctest.Test(t, func(t *testing.T) {
			n := 0
			dev := &device{echo: true, unknown: "ERROR", thinks: func() time.Duration {
				n++
				return time.Duration(times[n%len(times)]) * time.Millisecond
			}}
			set := guide()
			set.RecoverQuiet = 550 * time.Millisecond
			b := newBench(t, set, dev)
			defer b.close(t)
			start := time.Now()
			listens, err := b.Wake(t.Context(), 10*time.Second)
			if err != nil || !listens {
				t.Errorf("thinks %v ms: listens %v, %v", times, listens, err)
			}
			if d := time.Since(start); d > 6*time.Second {
				t.Errorf("thinks %v ms: listens after %s", times, d)
			}
			if _, err := b.Transfer(t.Context(), certificate(t)); err != nil {
				t.Errorf("thinks %v ms: %v", times, err)
			}
		})
	}
}

// So it is where the console was given up as one that does not listen, because
// its first answers came later than they may: what it repeats of the lines that
// were sent before shows that it echoes, and has not read the command yet.
func TestALateEchoOfWhatWasSentBeforeIsNoAnswer(t *testing.T) {
	for _, times := range [][]int{{370, 306, 307}, {300}, {500, 400, 380}, {250, 600, 280}, {900}} {
		synctest.Test(t, func(t *testing.T) {
			n := -1
			dev := &device{echo: true, unknown: "ERROR", thinks: func() time.Duration {
				n++
				return time.Duration(times[n%len(times)]) * time.Millisecond
			}}
			set := guide()
			set.RecoverQuiet = 150 * time.Millisecond
			b := newBench(t, set, dev)
			defer b.close(t)
			if _, err := b.Wake(t.Context(), 0); err != nil {
				t.Errorf("thinks %v ms: %v", times, err)
			}
			if _, err := b.Transfer(t.Context(), certificate(t)); err != nil {
				t.Errorf("thinks %v ms: %v", times, err)
			}
		})
	}
}

// What brings a console back may be repeated so late that no harmless line was
// sent behind it: the ERROR to it is no refusal of the command either.
func TestALateEchoOfWhatBringsAConsoleBackIsNoAnswer(t *testing.T) {
	for _, stalls := range [][]time.Duration{{1500 * time.Millisecond, 700 * time.Millisecond}, {2500 * time.Millisecond, time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			n := -1
			dev := &device{echo: true, unknown: "ERROR", stalls: func() time.Duration {
				if n++; n < len(stalls) {
					return stalls[n]
				}
				return 0
			}}
			b := newBench(t, guide(), dev)
			defer b.close(t)
			if listens, err := b.Wake(t.Context(), 0); err != nil || listens {
				t.Errorf("stalls %v: listens %v, %v", stalls, listens, err)
			}
			if _, err := b.Transfer(t.Context(), certificate(t)); err != nil {
				t.Errorf("stalls %v: %v", stalls, err)
			}
		})
	}
}
