package console

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A modem that speaks out of turn, and a counter, are no answers; an OK that
// follows in time is.
func TestAWordInAnotherLineIsNoFailure(t *testing.T) {
	at := func(n int, text string) func(*device, int) {
		return func(d *device, now int) {
			if now == n {
				d.say(text)
			}
		}
	}
	says := func(texts ...any) func(*device, string) {
		return func(d *device, _ string) {
			for _, x := range texts {
				switch x := x.(type) {
				case string:
					d.say(x)
				case time.Duration:
					time.Sleep(x)
				}
			}
		}
	}
	const ok = "\r\n" + okText + "\r\n"
	for _, c := range []struct {
		name string
		dev  *device
		is   error
		most time.Duration
	}{
		{"a modem's error in the file", &device{echo: true, during: at(500, "\r\n+CME ERROR: 30\r\n")}, nil, time.Second},
		{"a modem's plain error in the file", &device{during: at(500, "\r\nERROR\r\n")}, nil, time.Second},
		{"a counter in the file", &device{during: at(500, "\r\nTX_ERRORS=0 ERRORS: 0\r\n")}, nil, time.Second},
		{"a modem's error at the prompt", &device{before: func(d *device) { d.say("\r\n+CME ERROR: 30\r\n"); time.Sleep(3 * time.Second) }}, nil, 4 * time.Second},
		{"a late error to the star before", &device{before: func(d *device) { d.say("*\r\nERROR\r\n9270,20\r\n"); time.Sleep(2 * time.Second) }}, nil, 3 * time.Second},
		{"an error of another behind a log line", &device{before: func(d *device) { d.say("\r\n[1.2] gsm\r\nERROR\r\n"); time.Sleep(3 * time.Second) }}, nil, 4 * time.Second},
		{"a counter behind the star", &device{answer: says("\r\nERROR", "S=0\r\n", 5*time.Second, ok)}, nil, 6 * time.Second},
		{"a modem's error behind the star", &device{answer: says("\r\n+CME ERROR: 58\r\n", 5*time.Second, ok)}, nil, 6 * time.Second},
		{"an error behind a log line, and an OK in time", &device{answer: says("\r\n[7.0] GSM\r\nERROR\r\n", 10*time.Second, ok)}, nil, 11 * time.Second},
		{"an error, and an OK", &device{answer: says("\r\nERROR\r\n", time.Second, ok)}, nil, 2 * time.Second},
		{"an error", &device{answer: says("\r\nERROR\r\n")}, ErrRefused, 4 * time.Second},
		{"an error behind the echo of the star", &device{echo: true, answer: says("ERROR: bad\r\n")}, ErrRefused, 4 * time.Second},
		{"a painted error", &device{answer: says("\r\n\x1b[31mERROR\x1b[0m\r\n")}, ErrRefused, 4 * time.Second},
		{"an error with its number", &device{answer: says("\r\nERROR17\r\n")}, ErrRefused, 4 * time.Second},
		{"an error that ends nowhere", &device{answer: says("\r\n> ERROR")}, ErrRefused, 4 * time.Second},
		{"an error behind a log line", &device{answer: says("\r\n[7.0] GSM\r\nERROR\r\n")}, ErrRefused, 16 * time.Second},
		{"a modem's error, and nothing", &device{answer: says("\r\n+CME ERROR: 58\r\n")}, ErrNoAnswer, 16 * time.Second},
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
				if d := time.Since(start); d > c.most {
					t.Errorf("took %s", d)
				}
				if asked := err == nil || c.is == ErrRefused; asked == b.InFile() {
					t.Errorf("in the file: %v", b.InFile())
				}
			})
		})
	}
}

// A refusal is believed as soon as this device would have said OK.
func TestARefusalIsBelievedSoonWhereTheTimeToOKIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refuse := false
		b := newBench(t, guide(), &device{echo: true, answer: func(d *device, _ string) {
			if refuse {
				d.say("\r\nERROR: full\r\n")
				return
			}
			sayOK(d, "")
		}})
		defer b.close(t)
		if _, err := b.Transfer(t.Context(), certificate(t)); err != nil {
			t.Fatal(err)
		}
		refuse = true
		start := time.Now()
		if _, err := b.Transfer(t.Context(), certificate(t)); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "ERROR: full") {
			t.Errorf("got %v", err)
		}
		if d := time.Since(start); d > 500*time.Millisecond {
			t.Errorf("took %s", d)
		}
	})
}

// A console that paints its prompt is understood; one that paints another is
// told which key to look at.
func TestAPaintedPrompt(t *testing.T) {
	for _, c := range []struct {
		prompt string
		is     error
		says   string
	}{
		{"\x1b[1;32mSEND\x1b[0m FILE\x1b[K...", nil, ""},
		{"\x1b[32mSEND FILE\x1b[0m...\x1b[?25h", nil, ""},
		{"\x1b[32mSEND DATA\x1b[0m...", ErrNoPrompt, "escape codes"},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, guide(), &device{prompt: c.prompt})
			defer b.close(t)
			_, err := b.Transfer(t.Context(), certificate(t))
			if !errors.Is(err, c.is) {
				t.Errorf("%q: %v", c.prompt, err)
			}
			if err != nil && (!strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "console.prompt")) {
				t.Errorf("%q: %v", c.prompt, err)
			}
		})
	}
}

func TestXOFFInAFileIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, guide(), &device{answer: func(*device, string) {}, during: func(d *device, n int) {
			if n%400 == 0 {
				d.say("\x13")
			}
		}})
		defer b.close(t)
		_, err := b.Transfer(t.Context(), certificate(t))
		for _, want := range []string{"XOFF", "console.chunk"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v does not say %s", err, want)
			}
		}
	})
}
