package console

import (
	"math"
	"slices"
)

// recogniser looks for keys in the symbols of one coding. Where it finds one it
// hides the bytes of the line that the symbols stand in, and from then on all
// that belongs to the key, until enough came that does not.
type recogniser struct {
	m      *masker
	coding coding
	set    *grams

	heads  heads
	x      uint64 // the last symbols
	n      int    // symbols so far
	recent [lookBack]mark
	run    int   // how many of the last symbols are of secret pieces alone
	inside bool  // in a key
	idle   int   // symbols since one that belongs to a key
	end    int64 // of what was hidden last
	hold   int64 // from here on nothing may be shown yet
}

// mark is a symbol: where it stands in the stream, and what it turned out to
// be.
type mark struct {
	from, to int64
	x        uint64 // the piece that it ends
	known    bool   // part of a piece of a key
	secret   bool   // of a secret one
	counted  bool
}

const (
	lookBack = 64 // symbols looked back at; twice the densest of the sets
	patience = 48 // symbols of something else that end a key
	bridged  = 12 // symbols of something else between two pieces of a key that are hidden with it
	fewest   = 4  // pieces that are a key's, each another one
	undone   = 16 // symbols of something else after which pieces wait no longer
)

const nothing = math.MaxInt64

func newRecogniser(m *masker, c coding, set *grams) *recogniser {
	r := &recogniser{m: m, coding: c, set: set, hold: nothing, idle: lookBack}
	switch set {
	case m.known.bytes:
		r.heads = heads{width: 8, outlines: outlinesOf(8)}
	case m.known.text:
		r.heads = heads{width: 6, outlines: outlinesOf(6)}
	}
	return r
}

func (r *recogniser) at(back int) *mark { return &r.recent[(r.n-1-back+lookBack)%lookBack] }

// symbol takes the next one, which stands at from until to.
func (r *recogniser) symbol(v byte, from, to int64) {
	r.m.stranded(r, v)
	if r.set.filter == nil {
		return
	}
	r.n++
	*r.at(0) = mark{from: from, to: to}
	r.x = r.set.next(r.x, v)
	k := foreign
	if r.n >= r.set.size {
		k = r.set.is(r.x)
	}
	r.idle++
	if k != foreign {
		r.idle = 0
		for i := range r.set.size {
			r.at(i).known = true
			r.at(i).secret = r.at(i).secret || k == secret
		}
	}
	switch {
	case k == secret:
		r.at(0).x = r.x
		r.run = max(r.run+1, r.set.size)
	default:
		r.run = 0
	}
	switch {
	case !r.inside && k == secret && (r.run >= r.set.enough || r.dense()) && r.differ():
		r.inside = true
		r.uncover()
	case r.inside && k != foreign:
		r.bridge()
	case r.inside && r.idle > patience:
		r.inside = false
	}
	r.hold = r.holds()
}

func (r *recogniser) dense() bool {
	n := 0
	for i := range min(r.n, 2*r.set.dense) {
		if r.at(i).secret {
			n++
		}
	}
	return n >= r.set.dense
}

// differ reports whether several pieces were seen. A text that repeats itself is
// of few, and one of them is in some key by chance.
func (r *recogniser) differ() bool {
	var seen [fewest]uint64
	n := 0
	for i := range min(r.n, lookBack) {
		if x := r.at(i).x; x != 0 && !slices.Contains(seen[:n], x) {
			seen[n] = x
			if n++; n == fewest {
				return true
			}
		}
	}
	return false
}

// uncover hides what showed that this is a key.
func (r *recogniser) uncover() {
	first := 0
	for i := range min(r.n, lookBack) {
		if r.at(i).secret {
			first = i
			r.count(r.at(i))
		}
	}
	r.hide(r.at(first).from, r.at(0).to)
}

// bridge hides a piece, and what little stands between it and the one before.
func (r *recogniser) bridge() {
	from := r.at(min(r.set.size, r.n) - 1).from
	for i := range min(r.n, bridged+r.set.size) {
		if r.at(i).from <= r.end {
			from = min(from, r.end)
			break
		}
	}
	if r.at(0).x != 0 {
		r.count(r.at(0))
	}
	r.hide(from, r.at(0).to)
}

func (r *recogniser) count(m *mark) {
	if m.x != 0 && !m.counted {
		m.counted = true
		r.m.found(r.coding, m.x)
	}
}

func (r *recogniser) hide(from, to int64) {
	r.end = to
	r.m.hide(from, to, r.coding)
}

// holds is from where on the bytes are not decided: those since the last piece
// of a key, or of pieces that are too few yet, or of the symbols that may begin
// one.
func (r *recogniser) holds() int64 {
	first := int64(nothing)
	switch {
	case r.inside && r.idle <= bridged:
		first = r.end
	case !r.inside && r.idle <= undone:
		for i := range min(r.n, 2*r.set.dense) {
			if r.at(i).secret {
				first = r.at(i).from
			}
		}
	}
	for i := range min(r.n, r.set.size-1) {
		if may := r.at(i).from; may >= r.m.lineStart {
			first = min(first, may)
		}
	}
	return first
}

// lineEnded lets symbols go that alone are nothing: a line is not to wait for
// the next one.
func (r *recogniser) lineEnded() {
	r.heads.line = 0
	r.m.stranger.lineEnded(r)
	if r.hold != nothing && r.n > 0 {
		r.hold = r.holds()
	}
}
