package history

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"hilrig/record"
)

// Cell is a spec with one firmware, over all boards of a type.
type Cell struct {
	Type     string
	Spec     string
	Firmware int64 // its number
	Boards   int
	Failing  int // boards that failed it last
	Counts
	Changes int
}

// Cells are all specs with all firmwares, by type and spec.
func (h *History) Cells(ctx context.Context) ([]Cell, error) {
	specs, err := h.names(ctx, "SELECT id, name FROM spec")
	if err != nil {
		return nil, err
	}
	// They come as they lie: a sort of all of them in the database takes longer
	// than all else.
	type line struct{ kind, spec string }
	lines := map[line][]Cell{}
	_, err = ask(ctx, h, "SELECT type, spec, firmware, boards, last, passed, warned, failed, errors, without, changes FROM total",
		func(scan func(...any) error) (none struct{}, err error) {
			var c Cell
			var spec int64
			if err := scan(&c.Type, &spec, &c.Firmware, &c.Boards, &c.Failing, &c.Passed, &c.Warned, &c.Failed, &c.Errors, &c.Without, &c.Changes); err != nil {
				return none, err
			}
			c.Spec = specs[spec]
			at := line{c.Type, c.Spec}
			lines[at] = append(lines[at], c)
			return none, nil
		})
	order := slices.SortedFunc(maps.Keys(lines), func(a, b line) int { return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.spec, b.spec)) })
	all := make([]Cell, 0, len(lines))
	for _, at := range order {
		all = append(all, lines[at]...)
	}
	return all, err
}

// Tested is a firmware and its last run.
type Tested struct {
	Number      int64
	Version     string
	SHA256      string
	First, Last time.Time
	Dir         string // of its last run
}

// Tests are all firmwares, the one that came last first.
func (h *History) Tests(ctx context.Context) ([]Tested, error) {
	return ask(ctx, h, `SELECT f.id, f.version, f.sha256, (SELECT min(t.first) FROM total t WHERE t.firmware = f.id), l.last, l.dir
		FROM (SELECT e.firmware, max(run.started) AS last, run.dir FROM entry e JOIN run ON run.seq = e.run GROUP BY e.firmware) l JOIN firmware f ON f.id = l.firmware ORDER BY coalesce((SELECT min(t.first) FROM total t WHERE t.firmware = f.id), l.last) DESC`,
		func(scan func(...any) error) (t Tested, err error) {
			var first *int64
			var last int64
			err = scan(&t.Number, &t.Version, &t.SHA256, &first, &last, &t.Dir)
			t.Last = time.UnixMilli(last).UTC()
			t.First = t.Last
			if first != nil {
				t.First = time.UnixMilli(*first).UTC()
			}
			return t, err
		})
}

// Measurement is what was measured over the boards of a type, run by run, the
// oldest first.
type Measurement struct {
	Spec, Name, Unit, Type string
	Runs                   []Measure
}

// Measure is what a run measured.
type Measure struct {
	Started           time.Time
	Dir               string
	Outside           int // boards beyond a limit
	Low, Middle, High float64
	Least, Most       *float64 // limits
	line              string
	serials           map[int64]string
}

// Each are the boards with their values, the smallest first; none where an
// earlier hilrig told of the run.
func (m Measure) Each() []Value { return values(m.line, m.serials) }

// Measures are what was measured since some time.
func (h *History) Measures(ctx context.Context, since time.Time) ([]Measurement, error) {
	serials, err := h.names(ctx, "SELECT id, serial FROM board")
	if err != nil {
		return nil, err
	}
	type numbered[T any] struct {
		id int64
		of T
	}
	runs, err := ask(ctx, h, "SELECT seq, started, dir FROM run WHERE started >= ?", func(scan func(...any) error) (r numbered[Measure], err error) {
		var started int64
		err = scan(&r.id, &started, &r.of.Dir)
		r.of.Started = time.UnixMilli(started).UTC()
		return r, err
	}, since.UnixMilli())
	if err != nil {
		return nil, err
	}
	named, err := ask(ctx, h, "SELECT id, spec, name, unit, type FROM measurement ORDER BY spec, name, type, id", func(scan func(...any) error) (m numbered[Measurement], err error) {
		return m, scan(&m.id, &m.of.Spec, &m.of.Name, &m.of.Unit, &m.of.Type)
	})
	if err != nil {
		return nil, err
	}
	began := make(map[int64]Measure, len(runs))
	for _, r := range runs {
		began[r.id] = r.of
	}
	all, index := make([]Measurement, len(named)), make(map[int64]int, len(named))
	for i, m := range named {
		all[i], index[m.id] = m.of, i
	}
	_, err = ask(ctx, h, "SELECT measurement, run, outside, low, middle, high, least, most, of_boards FROM measured", // as they lie
		func(scan func(...any) error) (none struct{}, err error) {
			var measurement, run int64
			var m Measure
			if err := scan(&measurement, &run, &m.Outside, &m.Low, &m.Middle, &m.High, &m.Least, &m.Most, &m.line); err != nil {
				return none, err
			}
			at, shown := began[run]
			if i, known := index[measurement]; shown && known {
				m.Started, m.Dir, m.serials = at.Started, at.Dir, serials
				all[i].Runs = append(all[i].Runs, m)
			}
			return none, nil
		})
	for _, m := range all {
		slices.SortStableFunc(m.Runs, func(a, b Measure) int { return a.Started.Compare(b.Started) })
	}
	return slices.DeleteFunc(all, func(m Measurement) bool { return len(m.Runs) == 0 }), err
}

// Place is a board in a run.
type Place struct {
	Serial, Type string
	Emulated     bool
	Slot, Rig    string
	Started      time.Time
	Dir          string
	Verdict      record.Verdict
	Runs         int // of the board, up to this one
}

// Places are the last runs of every board, each board's in turn, the newest
// first.
func (h *History) Places(ctx context.Context, most int) ([]Place, error) {
	return ask(ctx, h, `SELECT serial, type, emulated, name, rig, started, dir, verdict, runs FROM (
			SELECT b.serial, b.type, b.emulated, e.name, run.rig, run.started, run.dir, e.verdict, count(*) OVER (PARTITION BY e.board) AS runs,
				row_number() OVER (PARTITION BY e.board ORDER BY run.started DESC) AS n
			FROM entry e JOIN run ON run.seq = e.run JOIN board b ON b.id = e.board) WHERE n <= ? ORDER BY serial, type, n`,
		func(scan func(...any) error) (p Place, err error) {
			var started int64
			err = scan(&p.Serial, &p.Type, &p.Emulated, &p.Slot, &p.Rig, &started, &p.Dir, &p.Verdict, &p.Runs)
			p.Started = time.UnixMilli(started).UTC()
			return p, err
		}, most)
}
