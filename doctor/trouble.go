package doctor

import (
	"cmp"
	"slices"

	"hilrig/record"
	"hilrig/record/wording"
)

// Trouble is what is wrong with some devices for one cause: their results differ
// in nothing but the devices' own names and in numbers.
type Trouble struct {
	Result  // of the first of them
	Devices []string
	Alike   bool // the others' results are not the same word for word
}

// Troubles are what is not ok of boards, each cause once: what is bad before what
// is a warning, and then in the order in which it was met first.
func Troubles(boards []Board) (all []Trouble) {
	type one struct {
		Result
		board Board
	}
	var found []one
	for _, b := range boards {
		for _, r := range b.Checks {
			if r.State != OK {
				found = append(found, one{r, b})
			}
		}
	}
	keys := map[Result]string{} // what is said in the same words is the same, also of a device that is called as one of them
	cause := func(o one) string {
		key, known := keys[o.Result]
		if !known {
			key = o.Name + "\x00" + string(o.State) + "\x00" + wording.KeyOn(o.board.own, o.What+"\x00"+o.Cure)
			keys[o.Result] = key
		}
		return key
	}
	for _, same := range wording.Together(found, cause) {
		t := Trouble{Result: same[0].Result}
		for _, o := range same {
			t.Devices = append(t.Devices, o.board.Device)
			t.Alike = t.Alike || o.Result != t.Result
		}
		all = append(all, t)
	}
	slices.SortStableFunc(all, func(a, b Trouble) int { return cmp.Compare(rank[a.State], rank[b.State]) })
	return all
}

// rank is that of a state among others, the gravest first.
var rank = map[State]int{Bad: 0, Warn: 1, OK: 2}

// ownNames are what a text may call the device that it is said of.
func ownNames(name, id, line string) record.DeviceRecord {
	return record.DeviceRecord{Name: name, DeviceID: id, DeviceFacts: record.DeviceFacts{Port: line}}
}
