package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hilrig/record"
)

func TestWhatADeviceCanDoWrong(t *testing.T) {
	silent := func(*device, string) {}
	after := func(n int, text string) func(*device, int) {
		return func(d *device, at int) {
			if at == n {
				d.say(text)
			}
		}
	}
	for _, c := range []struct {
		name   string
		dev    *device
		is     error
		within time.Duration // at the most
		atOnce bool          // else not before the type's bound
		says   string
	}{
		{"no prompt", &device{noPrompt: true, answer: silent}, ErrNoPrompt, 6 * time.Second, false, "nothing was received"},
		{"no answer", &device{answer: silent}, ErrNoAnswer, 16 * time.Second, false, "SEND FILE..."},
		{"another answer", &device{answer: func(d *device, _ string) { d.say("\r\nWHAT?\r\n") }}, ErrNoAnswer, 16 * time.Second, false, "WHAT?"},
		{"late answer", &device{answer: func(d *device, _ string) { time.Sleep(20 * time.Second); sayOK(d, "") }}, ErrNoAnswer, 16 * time.Second, false, "SEND FILE..."},
		{"refusal", &device{answer: func(d *device, _ string) { d.say("\r\nERR", "OR 17: bad", " file\r\n") }}, ErrRefused, 4 * time.Second, true, "ERROR 17: bad file"},
		{"refusal in the file", &device{during: after(500, "\r\nERROR 3\r\n"), leaves: 500, unknown: "ERROR 9"}, ErrRefused, time.Second, true, "ERROR"},
		{"refusal in the file, echo", &device{echo: true, during: after(500, "\r\nERROR 3\r\n"), leaves: 500, unknown: "ERROR 9"}, ErrRefused, time.Second, true, "ERROR"},
		{"refusal in the file, then silence", &device{during: after(500, "\r\nERROR 3\r\n"), leaves: 500}, ErrRefused, 16 * time.Second, false, "ERROR 3"},
		{"refusal of the command", &device{noPrompt: true, during: after(0, ""), answer: silent}, ErrNoPrompt, 6 * time.Second, false, "nothing"},
		{"OK in the file", &device{during: after(500, "\r\n"+okText+"\r\n")}, ErrPremature, time.Second, true, okText},
		{"OK in a log line", &device{echo: true, during: after(500, "\r\n[17.2] last: "+okText+" (stored)\r\n")}, ErrPremature, time.Second, true, okText},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dev := c.dev
				b := newBench(t, guide(), dev)
				start := time.Now()
				r, err := b.Transfer(t.Context(), certificate(t))
				wantClass(t, err, record.ClassDevice, c.is)
				d := time.Since(start)
				if d > c.within || !c.atOnce && d < 5*time.Second {
					t.Errorf("took %s", d)
				}
				for _, want := range []string{c.says, "certificate (9270,20)"} {
					if !strings.Contains(fmt.Sprint(err), want) {
						t.Errorf("%q does not say %q", err, want)
					}
				}
				var refused *RefusedError
				if errors.As(err, &refused) && (refused.Text != "ERROR" || r.Answer != "ERROR") {
					t.Errorf("refused with %q", refused.Text)
				}
				b.close(t)
			})
		})
	}
}

// A firmware that says OK at the END line, before it has taken the `*`, shows
// it where it echoes.
func TestOKBeforeTheEchoOfTheStar(t *testing.T) {
	for _, c := range []struct {
		name  string
		parts []string // said at the `*` instead of its echo
		is    error
	}{
		{"echo first", []string{"*", okText + "\r\n"}, nil},
		{"OK first", []string{okText + "\r\n", "*"}, ErrPremature},
		{"no echo of the star", []string{"\r\n" + okText + "\r\n"}, nil},
		{"stars in a log line", []string{okText + "\r\n", "*** stored ***\r\n"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				line := newMemory(115200)
				go func() {
					for c1, ok := line.hear(); ok; c1, ok = line.hear() {
						switch c1 {
						case '\r':
							line.say("\r\nSEND FILE...\r\n")
						case '*':
							line.say(c.parts...)
						default:
							line.say(string(c1))
						}
					}
				}()
				con := Open(line, guide(), Options{})
				_, err := con.Transfer(t.Context(), certificate(t))
				if !errors.Is(err, c.is) {
					t.Errorf("got %v", err)
				}
				if err := con.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// What is in the file comes back as an echo: that is no answer, neither way.
func TestEchoIsNoAnswer(t *testing.T) {
	data := okText + "\n" + strings.Repeat("ERROR "+okText+"\n", 20)
	for _, c := range []struct {
		name string
		dev  *device
		is   error
	}{
		{"OK behind it", &device{echo: true}, nil},
		{"no OK behind it", &device{echo: true, answer: func(*device, string) {}}, ErrNoAnswer},
		{"no echo", &device{}, nil},
		{"refusal behind it", &device{echo: true, answer: func(d *device, _ string) { d.say("\r\nERROR 1\r\n") }}, ErrRefused},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dev := c.dev
				b := newBench(t, guide(), dev)
				_, err := b.Transfer(t.Context(), File{Slot: 20, Name: "garbage", Data: []byte(data)})
				if !errors.Is(err, c.is) {
					t.Errorf("got %v", err)
				}
				if got := dev.took(); len(got) != 1 || got[0] != data {
					t.Errorf("device took %q", got)
				}
				b.close(t)
			})
		})
	}
}

