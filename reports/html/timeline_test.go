package html

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"hilrig/record"
)

// folder is a run folder whose device d has n lines, one each tenth of a
// second; it returns the offset of each line, and the file's end.
func folder(t *testing.T, n int) (dir string, offsets []int64) {
	t.Helper()
	dir = t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "devices", "d"), 0o755); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	for i := range n {
		offsets = append(offsets, int64(b.Len()))
		line, err := json.Marshal(record.Event{At: at(i), Source: record.SourceMQTT, Kind: "packet", Text: fmt.Sprintf("line-%d", i)})
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(line, '\n'))
	}
	if err := os.WriteFile(filepath.Join(dir, "devices", "d", "timeline.jsonl"), b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir, append(offsets, int64(b.Len()))
}

func at(i int) float64 { return float64(i+1) / 10 }

// The lines around the moment that decided are shown, also where it was long
// before the spec began or in the middle of a file of any size.
func TestTheDecisiveMomentIsShown(t *testing.T) {
	const n = 20000
	dir, offsets := folder(t, n)
	for _, c := range []struct {
		name     string
		from, to int // lines of the spec
		at       float64
		decisive string
	}{
		{"within the spec", 100, 200, at(150), "line-150"},
		{"before the spec", 15000, 15100, at(20), "line-20"},
		{"just before the spec, in the same page", 15000, 15100, at(14990), "line-14990"},
		{"the line before the spec", 100, 101, at(99), "line-99"},
		{"written a little late", 100, 200, at(205), "line-205"},
		{"far before the spec", 19000, n, at(9000), "line-9000"},
		{"in a long spec", 10, n, at(12345), "line-12345"},
		{"the first line", 0, 50, at(0), "line-0"},
		{"the last line", 0, n, at(n - 1), fmt.Sprintf("line-%d", n-1)},
		{"waited for in vain", 100, 200, at(150) + 0.05, "seen until here: nothing"},
		{"behind the last line", 100, 200, at(n + 5), "seen until here: nothing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := record.SpecResult{At: c.at, Seen: "nothing", Evidence: record.Evidence{TimelineFrom: offsets[c.from], TimelineTo: offsets[c.to]}}
			got := timeline(dir, "d", s)
			var marked []string
			for _, m := range got.Around {
				if m.Decisive {
					marked = append(marked, m.Text)
				}
			}
			if len(marked) != 1 || marked[0] != c.decisive {
				t.Errorf("marked %q, want %q", marked, c.decisive)
			}
			if all := len(got.Before) + len(got.Around) + len(got.After); all > openBefore+1+openAfter+foldedBefore+foldedAfter {
				t.Errorf("%d lines", all)
			}
		})
	}
}

// Without a moment the end of the spec is shown.
func TestWithoutAMomentTheEndIsShown(t *testing.T) {
	dir, offsets := folder(t, 300)
	got := timeline(dir, "d", record.SpecResult{Evidence: record.Evidence{TimelineFrom: offsets[100], TimelineTo: offsets[250]}})
	if last := got.Around[len(got.Around)-1]; last.Text != "line-249" || last.Decisive || got.Cut == 0 {
		t.Errorf("ends with %+v, %d cut", last, got.Cut)
	}
}
