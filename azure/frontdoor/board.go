package frontdoor

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Board is one whose connections come in at a shared port.
type Board struct {
	Name string
	From netip.Prefix // its source address; not valid: whatever belongs to no other
	Host string       // the hub's name as its ClientHello must give it; empty: not known
}

// named is the name by which its ClientHello tells it from others; empty where
// there can be none: SNI carries no IP address (RFC 6066, section 3).
func (b Board) named() string {
	if _, err := netip.ParseAddr(b.Host); err == nil {
		return ""
	}
	return strings.ToLower(b.Host)
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

// namesTell reports whether boards of one address are told apart by the hub that
// they name: there are several, and the name of each is known.
func namesTell(boards []Board) bool {
	names := map[string]bool{}
	for _, b := range boards {
		names[b.named()] = true
	}
	return len(names) > 1 && !names[""]
}

// neighbours are the boards of the named one's source address, itself first; none
// where it is not there.
func neighbours(boards []Board, name string) (all []Board) {
	i := slices.IndexFunc(boards, func(b Board) bool { return b.Name == name })
	if i < 0 {
		return nil
	}
	all = append(all, boards[i])
	for _, b := range boards {
		if b.From == all[0].From && b.Name != name {
			all = append(all, b)
		}
	}
	return all
}

// Turns are the boards that neither a source address nor the name of a hub tells
// from the named one, itself among them: one of them at a time may be let in. It
// is nil where it is alone.
func Turns(boards []Board, name string) (names []string) {
	beside := neighbours(boards, name)
	byName := namesTell(beside)
	for _, b := range boards {
		if slices.Contains(beside, b) && (!byName || b.named() == beside[0].named()) {
			names = append(names, b.Name)
		}
	}
	if len(names) < 2 {
		return nil
	}
	return names
}

// ByName reports whether the named board is told from others of its source
// address by the hub that it names.
func ByName(boards []Board, name string) bool { return namesTell(neighbours(boards, name)) }
