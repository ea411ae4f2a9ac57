package console

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestASetIsLoadedInOrderOrSaysWhatTheDeviceHolds(t *testing.T) {
	refused := func(n int) func(*device, string) {
		return func(d *device, of string) {
			if len(d.took()) == n {
				d.say("\r\nERROR\r\n")
				return
			}
			sayOK(d, of)
		}
	}
	for name, c := range map[string]struct {
		dev   *device
		took  int
		is    error
		holds string
	}{
		"all three":         {dev: &device{}, took: 3},
		"no prompt for one": {dev: &device{noPrompt: true, leaves: 1}, is: ErrNoPrompt, holds: "the device has taken none of them for certain; what it made of root is not known"},
		"the first refused": {dev: &device{answer: refused(1)}, is: ErrRefused, holds: "the device has taken none of them for certain; what it made of root is not known"},
		"the last refused":  {dev: &device{answer: refused(3)}, took: 2, is: ErrRefused, holds: "the device has taken root and certificate; what it made of key is not known"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, guide(), c.dev)
				var said []string
				set := Set{
					Begin: func(f File) (func(int, int), func()) {
						said = append(said, "begin "+f.Name)
						return nil, func() { said = append(said, "done") }
					},
					Took: func(f File, r Receipt) { said = append(said, fmt.Sprintf("took %s %s", f.Slot.Command(), r.Answer)) },
				}
				for slot, name := range map[Slot]string{SlotRoot: "root", SlotCertificate: "certificate", SlotKey: "key"} {
					set.Files = append(set.Files, File{Slot: slot, Name: name, Data: []byte(aKey().certificate)})
				}
				slices.SortFunc(set.Files, func(x, y File) int { return int(x.Slot - y.Slot) })
				holds, err := b.LoadSet(t.Context(), time.Second, set)
				if !errors.Is(err, c.is) || holds != c.holds || b.InFile() {
					t.Errorf("%v, and %q; in a file: %v", err, holds, b.InFile())
				}
				var took []string
				for _, s := range said {
					if strings.HasPrefix(s, "took ") {
						took = append(took, s)
					}
				}
				if len(took) != c.took || c.took == 3 && strings.Join(said[:3], ", ") != "begin root, done, took 9270,10 COMMAND PROCESSED OK" {
					t.Errorf("said %q", said)
				}
				b.close(t)
			})
		})
	}
}
