package console

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hilrig/record"
)

func TestTranscriptFormat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // its clock stands still at 2000-01-01
		p := &paper{}
		now := time.Now()
		tr := NewTranscript(p, record.ClockAt(now))
		at := func(d time.Duration) time.Time { return now.Add(d) }
		tr.Add(Sent, []byte("9270,10\r"), at(0))
		tr.Add(Received, []byte("\r"), at(1234567*time.Microsecond))
		tr.Add(Received, []byte("\nSEND "), at(1300*time.Millisecond))
		tr.Add(Received, []byte("FILE...\r\n\x00\xff\x1b[0m\\°"), at(1300*time.Millisecond))
		tr.Add(Received, []byte("later"), at(2*time.Second))
		tr.Note("line ended: EOF", at(2*time.Second))
		want := `2000-01-01T00:00:00.000000Z +0.000000 > 9270,10\r
2000-01-01T00:00:01.234567Z +1.234567 < \r\n
2000-01-01T00:00:01.300000Z +1.300000 < SEND FILE...\r\n
2000-01-01T00:00:01.300000Z +1.300000 < \x00\xff\x1b[0m\\°
2000-01-01T00:00:02.000000Z +2.000000 < later
2000-01-01T00:00:02.000000Z +2.000000 ! line ended: EOF
`
		got := strings.Split(p.String(), "\n")
		wanted := strings.Split(want, "\n")
		for i := range max(len(got), len(wanted)) {
			if i >= len(got) || i >= len(wanted) || !contains(wanted, got[i]) {
				t.Fatalf("got\n%s\nwant\n%s", p, want)
			}
		}
		if tr.Offset() != int64(len(want)) {
			t.Errorf("offset %d of %d", tr.Offset(), len(want))
		}
		if tail := tr.Tail(2); len(tail) != 2 || tail[1] != wanted[5] {
			t.Errorf("tail %q", tail)
		}
	})
}

func contains(lines []string, line string) bool {
	for _, l := range lines {
		if l == line {
			return true
		}
	}
	return false
}

// A line is written when the direction falls silent, line end or not.
func TestTranscriptIsWrittenAsItHappens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &paper{}
		tr := NewTranscript(p, record.ClockAt(time.Now()))
		tr.Add(Received, []byte("login"), time.Now())
		for i := range 50 { // the other direction does not hold it up
			time.Sleep(10 * time.Millisecond)
			tr.Add(Sent, []byte("x"), time.Now())
			if got := p.String(); (got != "") != (i >= 10) && i != 9 && i != 10 {
				t.Fatalf("after %d ms: %q", 10*(i+1), got)
			}
		}
		tr.Flush()
	})
}

func TestTranscriptBreaksLongLines(t *testing.T) {
	p := &paper{}
	tr := NewTranscript(p, record.ClockAt(time.Now()))
	tr.Add(Received, []byte(strings.Repeat("x", 3*longest)), time.Now())
	if n := strings.Count(p.String(), "\n"); n != 3 {
		t.Errorf("%d lines", n)
	}
}

type fullDisk struct{ room int }

var errFull = errors.New("no space left on device")

func (f *fullDisk) Write(b []byte) (int, error) {
	if len(b) > f.room {
		return f.room, errFull
	}
	f.room -= len(b)
	return len(b), nil
}

func TestTranscriptOnAFullDisk(t *testing.T) {
	disk := &fullDisk{room: 100}
	tr := NewTranscript(disk, record.ClockAt(time.Now()))
	for range 5 {
		tr.Add(Received, []byte("0123456789\n"), time.Now())
	}
	if !errors.Is(tr.Err(), errFull) || tr.Offset() != 100 {
		t.Errorf("error %v, offset %d", tr.Err(), tr.Offset())
	}
	if len(tr.Tail(10)) != 5 {
		t.Errorf("tail %q", tr.Tail(10))
	}
}

