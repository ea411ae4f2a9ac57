package history

import (
	"context"
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

// Cells are all specs with all firmwares.
func (h *History) Cells(ctx context.Context) ([]Cell, error) {
	return ask(ctx, h, `SELECT t.type, s.name, t.firmware, t.boards,
			t.last, t.passed, t.warned, t.failed, t.errors, t.without, t.changes
		FROM total t JOIN spec s ON s.id = t.spec ORDER BY t.type, s.name`,
		func(scan func(...any) error) (c Cell, err error) {
			return c, scan(&c.Type, &c.Spec, &c.Firmware, &c.Boards, &c.Failing, &c.Passed, &c.Warned, &c.Failed, &c.Errors, &c.Without, &c.Changes)
		})
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

// Measure is what a run measured over the boards of a type.
type Measure struct {
	Spec, Name, Unit, Type string
	Started                time.Time
	Dir                    string
	Boards, Outside        int
	Low, Middle, High      float64
	Least, Most            *float64 // limits
	Each                   []Value  // of the boards, the smallest first; none: an earlier hilrig told of it
}

// Measures are what was measured since some time, each measurement's in turn,
// the oldest first.
func (h *History) Measures(ctx context.Context, since time.Time) ([]Measure, error) {
	serials, err := h.names(ctx, "SELECT id, serial FROM board")
	if err != nil {
		return nil, err
	}
	return ask(ctx, h, `SELECT m.spec, m.name, m.unit, m.type, run.started, run.dir, d.boards, d.outside, d.low, d.middle, d.high, d.least, d.most, d.of_boards
		FROM run JOIN measured d ON d.run = run.seq JOIN measurement m ON m.id = d.measurement WHERE run.started >= ? ORDER BY m.spec, m.name, m.type, m.id, run.started`,
		func(scan func(...any) error) (m Measure, err error) {
			var started int64
			var each string
			if err := scan(&m.Spec, &m.Name, &m.Unit, &m.Type, &started, &m.Dir, &m.Boards, &m.Outside, &m.Low, &m.Middle, &m.High, &m.Least, &m.Most, &each); err != nil {
				return m, err
			}
			m.Started = time.UnixMilli(started).UTC()
			m.Each, err = values(each, serials)
			return m, err
		}, since.UnixMilli())
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
