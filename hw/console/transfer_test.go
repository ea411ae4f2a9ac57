package console

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hilrig/record"
)

func certificate(t *testing.T) File {
	t.Helper()
	return File{Slot: 20, Name: "certificate", Data: []byte(aKey().certificate)}
}

func TestTransferAsTheGuideShowsIt(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(*Settings)
		dev  *device
	}{
		{"echo", nil, &device{echo: true}},
		{"no echo", nil, &device{}},
		{"no prompt", func(s *Settings) { s.Prompt = "" }, &device{noPrompt: true}},
		{"no prompt, echo", func(s *Settings) { s.Prompt = "" }, &device{noPrompt: true, echo: true}},
		{"prompt that is not asked for", func(s *Settings) { s.Prompt = "" }, &device{}},
		{"in chunks", func(s *Settings) { s.Chunk, s.ChunkDelay = 64, 10*time.Millisecond }, &device{}},
		{"slow line", func(s *Settings) { s.Baud = 300 }, &device{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := guide()
				if c.set != nil {
					c.set(&s)
				}
				dev := c.dev
				b := newBench(t, s, dev)
				f := certificate(t)
				var last int
				f.Progress = func(sent, total int) {
					if sent <= last || total != len(f.Data) {
						t.Errorf("progress %d of %d after %d", sent, total, last)
					}
					last = sent
				}
				r, err := b.Transfer(t.Context(), f)
				if err != nil {
					t.Fatal(err)
				}
				if got := dev.took(); len(got) != 1 || got[0] != string(f.Data) {
					t.Errorf("device took %q", got)
				}
				if want := "9270,20\r" + string(f.Data) + "*"; b.line.wasSent() != want {
					t.Errorf("sent %q", b.line.wasSent())
				}
				if r.Slot != 20 || r.Bytes != len(f.Data) || last != len(f.Data) || r.Answer != okText || r.Echo != dev.echo {
					t.Errorf("receipt %+v, progress %d", r, last)
				}
				for i, at := range []time.Time{r.First, r.Last, r.Answered} {
					if before := []time.Time{r.Started, r.First, r.Last}[i]; at.Before(before) {
						t.Errorf("moments out of order: %+v", r)
					}
				}
				b.close(t)
			})
		})
	}
}

// In exact time: the wire is never idle, and the device gets the `*` when the
// receipt says.
func TestTransferFillsTheWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var starAt time.Time
		dev := &device{echo: true, answer: func(d *device, _ string) {
			starAt = time.Now()
			time.Sleep(2 * time.Millisecond) // OK is 20 characters
			d.say("\r\n" + okText + "\r\n")
		}}
		b := newBench(t, guide(), dev)
		r, err := b.Transfer(t.Context(), certificate(t))
		if err != nil {
			t.Fatal(err)
		}
		if r.LineShare < 0.999 || r.LineShare > 1.001 {
			t.Errorf("line share %.4f", r.LineShare)
		}
		if d := r.Last.Sub(starAt).Abs(); d > time.Millisecond {
			t.Errorf("the `*` arrived %s from what the receipt says", d)
		}
		b.close(t)
	})
}

func TestChunksAndTheirDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := guide()
		s.Chunk, s.ChunkDelay = 100, 50*time.Millisecond
		b := newBench(t, s, &device{})
		f := File{Slot: 20, Data: []byte(strings.Repeat("A", 1000))}
		r, err := b.Transfer(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		want := 10*50*time.Millisecond + 1001*b.line.perByte
		if d := r.Last.Sub(r.First) - want; d.Abs() > 5*time.Millisecond {
			t.Errorf("took %s, want %s", r.Last.Sub(r.First), want)
		}
		b.close(t)
	})
}

// The answer, with what may stand around it, is cut up at every place.
func TestAnswerSplitAnywhere(t *testing.T) {
	const around = "*\xff\xfe\r\n[12.3] log line\r\n\x80" + okText + "\r\n"
	for _, echo := range []bool{false, true} {
		for i := range len(around) + 1 {
			synctest.Test(t, func(t *testing.T) {
				dev := &device{echo: echo, answer: func(d *device, _ string) {
					d.say(around[:i])
					time.Sleep(200 * time.Millisecond)
					d.say(around[i:])
				}}
				b := newBench(t, guide(), dev)
				if _, err := b.Transfer(t.Context(), certificate(t)); err != nil {
					t.Errorf("cut at %d: %v", i, err)
				}
				b.close(t)
			})
		}
	}
}

