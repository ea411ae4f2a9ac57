package wording_test

import (
	"testing"

	"hilrig/record"
	"hilrig/record/wording"
)

// Whoever reads what is on a board reads how that is known.
func TestWhatIsOnABoardSaysHowItIsKnown(t *testing.T) {
	for _, c := range []struct {
		running record.Running
		board   record.Hardware
		want    [2]string
	}{
		{want: [2]string{"", ""}},
		{record.Running{Version: "2.4.1", Known: record.Asked}, record.Hardware{Serial: "7", Known: record.OfAdapter}, [2]string{"2.4.1, as the device says", "7, of its serial adapter"}},
		{record.Running{SHA256: "ab", Known: record.Claimed}, record.Hardware{Serial: "7", Known: record.Claimed, Revision: "B"}, [2]string{"an image, claimed, not asked", "7, claimed, not asked, revision B"}},
		{record.Running{Version: "2.4.1", Known: record.Flashed}, record.Hardware{Revision: "B"}, [2]string{"2.4.1, flashed by hilrig", "revision B"}},
	} {
		if got := [2]string{wording.Running(c.running), wording.Board(c.board)}; got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
