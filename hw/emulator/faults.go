package emulator

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"hilrig/record"
)

// Fault is one named deviation from the sound device.
type Fault struct {
	Name     string   // for --fault
	Doc      string   // what the firmware does wrong
	Stands   string   // which real defect it stands for
	CaughtBy []string // specs that must be red, or warn, because of it
	Words    []string // which the failure message must contain
	apply    func(*behaviour)
}

// Faults is the gallery, by area and then in the catalogue's order.
func Faults() []Fault {
	return slices.Concat(consoleFaults(), storageFaults(), tlsFaults(), trustFaults(), sessionFaults(), deliveryFaults(), recoveryFaults(), inventedFaults())
}

// faulty is sound firmware of a profile, with the named faults.
func faulty(profile string, names []string) (behaviour, error) {
	b := sound()
	p, err := FindProfile(profile)
	if err != nil {
		return b, err
	}
	p.apply(&b)
	for _, name := range names {
		f, err := FindFault(name)
		if err != nil {
			return b, err
		}
		f.apply(&b)
	}
	return b, nil
}

// FindFault finds a fault by name; the error for an unknown one, of class
// usage, names the nearest.
func FindFault(name string) (Fault, error) {
	best, distance := "", 1<<30
	for _, f := range Faults() {
		if f.Name == name {
			return f, nil
		}
		if d := edits(name, f.Name); d < distance {
			best, distance = f.Name, d
		}
	}
	why := errors.New("no such fault")
	if distance <= 1+len(name)/2 {
		why = fmt.Errorf("no such fault; the nearest is %s", best)
	}
	return Fault{}, record.NewFailure(record.Usage, "find fault", name, why).
		WithCure("hilrig emulate --list-faults shows them all")
}

// edits is the Levenshtein distance of two names.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		last := row[0]
		row[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			last, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, last+cost)
		}
	}
	return row[len(b)]
}

func specs(ids string) []string { return strings.Fields(ids) }
