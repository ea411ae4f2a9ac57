package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hilrig/hw/console"
	"hilrig/record"
)

// firmware is a board made of a few lines: it takes 9270,n as the guide has it.
type firmware struct {
	echo           bool
	ends           string // what ends a command
	prompt, ok, no string
	unknown        string        // to a line that it does not know
	openPrompt     bool          // nothing behind the prompt
	think          time.Duration // before each answer
	boot           time.Duration // nothing is heard before
	banner         []string      // meanwhile, a line each 100 ms
	chatter        bool
	garbage        bool // says what is no text
	refuses        bool
	late           bool // answers what was before 9270 only when 9270 begins

	got []string // commands, and files as slot:bytes
}

func (f *firmware) run(line net.Conn) {
	say := func(s string) { _, _ = line.Write([]byte(s)) }
	stop := make(chan struct{})
	defer close(stop)
	if f.chatter || f.garbage {
		go func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				case <-time.After(20 * time.Millisecond):
				}
				if f.garbage {
					say("\x80\x00\xf8\x1c\x86\xfe\x01")
				} else {
					say(fmt.Sprintf("[%d.%03d] rssi=-%d\n", i/50, i, i%30))
				}
			}
		}()
	}
	ready := time.Now().Add(f.boot)
	if f.boot > 0 {
		go func() {
			for _, line := range f.banner {
				say(line + "\r\n")
				time.Sleep(100 * time.Millisecond)
			}
		}()
	}
	var command, file []byte
	slot := ""
	for b := make([]byte, 1); ; {
		if _, err := line.Read(b); err != nil {
			return
		}
		if time.Now().Before(ready) {
			continue
		}
		if f.late && b[0] == '9' && slot == "" {
			f.late = false
			say("\r\nERROR\r\n")
		}
		if f.echo {
			say(string(b))
		}
		if slot != "" {
			if b[0] != '*' {
				file = append(file, b[0])
				continue
			}
			f.got = append(f.got, fmt.Sprintf("%s:%d", slot, len(file)))
			slot, file = "", nil
			time.Sleep(f.think)
			if f.refuses {
				say(f.no + "\r\n")
			} else {
				say(f.ok + "\r\n")
			}
			continue
		}
		command = append(command, b[0])
		text, ended := strings.CutSuffix(string(command), f.ends)
		if !ended {
			continue
		}
		command = nil
		text = strings.TrimLeft(text, "\r\n*")
		if text == "" {
			continue
		}
		time.Sleep(f.think)
		if n, ok := strings.CutPrefix(text, "9270,"); ok && strings.Trim(n, "0123456789") == "" {
			slot = n
			say("\r\n" + f.prompt)
			if !f.openPrompt {
				say("\r\n")
			}
			continue
		}
		f.got = append(f.got, text)
		if f.unknown != "" {
			say(f.unknown + "\r\n")
		}
	}
}

func guide() firmware {
	return firmware{echo: true, ends: "\r", prompt: "SEND FILE...", ok: "COMMAND PROCESSED OK", no: "ERROR", unknown: "ERROR", think: 5 * time.Millisecond}
}

func open(t *testing.T, f *firmware, agree bool) *Board {
	t.Helper()
	ours, theirs := net.Pipe()
	done := make(chan struct{})
	go func() { defer close(done); f.run(theirs) }()
	b := Open(ours, Options{Name: "board", Baud: 1_000_000, Say: t.Logf, Confirm: func(_ context.Context, said string) bool { t.Log(said); return agree }})
	b.wait = patience{answer: time.Second, prompt: 1500 * time.Millisecond, file: 10 * time.Second, settle: 200 * time.Millisecond, stored: 500 * time.Millisecond, boot: 3 * time.Second}
	t.Cleanup(func() {
		_ = b.Close()
		_ = theirs.Close()
		<-done
	})
	return b
}

func files() []File {
	pem := []byte("-----BEGIN CERTIFICATE-----\n" + strings.Repeat("MIIC+A09zz/x\n", 20) + "-----END CERTIFICATE-----\n")
	return []File{{Slot: 10, Data: pem}, {Slot: 20, Data: pem}, {Slot: 30, Data: pem, Secret: true}}
}

