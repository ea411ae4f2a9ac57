package arm

import (
	"maps"
	"slices"
)

// Edition is what of a hub's SKU decides what messages cost.
type Edition struct {
	MessageBytes int // that count as one message; each begun
	USD          int // a month and unit, whatever is sent; list price
}

// editions are Microsoft's (IoT Hub pricing, "Message meter size" and price).
var editions = map[string]Edition{
	"F1": {512, 0},
	"B1": {4096, 10}, "B2": {4096, 50}, "B3": {4096, 500},
	"S1": {4096, 25}, "S2": {4096, 250}, "S3": {4096, 2500},
}

// EditionOf is that of a SKU; false for one that is not known.
func EditionOf(sku string) (Edition, bool) {
	e, known := editions[sku]
	return e, known
}

// Editions are the SKUs that are known, in the order of their names.
func Editions() []string { return slices.Sorted(maps.Keys(editions)) }

// Left is how many messages the day has left.
func (q Quota) Left() int64 { return max(0, q.MaxMessages-q.Messages) }