// The OK to the file before comes when the next command was sent: it is not
// this file's answer.
func TestLateOKIsNotTheNextAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := true
		dev := &device{answer: func(d *device, of string) {
			if first {
				first = false
				time.Sleep(15*time.Second + 50*time.Millisecond)
				d.say("\r\n" + okText + "\r\n")
			}
		}}
		b := newBench(t, guide(), dev)
		_, err := b.Transfer(t.Context(), certificate(t))
		wantClass(t, err, record.ClassDevice, ErrNoAnswer)
		_, err = b.Transfer(t.Context(), certificate(t))
		wantClass(t, err, record.ClassDevice, ErrNoAnswer)
		b.close(t)
	})
}

func TestOKInsteadOfThePrompt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line := newMemory(115200)
		c := Open(line, guide(), Options{})
		go func() {
			time.Sleep(time.Second)
			line.say(okText + "\r\n")
		}()
		_, err := c.Transfer(t.Context(), certificate(t))
		wantClass(t, err, record.ClassDevice, ErrNoPrompt)
		wantClass(t, err, record.ClassDevice, ErrPremature)
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestLineDiesInATransfer(t *testing.T) {
	for _, c := range []struct {
		name string
		die  func(*memory, *device)
	}{
		{"before the prompt", func(m *memory, d *device) { d.noPrompt = true; go m.unplug(io.EOF) }},
		{"in the file", func(m *memory, d *device) {
			d.during = func(_ *device, n int) {
				if n == 500 {
					m.unplug(io.EOF)
				}
			}
		}},
		{"before the answer", func(m *memory, d *device) { d.answer = func(*device, string) { m.unplug(io.EOF) } }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dev := &device{}
				b := newBench(t, guide(), dev)
				c.die(b.line, dev)
				start := time.Now()
				_, err := b.Transfer(t.Context(), certificate(t))
				wantClass(t, err, record.RigPort, io.EOF)
				if d := time.Since(start); d > time.Second {
					t.Errorf("took %s", d)
				}
				synctest.Wait()
				select {
				case <-b.Done():
				default:
					t.Error("not done")
				}
				wantClass(t, b.Err(), record.RigPort, io.EOF)
				wantClass(t, b.Send(t.Context(), []byte("x")), record.RigPort, io.EOF)
				b.close(t)
				if !strings.Contains(b.paper.String(), " ! line ended: EOF\n") {
					t.Errorf("transcript:\n%s", b.paper)
				}
			})
		})
	}
}

func TestTransferEndsWithItsContext(t *testing.T) {
	why := errors.New("interrupted")
	for _, at := range []time.Duration{0, time.Millisecond, 60 * time.Millisecond, 5 * time.Second} {
		for _, deaf := range []bool{false, true} {
			t.Run(fmt.Sprint(at, deaf), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newBench(t, guide(), &device{answer: func(*device, string) {}})
					b.line.mu.Lock()
					b.line.deaf = deaf // a write that nobody takes
					b.line.mu.Unlock()
					ctx, cancel := context.WithCancelCause(t.Context())
					time.AfterFunc(at, func() { cancel(why) })
					start := time.Now()
					_, err := b.Transfer(ctx, certificate(t))
					wantClass(t, err, record.Harness, why) // no class of its own
					if d := time.Since(start) - at; d > time.Millisecond {
						t.Errorf("took %s more", d)
					}
					b.close(t)
				})
			})
		}
	}
}

// What a slow device still says to the `*` with which its console was brought
// back is no answer to the command behind it: the prompt is.
func TestALateAnswerIsNoRefusalOfTheNextCommand(t *testing.T) {
	for _, c := range []struct {
		name string
		dev  *device
		is   error
	}{
		{"late answer, then the prompt", &device{before: func(d *device) { d.say("\r\nERROR\r\n"); time.Sleep(200 * time.Millisecond) }}, nil},
		{"the same with echo", &device{echo: true, before: func(d *device) { d.say("\r\nERROR\r\n"); time.Sleep(200 * time.Millisecond) }}, nil},
		{"a refusal, and no prompt", &device{noPrompt: true, before: func(d *device) { d.say("\r\nERROR 4: no such slot\r\n") }}, ErrRefused},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, guide(), c.dev)
				defer b.close(t)
				start := time.Now()
				_, err := b.Transfer(t.Context(), certificate(t))
				if !errors.Is(err, c.is) {
					t.Errorf("got %v, want %v", err, c.is)
				}
				if d := time.Since(start); d > 3*time.Second {
					t.Errorf("took %s", d)
				}
			})
		})
	}
}