// The prompt too, with log lines and bytes that are not UTF-8 before it.
func TestPromptSplitAnywhere(t *testing.T) {
	const around = "\xc3\x28 boot\r\nSEND FILE...\r\n"
	for i := range len(around) + 1 {
		synctest.Test(t, func(t *testing.T) {
			line := newMemory(115200)
			go func() {
				for c, ok := line.hear(); ok; c, ok = line.hear() {
					switch c {
					case '\r':
						line.say(around[:i])
						time.Sleep(200 * time.Millisecond)
						line.say(around[i:])
					case '*':
						line.say(okText)
					}
				}
			}()
			c := Open(line, guide(), Options{})
			if _, err := c.Transfer(t.Context(), certificate(t)); err != nil {
				t.Errorf("cut at %d: %v", i, err)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTransferThatIsCutShort(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(*File)
		want int
	}{
		{"stopped", func(f *File) { f.StopAfter = 100 }, 100},
		{"stopped at its end", func(f *File) { f.StopAfter = 1 << 20 }, len(aKey().certificate)},
		{"no terminator", func(f *File) { f.NoTerminator = true }, len(aKey().certificate)},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, guide(), &device{})
				f := certificate(t)
				c.set(&f)
				r, err := b.Transfer(t.Context(), f)
				if err != nil {
					t.Fatal(err)
				}
				if want := "9270,20\r" + string(f.Data[:c.want]); b.line.wasSent() != want || r.Bytes != c.want {
					t.Errorf("sent %q, receipt %+v", b.line.wasSent(), r)
				}
				if time.Now().Before(b.line.free) {
					t.Error("it is still on the wire")
				}
				b.close(t)
			})
		})
	}
}

func TestFilesThatCannotBeSent(t *testing.T) {
	for _, c := range []struct {
		name string
		set  Settings
		data string
	}{
		{"terminator in it", guide(), "text before * the PEM"},
		{"too long", Settings{MaxFile: 10}, "12345678901"},
		{"too long as sent", Settings{MaxFile: 10, FileNewline: "crlf"}, "123456789\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			line := newMemory(0)
			con := Open(line, c.set, Options{})
			defer con.Close()
			_, err := con.Transfer(t.Context(), File{Slot: 20, Name: "file", Data: []byte(c.data)})
			if record.ClassOf(err) != record.Usage || line.wasSent() != "" {
				t.Errorf("got %v, sent %q", err, line.wasSent())
			}
		})
	}
}

func TestFileNewlines(t *testing.T) {
	for policy, want := range map[string]string{
		"": "a\nb\nc\nd", "lf": "a\nb\nc\nd", "crlf": "a\r\nb\r\nc\r\nd", "cr": "a\rb\rc\rd", "keep": "a\r\nb\rc\nd",
	} {
		set := Settings{FileNewline: policy}.withDefaults()
		if got := withNewlines([]byte("a\r\nb\rc\nd"), set.FileNewline); string(got) != want {
			t.Errorf("%s: %q", policy, got)
		}
	}
}

func TestCommandOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, guide(), &device{})
		if _, err := b.Transfer(t.Context(), File{Slot: 40, Command: "9270", Data: []byte("x")}); err != nil {
			t.Fatal(err)
		}
		if got := b.line.wasSent(); got != "9270\rx*" {
			t.Errorf("sent %q", got)
		}
		b.close(t)
	})
}

// A line that is faster than its rate (a USB device that only looks like a
// UART) answers before the schedule's end: that is not premature.
func TestLineFasterThanItsRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line := newMemory(0)
		d := &device{say: line.say, hear: line.hear, echo: true}
		go d.run()
		c := Open(line, guide(), Options{})
		r, err := c.Transfer(t.Context(), certificate(t))
		if err != nil {
			t.Fatal(err)
		}
		if r.Answered.Before(r.Last) {
			t.Errorf("answered before the end: %+v", r)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

// A device that takes its bytes at a tenth of the rate shows it by its echo.
func TestSlowDeviceIsMeasuredByItsEcho(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, guide(), nil)
		dev := &device{echo: true, say: b.line.say}
		dev.hear = func() (byte, bool) {
			time.Sleep(9 * b.line.perByte)
			return b.line.hear()
		}
		b.ended.Go(dev.run)
		r, err := b.Transfer(t.Context(), certificate(t))
		if err != nil {
			t.Fatal(err)
		}
		if r.LineShare > 0.13 || r.LineShare < 0.08 {
			t.Errorf("line share %.3f", r.LineShare)
		}
		b.close(t)
	})
}
