package history

import (
	"reflect"
	"slices"
	"testing"

	"hilrig/record"
)

// A rig file may give an emulated device a real board's serial number. What the
// emulated one does is not the board's, whichever the history saw first.
func TestAnEmulatedBoardIsNotTheRealOneOfItsSerial(t *testing.T) {
	real1, emulated, real2 := night(0, "2.4.0", p), night(1, "2.4.0", f), night(2, "2.4.0", p)
	emulated.Devices[0].Emulated = true
	serial := real1.Devices[0].Hardware.Serial
	for name, runs := range map[string][]*record.Record{"real first": {real1, emulated, real2}, "emulated first": {emulated, real1, real2}} {
		h := opened(t, t.TempDir())
		told(t, h, runs...)
		got, err := h.ResultsOf(t.Context(), "2.4.0", "")
		slices.SortFunc(got, func(a, b Results) int { return a.Of - b.Of })
		want := []Results{{"tls/version", "ads300", true, record.Asked, 1, 1}, {"tls/version", "ads300", false, record.Asked, 0, 2}}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v %v", name, got, err)
		}
		for board, n := range map[string]int{serial: 2, serial + " (emulated)": 1} {
			if entries, err := h.Board(t.Context(), board, 10); err != nil || len(entries) != n {
				t.Errorf("%s: %s has %d entries, want %d (%v)", name, board, len(entries), n, err)
			}
		}
	}
}
