package console

import "slices"

// kind says what a piece of a text is.
type kind byte

const (
	foreign kind = iota // in no key
	open                // in a key, and in its public half too
	secret
)

// grams are the short pieces of all known keys in one alphabet. A piece alone
// says little: it occurs by chance. Several in a row are a key. Symbols are of
// eight bits at most.
type grams struct {
	size   int // symbols of a piece, 8 at most
	enough int // symbols in a row, of secret pieces only, that are a key's
	dense  int // symbols of secret pieces among the last two times as many that are a key's, gaps and all
	all    pieces
	public pieces
	filter []uint64 // bits by hash: most of what comes is in no key, and is told so at once
}

const filterBits = 22

func newGrams(size, enough, dense int) *grams {
	return &grams{size: size, enough: enough, dense: dense}
}

// pieces are a set that grows by ten thousand at a time: they are put into order
// when one is next looked for, which is a fifth of the work of a map.
type pieces struct {
	list    []uint64
	ordered bool
}

func (p *pieces) add(x uint64) { p.list, p.ordered = append(p.list, x), false }

func (p *pieces) has(x uint64) bool {
	if !p.ordered {
		slices.Sort(p.list)
		p.list, p.ordered = slices.Compact(p.list), true
	}
	_, found := slices.BinarySearch(p.list, x)
	return found
}

// next is the last size symbols after one more came.
func (g *grams) next(x uint64, symbol byte) uint64 {
	return (x<<8 | uint64(symbol)) & (1<<(8*g.size) - 1)
}

func (g *grams) each(symbols []byte, f func(x uint64)) {
	x := uint64(0)
	for i, s := range symbols {
		if x = g.next(x, s); i+1 >= g.size {
			f(x)
		}
	}
}

func hashed(x uint64) uint64 { return x * 0x9e3779b97f4a7c15 >> (64 - filterBits) }

func (g *grams) add(symbols []byte) {
	if g.filter == nil {
		g.filter = make([]uint64, 1<<filterBits/64)
	}
	g.each(symbols, func(x uint64) {
		g.all.add(x)
		h := hashed(x)
		g.filter[h/64] |= 1 << (h % 64)
	})
}

func (g *grams) addPublic(symbols []byte) {
	g.each(symbols, g.public.add)
}

// is says what the last symbols are.
func (g *grams) is(x uint64) kind {
	if g.filter == nil {
		return foreign
	}
	if h := hashed(x); g.filter[h/64]>>(h%64)&1 == 0 {
		return foreign
	}
	switch {
	case !g.all.has(x):
		return foreign
	case g.public.has(x):
		return open
	}
	return secret
}