func TestTailIsBounded(t *testing.T) {
	tr := NewTranscript(&paper{}, record.ClockAt(time.Now()))
	for i := range 2 * tailLines {
		tr.Add(Received, fmt.Appendf(nil, "%d\n", i), time.Now())
	}
	if tail := tr.Tail(1 << 20); len(tail) != tailLines || !strings.HasSuffix(tail[tailLines-1], ` < 799\n`) {
		t.Errorf("%d lines", len(tail))
	}
	for range 2 * tailLines {
		tr.Add(Received, []byte(strings.Repeat("\x00", longest)), time.Now())
	}
	if tr.tailSize > tailBytes {
		t.Errorf("%d bytes", tr.tailSize)
	}
}

var (
	lineForm = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z [+-]\d+\.\d{6} ([<>!]) (.*)$`)
	maskForm = regexp.MustCompile(`\[key masked: (\d+) bytes\]`)
)

// bytesIn reads one direction's bytes out of a transcript; hidden is how many
// of them are masked.
func bytesIn(t *testing.T, transcript string, dir Direction) (shown string, hidden int) {
	t.Helper()
	var b strings.Builder
	for line := range strings.Lines(transcript) {
		m := lineForm.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m == nil {
			t.Fatalf("not a line of a transcript: %q", line)
		}
		if m[1] != string(rune(dir)) {
			continue
		}
		for _, mask := range maskForm.FindAllStringSubmatch(m[2], -1) {
			n, err := strconv.Atoi(mask[1])
			if err != nil {
				t.Fatal(err)
			}
			hidden += n
		}
		b.WriteString(unprintable(t, maskForm.ReplaceAllString(m[2], "")))
	}
	return b.String(), hidden
}

// unprintable is the inverse of appendPrintable, by another's hand.
func unprintable(t *testing.T, s string) string {
	t.Helper()
	u, err := strconv.Unquote(`"` + strings.ReplaceAll(s, `"`, `\"`) + `"`)
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return u
}

// shownForms are ways in which a device may show a key.
func shownForms(key string, r *rand.Rand) map[string]string {
	body := string(base64Text([]byte(key)))
	lossy := []byte(key)
	for range 8 {
		i := r.IntN(len(lossy) - 40)
		lossy = append(lossy[:i], lossy[i+1:]...)
	}
	noise := []byte(key)
	for range 8 {
		noise[40+r.IntN(len(noise)-80)] = byte(r.IntN(256))
	}
	lines := strings.SplitAfter(key, "\n")
	return map[string]string{
		"whole":              key,
		"no header":          strings.Join(lines[1:], ""),
		"no end":             strings.Join(lines[:len(lines)-2], "") + "*\r\n",
		"no line ends":       strings.ReplaceAll(key, "\n", ""),
		"CRLF":               strings.ReplaceAll(key, "\n", "\r\n"),
		"body alone":         body,
		"body in words":      regexp.MustCompile(`.{4}`).ReplaceAllString(body, "$0 "),
		"lost bytes":         string(lossy),
		"noise":              string(noise),
		"half a header":      key[9:],
		"log lines between":  strings.Join(lines, "[1.0] wifi: up\r\n"),
		"prefix on each":     "I (12): " + strings.Join(lines, "I (12): "),
		"twice":              key + key,
		"between text":       "before " + key + "*" + okText + "\r\n",
		"cut short, recover": key[:700] + "*\r9270,10\r\n",
	}
}

// No piece of a key is shown, in any form, cut up anywhere, with pauses, in
// either direction; and every byte is accounted for.
func TestKeyIsMaskedHoweverItComes(t *testing.T) {
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 1))
		for _, key := range []string{aKey().pkcs8, aKey().pkcs1} {
			for name, form := range shownForms(key, r) {
				for _, dir := range []Direction{Sent, Received} {
					p := &paper{}
					var onLine strings.Builder
					now := time.Now()
					tr := NewTranscript(p, record.ClockAt(now))
					tr.onLine = func(_ Direction, text string, _ time.Time) { onLine.WriteString(text) }
					tr.Secret([]byte(key))
					for rest := form; rest != ""; {
						n := min(len(rest), 1+r.IntN(40))
						if r.IntN(4) == 0 {
							n = 1
						}
						tr.Add(dir, []byte(rest[:n]), now)
						rest = rest[n:]
						switch r.IntN(20) {
						case 0:
							now = now.Add(2 * silence)
						case 1:
							tr.Tail(1) // shows what is held back
						}
					}
					tr.Flush()
					wantNoLeak(t, name, onLine.String(), key)
					shown, hidden := bytesIn(t, p.String(), dir)
					wantNoLeak(t, name, p.String(), key)
					if len(shown)+hidden != len(form) {
						t.Errorf("%s: %d bytes shown and %d masked, of %d", name, len(shown), hidden, len(form))
					}
					if t.Failed() {
						t.Fatalf("%s, seed %d", name, seed)
					}
				}
			}
		}
	}
}

// A key that nobody made known is known by its BEGIN line.
func TestUnknownKeyIsMasked(t *testing.T) {
	key := aKey().pkcs8
	for _, form := range []string{key, strings.ReplaceAll(key, "\n", "\r\n"), strings.ReplaceAll(key, "\n", ""), key[3:]} {
		p := &paper{}
		tr := NewTranscript(p, record.ClockAt(time.Now()))
		for i := range form {
			tr.Add(Received, []byte{form[i]}, time.Now())
		}
		tr.Add(Received, []byte("*"+okText+"\r\n"), time.Now())
		tr.Flush()
		wantNoLeak(t, "transcript", p.String(), key)
		for _, want := range []string{"BEGIN PRIVATE KEY-----[key masked: ", " bytes]-----END PRIVATE KEY-----", okText} {
			if !strings.Contains(p.String(), want) {
				t.Errorf("transcript does not show %q:\n%s", want, p)
			}
		}
	}
}

// The certificate holds the public key, and so does the private key's text: a
// certificate that is sent stays readable, wherever the two are alike.
func TestCertificateStaysReadable(t *testing.T) {
	k := aKey()
	for _, key := range []string{k.pkcs8, k.pkcs1} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, guide(), &device{echo: true})
			b.transcript.Secret([]byte(key))
			// A text whose every piece is in the key too, as far as it goes.
			if _, err := b.Transfer(t.Context(), File{Slot: 20, Data: []byte(k.certificate)}); err != nil {
				t.Fatal(err)
			}
			b.close(t)
			for _, dir := range []Direction{Sent, Received} {
				if shown, hidden := bytesIn(t, b.paper.String(), dir); hidden != 0 || !strings.Contains(shown, k.certificate) {
					t.Errorf("%c: %d bytes masked", dir, hidden)
				}
			}
		})
	}
}

// The whole way: the key goes through a transfer, with echo, and reaches no
// transcript, no event, no tail and no error.
func TestKeyReachesNothing(t *testing.T) {
	k := aKey()
	for _, secret := range []bool{true, false} {
		for _, c := range []struct {
			dev *device
			is  error
		}{
			{&device{echo: true}, nil},
			{&device{echo: true, answer: func(d *device, of string) { d.say(of, "\r\nERROR "+of) }}, ErrRefused},
			{&device{echo: true, answer: func(d *device, of string) { d.say(of[40:]) }}, ErrNoAnswer},
		} {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, guide(), c.dev)
				_, err := b.Transfer(t.Context(), File{Slot: 30, Name: "key", Data: []byte(k.pkcs8), Secret: secret})
				if !errors.Is(err, c.is) {
					t.Errorf("got %v", err)
				}
				tail := strings.Join(b.Tail(100), "\n")
				b.close(t)
				for where, text := range map[string]string{
					"transcript": b.paper.String(), "OnLine": b.shown.String(), "tail": tail, "error": fmt.Sprint(err),
				} {
					wantNoLeak(t, where, text, k.pkcs8)
				}
				shown, hidden := bytesIn(t, b.paper.String(), Sent)
				if len(shown)+hidden != len(b.line.wasSent()) {
					t.Errorf("%d bytes shown and %d masked of %d sent", len(shown), hidden, len(b.line.wasSent()))
				}
				shown, hidden = bytesIn(t, b.paper.String(), Received)
				if len(shown)+hidden != len(b.Received(0)) {
					t.Errorf("%d bytes shown and %d masked of %d received", len(shown), hidden, len(b.Received(0)))
				}
			})
		}
	}
}
