package console

import (
	"slices"
	"time"
)

// Exposure is a known private key, or a part of one, that came from the device
// and is no echo of what was sent to it.
type Exposure struct {
	Coding   string    // for people: "in hex"
	From, To time.Time // when its first and its last piece came
	Pieces   int       // how much: places of the key at which a short piece was seen
}

// exposed keeps what the device has shown of the keys. Of a key that is being
// sent to it each piece may come back once.
type exposed struct {
	all  []Exposure
	echo map[uint64]int // pieces of the text that is being sent which have not come back
	back Exposure       // those that have
}

const (
	togetherWithin = 2 * time.Second // of two pieces of one exposure
	leastPieces    = 12              // fewer are a word of a key's frame, or a repeated stretch of an echo
	maxExposures   = 256
)

func (e *exposed) found(c coding, piece uint64, at time.Time) {
	if c == asText && e.echo[piece] > 0 {
		e.echo[piece]--
		e.back.add(at)
		return
	}
	e.last(string(c), at).add(at)
}

// last is the exposure that something which is seen now belongs to.
func (e *exposed) last(coding string, at time.Time) *Exposure {
	for i := len(e.all) - 1; i >= 0; i-- {
		if l := &e.all[i]; l.Coding == coding && at.Sub(l.To) <= togetherWithin {
			return l
		}
	}
	if len(e.all) >= maxExposures {
		e.all = slices.DeleteFunc(e.all, func(x Exposure) bool { return x.Pieces < leastPieces })
	}
	if len(e.all) < maxExposures {
		e.all = append(e.all, Exposure{Coding: coding})
	}
	return &e.all[len(e.all)-1]
}

func (x *Exposure) add(at time.Time) {
	if x.Pieces == 0 {
		x.From = at
	}
	x.Pieces++
	x.To = at
}

// expect says that a text is sent, of which a device that echoes sends each
// piece back.
func (e *exposed) expect(known *grams, text []byte) {
	e.echo, e.back = map[uint64]int{}, Exposure{Coding: string(asText)}
	known.each(values(base64Text(text)), func(x uint64) { e.echo[x]++ })
}

// answered says that the device has taken the text: what it echoes has come. A
// device that does not echo has said on its own what came back.
func (e *exposed) answered(echoes bool) {
	if !echoes && e.back.Pieces >= leastPieces {
		e.all = append(e.all, e.back)
	}
	e.echo, e.back = nil, Exposure{}
}

// sending is a transfer that begins; key is what it sends if that is secret.
func (t *Transcript) sending(key []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.exposed.echo = nil
	if key != nil {
		t.exposed.expect(t.known.text, key)
	}
}

// answered is the end of a transfer that the device has answered.
func (t *Transcript) answered(echoes bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.exposed.echo != nil {
		t.exposed.answered(echoes)
	}
}

// Exposures are the keys, of those made known, that the device has shown so
// far, whatever their coding, beyond the echo of what was sent to it. Pieces
// too few to be told from chance are left out.
func (t *Transcript) Exposures() []Exposure {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []Exposure
	for _, x := range t.exposed.all {
		if x.Pieces >= leastPieces {
			all = append(all, x)
		}
	}
	return all
}
