package frontdoor

import (
	"fmt"
	"net/netip"
	"slices"
)

// Board is one whose connections come in at a shared port.
type Board struct {
	Name string
	From netip.Prefix // its source address; not valid: whatever belongs to no other
}

// ParseSource reads a source address, or a prefix of addresses.
func ParseSource(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil {
		a = a.Unmap().WithZone("")
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is neither an address nor a prefix of addresses", text)
	}
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 { // a connection's address is unmapped too
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	return p.Masked(), nil
}

// owners are the boards that an address can belong to: those of the longest
// prefix that holds it, else those without one.
func owners(boards []Board, from netip.Addr) (of []Board) {
	longest := -1
	for _, b := range boards {
		bits := -1
		if b.From.IsValid() {
			if !b.From.Contains(from) {
				continue
			}
			bits = b.From.Bits()
		}
		switch {
		case bits > longest:
			longest, of = bits, []Board{b}
		case bits == longest:
			of = append(of, b)
		}
	}
	return of
}

// Turns are the boards that no source address tells from the named one, itself
// among them: one of them at a time may be let in. It is nil where it is alone.
func Turns(boards []Board, name string) (names []string) {
	i := slices.IndexFunc(boards, func(b Board) bool { return b.Name == name })
	if i < 0 {
		return nil
	}
	for _, b := range boards {
		if b.From == boards[i].From {
			names = append(names, b.Name)
		}
	}
	if len(names) < 2 {
		return nil
	}
	return names
}
