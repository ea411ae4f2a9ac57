package history

import (
	"reflect"
	"testing"
	"time"

	"hilrig/record"
)

// What failed counts as failed where it passed at another attempt too; what has
// no verdict, and a run without an end, do not count.
func TestTheResultsOfAFirmware(t *testing.T) {
	h := opened(t, t.TempDir())
	flaky, emulated, killed := night(3, "2.4.0", p, p), night(4, "2.4.0", p), night(5, "2.4.0", f)
	flaky.Devices[0].Specs[0].Flaky = true
	emulated.Devices[0].Hardware.Serial, emulated.Devices[0].Emulated = "E1", true
	emulated.Devices[0].Running.Known = record.Claimed
	killed.Run.Ended = time.Time{}
	told(t, h, night(0, "2.4.0", p, f), night(1, "2.4.0", w, e), night(2, "2.4.0", n, n), flaky, emulated, killed, night(6, "2.4.1", f, f))
	want := []Results{
		{"tls/version", "ads300", false, record.Asked, 2, 5},
		{"tls/version", "ads300", true, record.Claimed, 0, 1},
	}
	for _, asked := range [][2]string{{"2.4.0", ""}, {"", "sum-2.4.0"}, {"another name", "sum-2.4.0"}} {
		if got, err := h.ResultsOf(t.Context(), asked[0], asked[1]); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v: %+v %v", asked, got, err)
		}
	}
	for _, asked := range [][2]string{{"", ""}, {"9.9", ""}, {"2.4.0", "sum-of-another"}} {
		if got, err := h.ResultsOf(t.Context(), asked[0], asked[1]); err != nil || len(got) != 0 {
			t.Errorf("%v: %+v %v", asked, got, err)
		}
	}
}
