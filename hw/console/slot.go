package console

import "fmt"

// Slot is the n of the guide's command 9270,n: where a file goes (guide section
// 4).
type Slot int

// The three slots.
const (
	SlotRoot        Slot = 10
	SlotCertificate Slot = 20
	SlotKey         Slot = 30
)

// Slots are the three, in the guide's order.
func Slots() []Slot { return []Slot{SlotRoot, SlotCertificate, SlotKey} }

func (s Slot) String() string {
	switch s {
	case SlotRoot:
		return "root certificate"
	case SlotCertificate:
		return "device certificate"
	case SlotKey:
		return "private key"
	}
	return fmt.Sprintf("slot %d", int(s))
}

// Command opens the slot.
func (s Slot) Command() string { return fmt.Sprintf("9270,%d", int(s)) }
