package record

import (
	"cmp"
	"fmt"
	"time"
)

// Mark is how a spec ended on a device in an earlier run.
type Mark struct {
	Run      int64 // tells runs apart
	At       time.Time
	Firmware string
	Verdict  Verdict
}

// Says is the mark in words.
func (m Mark) Says() string {
	return fmt.Sprintf("%s: %s with %s", m.At.UTC().Format("2006-01-02 15:04"), m.Verdict, cmp.Or(m.Firmware, "firmware not named"))
}