// What a device that said OK too early still echoes of a key is an echo.
func TestTheEchoBehindAnEarlyOKShowsNoKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dev := &device{echo: true, during: func(d *device, at int) {
			if at == 500 {
				d.say("\r\n" + okText + "\r\n")
			}
		}, answer: func(d *device, _ string) { d.say("ERROR\r\n") }, unknown: "ERROR"}
		b := newBench(t, guide(), dev)
		_, err := b.Transfer(t.Context(), File{Slot: 30, Name: "private key", Data: []byte(aKey().pkcs8), Secret: true})
		wantClass(t, err, record.ClassDevice, ErrPremature)
		if err := b.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if all := b.transcript.Exposures(); len(all) > 0 {
			t.Errorf("taken for a key that the device printed: %+v", all)
		}
		b.close(t)
	})
}

// An OK that comes a second time is one to the file before: who reads of it in
// the file behind is told how soon it came.
func TestAnOKSaidTwiceIsToldBesideTheFileBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dev := &device{echo: true, answer: func(d *device, _ string) {
			sayOK(d, "")
			go func() { time.Sleep(60 * time.Millisecond); sayOK(d, "") }()
		}}
		b := newBench(t, guide(), dev)
		if _, err := b.Transfer(t.Context(), certificate(t)); err != nil {
			t.Fatal(err)
		}
		_, err := b.Transfer(t.Context(), certificate(t))
		wantClass(t, err, record.ClassDevice, ErrPremature)
		if want := "after the OK to the file before"; !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%q does not say %q", err, want)
		}
		b.close(t)
	})
}

// A console that has answered all that was sent to it refuses this command; one
// that may still owe an answer gets the time for a late one.
func TestARefusalIsBelievedSoonWhereNothingElseIsUnanswered(t *testing.T) {
	const late = 200 * time.Millisecond
	for _, c := range []struct {
		name    string
		unknown string // what the device says to a line that it does not know
		before  func(ctx context.Context, b *bench) error
		prompts bool // behind the failure text, late
		is      error
		least   time.Duration
		most    time.Duration
	}{
		{"brought back, and all of it answered", "ERROR", func(ctx context.Context, b *bench) error { return b.Recover(ctx) }, false, ErrRefused, leastSettle, 150 * time.Millisecond},
		{"brought back, and not all of it answered", "", func(ctx context.Context, b *bench) error { return b.Recover(ctx) }, true, nil, late, time.Second},
		{"a command before", "ERROR", func(ctx context.Context, b *bench) error { return b.SendLine(ctx, "CONNECT") }, true, nil, late, time.Second},
		{"a command before, and no prompt", "ERROR", func(ctx context.Context, b *bench) error { return b.SendLine(ctx, "CONNECT") }, false, ErrRefused, staleWithin, 400 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dev := &device{echo: true, unknown: c.unknown}
				quick := guide()
				quick.RecoverQuiet = 50 * time.Millisecond
				b := newBench(t, quick, dev)
				defer b.close(t)
				if _, err := b.Transfer(t.Context(), certificate(t)); err != nil { // it is known how soon it prompts
					t.Fatal(err)
				}
				dev.before, dev.noPrompt = func(d *device) {
					d.say("\r\nERROR\r\n")
					if c.prompts {
						time.Sleep(late)
					}
				}, !c.prompts
				if err := c.before(t.Context(), b); err != nil {
					t.Fatal(err)
				}
				time.Sleep(50 * time.Millisecond)
				f := certificate(t)
				start := time.Now()
				r, err := b.Transfer(t.Context(), f)
				if !errors.Is(err, c.is) {
					t.Errorf("got %v, want %v", err, c.is)
				}
				if c.is == nil {
					start, r.Answered = r.Started, r.Prompted
				} else {
					r.Answered = time.Now()
				}
				if d := r.Answered.Sub(start); d < c.least || d > c.most {
					t.Errorf("took %s, want %s to %s", d, c.least, c.most)
				}
			})
		})
	}
}

// A log line in the middle of the command's echo leaves a device that echoes
// what it is: what comes back of the key behind it is no key that it printed.
func TestALogLineInTheEchoOfACommandShowsNoKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dev := &device{echo: true, unknown: "ERROR"}
		b := newBench(t, guide(), dev)
		if _, err := b.Transfer(t.Context(), certificate(t)); err != nil {
			t.Fatal(err)
		}
		split := 0
		say := dev.say
		dev.say = func(texts ...string) {
			if say(texts...); texts[0] == "9" {
				split++
				if split == 1 {
					say("\r\nERRORS: 0\r\n")
				}
			}
		}
		r, err := b.Transfer(t.Context(), File{Slot: 30, Name: "private key", Data: []byte(aKey().pkcs8), Secret: true})
		if err != nil || r.Echo {
			t.Fatalf("%v; its echo is known: %v", err, r.Echo)
		}
		if all := b.transcript.Exposures(); len(all) > 0 {
			t.Errorf("taken for a key that the device printed: %+v", all)
		}
		b.close(t)
	})
}
