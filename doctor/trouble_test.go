package doctor

import (
	"slices"
	"testing"
)

func TestOneCauseOnManyBoardsIsOneTrouble(t *testing.T) {
	lineOf := func(name, line, what string, more ...Result) Board {
		return Board{name, append([]Result{{Name: "line", State: Bad, What: what, Cure: "plug it in"}}, more...), ownNames(name, "id-of-"+name, line)}
	}
	for _, c := range []struct {
		name   string
		boards []Board
		want   [][]string // devices of each trouble
		alike  bool       // of the first
	}{
		{"nothing is wrong", []Board{{Device: "a", Checks: []Result{{Name: "line", State: OK, What: "fine"}}}}, nil, false},
		{"word for word the same", []Board{lineOf("a", "", "is gone"), lineOf("b", "", "is gone")}, [][]string{{"a", "b"}}, false},
		{"the same, of one that is called as a word of it", []Board{lineOf("a", "", "the cable is gone"), lineOf("cable", "", "the cable is gone")}, [][]string{{"a", "cable"}}, false},
		{"other lines", []Board{lineOf("bed", "/dev/left", "/dev/left is gone"), lineOf("sofa", "/dev/right", "/dev/right is gone")}, [][]string{{"bed", "sofa"}}, true},
		{"other names and numbers", []Board{lineOf("bed", "", "bed: id-of-bed loses 20 %"), lineOf("sofa", "", "sofa: id-of-sofa loses 33 %")}, [][]string{{"bed", "sofa"}}, true},
		{"another cause", []Board{lineOf("a", "", "is gone"), lineOf("b", "", "is held")}, [][]string{{"a"}, {"b"}}, false},
		{
			"another check, as grave and in the same words",
			[]Board{lineOf("a", "", "is gone", Result{Name: "power", State: Bad, What: "is gone", Cure: "plug it in"})},
			[][]string{{"a"}, {"a"}}, false,
		},
		{"a warning that was met first", []Board{{"b", []Result{{Name: "line", State: Warn, What: "is gone"}}, ownNames("b", "", "")}, lineOf("a", "", "is gone")}, [][]string{{"a"}, {"b"}}, false},
		{"less grave", []Board{lineOf("a", "", "is gone"), {"b", []Result{{Name: "line", State: Warn, What: "is gone", Cure: "plug it in"}}, ownNames("b", "", "")}}, [][]string{{"a"}, {"b"}}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got [][]string
			all := Troubles(c.boards)
			for _, x := range all {
				got = append(got, x.Devices)
			}
			if !slices.EqualFunc(got, c.want, slices.Equal) {
				t.Fatalf("%q, want %q", got, c.want)
			}
			if len(all) > 0 && all[0].Alike != c.alike {
				t.Errorf("alike is %v", all[0].Alike)
			}
		})
	}
}