func TestABoardIsLearnt(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*firmware)
		want   Profile
	}{
		"as the guide":     {func(*firmware) {}, Profile{Echo: true, Newline: "\r", Answer: "ERROR", Prompt: "SEND FILE...", OK: "COMMAND PROCESSED OK"}},
		"no echo":          {func(f *firmware) { f.echo = false }, Profile{Newline: "\r", Answer: "ERROR", Prompt: "SEND FILE...", OK: "COMMAND PROCESSED OK"}},
		"CRLF":             {func(f *firmware) { f.ends = "\r\n" }, Profile{Echo: true, Newline: "\r\n", Answer: "ERROR", Prompt: "SEND FILE...", OK: "COMMAND PROCESSED OK"}},
		"LF":               {func(f *firmware) { f.ends = "\n" }, Profile{Echo: true, Newline: "\n", Answer: "ERROR", Prompt: "SEND FILE...", OK: "COMMAND PROCESSED OK"}},
		"chatty":           {func(f *firmware) { f.echo, f.chatter = false, true }, Profile{Newline: "\r", Answer: "ERROR", Prompt: "SEND FILE...", OK: "COMMAND PROCESSED OK"}},
		"slow":             {func(f *firmware) { f.think = 400 * time.Millisecond }, Profile{Echo: true, Newline: "\r", Answer: "ERROR", Prompt: "SEND FILE...", OK: "COMMAND PROCESSED OK"}},
		"late":             {func(f *firmware) { f.late, f.think = true, 300*time.Millisecond }, Profile{Echo: true, Newline: "\r", Answer: "ERROR", Prompt: "SEND FILE...", OK: "COMMAND PROCESSED OK"}},
		"boots in silence": {func(f *firmware) { f.boot = 2500 * time.Millisecond }, Profile{Echo: true, Newline: "\r", Answer: "ERROR", Prompt: "SEND FILE...", OK: "COMMAND PROCESSED OK"}},
		"boots in words": {func(f *firmware) {
			f.boot, f.banner = 2500*time.Millisecond, []string{"", "* board *", "a", "b", "ERROR: no SIM", "c", "d", "e", "f"}
		}, Profile{Echo: true, Newline: "\r", Answer: "ERROR", Prompt: "SEND FILE...", OK: "COMMAND PROCESSED OK"}},
		"silent, LF":       {func(f *firmware) { f.echo, f.unknown, f.ends = false, "", "\n" }, Profile{Newline: "\n", Prompt: "SEND FILE...", OK: "COMMAND PROCESSED OK"}},
		"words of its own": {func(f *firmware) { f.prompt, f.ok, f.openPrompt = "Ready for file>", "STORED", true }, Profile{Echo: true, Newline: "\r", Answer: "ERROR", Prompt: "Ready for file>", OK: "STORED"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := guide()
				c.change(&f)
				b := open(t, &f, true)
				ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
				defer cancel()
				if _, err := b.Listen(ctx, 300*time.Millisecond); err != nil {
					t.Fatal(err)
				}
				if err := b.Probe(ctx); err != nil {
					t.Fatal(err)
				}
				if _, err := b.Load(ctx, files(), nil); err != nil {
					t.Fatal(err)
				}
				m := b.Profile
				if m.PromptIn.Most == 0 || m.OKIn.Most == 0 || m.OKIn.Least < f.think-5*time.Millisecond {
					t.Errorf("times: prompt %v, OK %v", m.PromptIn, m.OKIn)
				}
				m.Sound, m.AnswerIn, m.PromptIn, m.OKIn = Sound{}, Span{}, Span{}, Span{}
				if m != c.want {
					t.Errorf("learnt %+v, want %+v", m, c.want)
				}
				_ = b.Close()
				size := len(files()[0].Data)
				if got := fmt.Sprint(f.got); !strings.HasSuffix(got, fmt.Sprintf("10:%d 20:%d 30:%d]", size, size, size)) {
					t.Errorf("the board got %v", got)
				}
			})
		})
	}
}

