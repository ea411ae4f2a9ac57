package hub

import (
	"cmp"
	"strings"
)

// Letter is something that a hub shows or can do, as specs ask for it.
type Letter byte

// The letters.
const (
	Arrivals   Letter = 'A' // messages that arrived
	Handshakes Letter = 'W' // handshakes on the wire
	AllPackets Letter = 'K' // every MQTT packet, both ways
	AnyFault   Letter = 'L' // faults below MQTT's surface
	BadLinks   Letter = 'N' // a bad link
	Drops      Letter = 'D' // ends the device's session
	Refusals   Letter = 'F' // refuses the device for a while
	Speaks     Letter = 'S' // speaks to the device
	Knows      Letter = 'R' // knows devices by thumbprint
	Became     Letter = 'B' // says what became of messages to the device
)

// Letters is a set of them, in the order of the constants.
type Letters string

// Has reports whether l is in the set.
func (s Letters) Has(l Letter) bool { return strings.IndexByte(string(s), byte(l)) >= 0 }

// With is the set with those of another.
func (s Letters) With(other Letters) Letters {
	var b strings.Builder
	for _, row := range table {
		if s.Has(row.letter) || other.Has(row.letter) {
			b.WriteByte(byte(row.letter))
		}
	}
	return Letters(b.String())
}

// table has for each letter why a spec that asks for it is not applicable
// where it is missing.
var table = []struct {
	letter  Letter
	without string
}{
	{Arrivals, "this hub shows no messages"},
	{Handshakes, "this hub does not show the handshake (a tap would)"},
	{AllPackets, "this hub does not show the packets"},
	{AnyFault, "this hub shows no faults"},
	{BadLinks, "needs the local hub or a tap"},
	{Drops, "this hub cannot end the device's session"},
	{Refusals, "this hub cannot refuse the device for a while"},
	{Speaks, "this hub does not speak to the device"},
	{Knows, "register the identity by hand and give it in the rig file"},
	{Became, "this hub does not say what becomes of messages to the device"},
}

// Without says why what asks for l is not applicable where it is missing.
func (l Letter) Without() string {
	for _, row := range table {
		if row.letter == l {
			return row.without
		}
	}
	return ""
}

// What each kind of hub shows and can do, and what a tap in front of it adds.
// At a hub elsewhere the rig ends a session by taking it over with the device's
// own identity.
const (
	OfLocal  Letters = "AWKLNDFSR"
	OfBroker Letters = "ADSR"
	OfAzure  Letters = "ADSRB"
	OfTap    Letters = "WNDF"
)

// Kinds are the kinds of hubs, as rig files name them.
func Kinds() []string { return []string{"local", "broker", "azure"} }

// OfKind is what a kind of hub shows and can do, by itself or with a tap in
// front; false for a kind that there is not.
func OfKind(kind string, tap bool) (Letters, bool) {
	l, known := map[string]Letters{"local": OfLocal, "broker": OfBroker, "azure": OfAzure}[kind]
	if tap && known {
		l = l.With(OfTap)
	}
	return l, known
}

// Lacking is the error of what was asked of a hub that cannot do it. It is
// nobody's fault: whoever meets it is not applicable there.
type Lacking struct {
	Letter Letter
	Why    string // empty: as ever where the letter is missing
}

func (l Lacking) Error() string { return cmp.Or(l.Why, l.Letter.Without()) }
