package console

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"

	"hilrig/record"
)

func TestBytesMissingInAnEchoAreCounted(t *testing.T) {
	sent := significant([]byte(aKey().certificate))
	lossy := func(every int) (kept []byte, lost int) {
		r := rand.New(rand.NewPCG(1, uint64(every)))
		for _, c := range sent {
			if r.IntN(every) == 0 {
				lost++
				continue
			}
			kept = append(kept, c)
		}
		return kept, lost
	}
	few, lostFew := lossy(100)
	many, lostMany := lossy(7)
	most, lostMost := lossy(3)
	head := "9270,20SEND FILE..."
	for name, c := range map[string]struct {
		received string
		want     int
	}{
		"whole":             {head + string(sent) + "*" + okText, 0},
		"few":               {head + string(few) + "*" + okText, lostFew},
		"one in seven":      {head + string(many) + "*" + okText, lostMany},
		"one in three":      {head + string(most) + "*" + okText, lostMost},
		"the end":           {head + string(sent[:900]), len(sent) - 900},
		"the beginning":     {head + string(sent[300:]) + "*", 300},
		"no echo":           {head + okText, 0},
		"log lines":         {head + strings.Repeat("[12.345] wifi: connected to MIIC hub, rssi -61", 40) + okText, 0},
		"log lines between": {head + string(sent[:500]) + "[1.0] wifi: up" + string(sent[500:]) + "*" + okText, 0},
		"stars":             {head + strings.Repeat("*", len(sent)) + okText, 0},
		"another file":      {head + string(significant([]byte(aKey().pkcs8)))[40:], 0},
	} {
		if got := missingOf(sent, []byte(c.received)); (got == 0) != (c.want == 0) || got > c.want || got < c.want-12 { // some words around fit by chance
			t.Errorf("%s: %d bytes are missing, want %d", name, got, c.want)
		}
	}
}

// What the echo proves is said at the load, whatever the device answers.
func TestALoadSaysWhatItsEchoLacks(t *testing.T) {
	for _, answer := range []string{okText, "ERROR: certificate: no END line", ""} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, guide(), &device{echo: true, deaf: 11, answer: func(d *device, _ string) { d.say(answer + "\r\n") }})
			r, err := b.Transfer(t.Context(), File{Slot: 20, Data: []byte(aKey().certificate)})
			b.close(t)
			if r.Missing < 80 || r.Missing > 140 || !strings.Contains(r.Lost(), "bytes are missing in its echo") {
				t.Errorf("%q: %d of %d bytes missing", answer, r.Missing, r.Sent)
			}
			if (err == nil) != (answer == okText) || err != nil && !strings.Contains(err.Error(), "bytes are missing in its echo") {
				t.Errorf("%q: %v", answer, err)
			}
			if f := (*record.Failure)(nil); err != nil && (!errors.As(err, &f) || f.Cure != LossCure) {
				t.Errorf("%q: %v, want the line looked at before the file", answer, err)
			}
			if answer == "" && !errors.Is(err, ErrNoAnswer) {
				t.Errorf("%v", err)
			}
		})
	}
}