// Before it is agreed that anything is loaded the board gets nothing but the
// harmless line: no command, and no `*`.
func TestProbingIsHarmless(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := guide()
		f.unknown = ""
		b := open(t, &f, false)
		if _, err := b.Listen(t.Context(), 50*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if err := b.Probe(t.Context()); err != nil {
			t.Fatal(err)
		}
		if b.Profile.Newline != "" || !b.Profile.Echo {
			t.Errorf("learnt %+v", b.Profile)
		}
		_ = b.Close()
		for _, command := range f.got {
			if !strings.HasPrefix(strings.TrimSpace(command), harmless) {
				t.Errorf("the board got %q", command)
			}
		}
	})
}

func TestWhatIsWrongWithABoardIsSaid(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*firmware)
		agree  bool
		words  []string
	}{
		"another rate":      {func(f *firmware) { f.garbage = true }, true, []string{"no text", "1000000", "--baud"}},
		"refuses":           {func(f *firmware) { f.refuses = true }, true, []string{"root", "9270,10", "ERROR"}},
		"no such command":   {func(f *firmware) { f.prompt = "ERROR 7" }, true, []string{"ERROR", "9270,n"}},
		"nobody vouches":    {func(f *firmware) { f.ok = "ENTRY 5" }, false, []string{"ENTRY 5", "does not mean that it was stored"}},
		"a refusal unknown": {func(f *firmware) { f.ok = "BAD FILE" }, true, []string{"BAD FILE"}},
		"takes no commands": {func(f *firmware) { f.ends = "\x04" }, true, []string{"says nothing to 9270,10", "--baud"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := guide()
				c.change(&f)
				b := open(t, &f, c.agree)
				ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
				defer cancel()
				_, err := b.Listen(ctx, 200*time.Millisecond)
				if err == nil {
					err = b.Probe(ctx)
				}
				if err == nil {
					_, err = b.Load(ctx, files(), nil)
				}
				if record.ClassOf(err) != record.ClassDevice {
					t.Fatalf("got %v", err)
				}
				for _, w := range c.words {
					if !strings.Contains(err.Error(), w) {
						t.Errorf("%q, want %q in it", err, w)
					}
				}
			})
		})
	}
}

// Somebody has talked to the board before, and its answer comes late: that is
// no sign that it says such a thing all the time.
func TestALateAnswerToSomebodyElseIsNoNoise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		go (&firmware{echo: true, ends: "\r", prompt: guidePrompt, ok: guideOK, unknown: refusal}).run(theirs)
		b := Open(ours, Options{Name: "board", Say: t.Logf})
		defer b.Close()
		go func() {
			time.Sleep(200 * time.Millisecond) // while it is being listened to
			_, _ = theirs.Write([]byte("ERROR\r\n"))
		}()
		if _, err := b.Listen(t.Context(), 2*time.Second); err != nil {
			t.Fatal(err)
		}
		if err := b.Probe(t.Context()); err != nil || b.Profile.Answer != refusal || b.Profile.Sound.Lines != 1 {
			t.Errorf("%v, answer %q, %d lines heard", err, b.Profile.Answer, b.Profile.Sound.Lines)
		}
	})
}

func TestALineThatGoesEndsTheLearning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		b := Open(ours, Options{Name: "board", Say: t.Logf})
		defer b.Close()
		go func() { _, _ = theirs.Read(make([]byte, 3)); _ = theirs.Close() }()
		if err := b.Probe(t.Context()); err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

func FuzzFresh(f *testing.F) {
	f.Add([]byte("#hilrig\r\nERROR\r\n"), "#hilrig")
	f.Fuzz(func(t *testing.T, b []byte, sent string) {
		board := &Board{noise: map[string]bool{console.WithoutNumbers("log 1"): true}}
		start, end := answer{board, sent}.Find(b)
		if start >= 0 && (end > len(b) || bytes.ContainsAny(b[start:end], "\r\n")) {
			t.Errorf("%d to %d of %q", start, end, b)
		}
	})
}
