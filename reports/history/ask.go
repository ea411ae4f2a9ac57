package history

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"hilrig/record"
)

// Run is a run as the history knows it.
type Run struct {
	ID       string         `json:"id"`
	Dir      string         `json:"dir"`
	Host     string         `json:"host"`
	Rig      string         `json:"rig"`
	Started  time.Time      `json:"started"`
	Ended    time.Time      `json:"ended,omitzero"` // zero: it was killed, or goes on
	Verdict  record.Verdict `json:"verdict"`
	Version  string         `json:"version"`
	SHA256   string         `json:"sha256"`
	Tested   string         `json:"tested,omitempty"` // what the boards ran, where the run names no firmware
	Hardware int            `json:"boards"`
	Selftest bool           `json:"selftest"`
	Counts

	Files     map[string]string `json:"-"` // digests of its end
	ClockBack bool              `json:"clock_set_back"`
}

// Counts are results by their verdicts.
type Counts struct {
	Passed  int `json:"passed"`
	Warned  int `json:"warned"`
	Failed  int `json:"failed"`
	Errors  int `json:"errors"`
	Without int `json:"without"` // not run, not applicable
}

// sameClock is how far two processes' ideas of now may be apart.
const sameClock = time.Minute

// Runs are the runs that began last, the newest first; most 0 is all.
func (h *History) Runs(ctx context.Context, most int) ([]Run, error) {
	if most == 0 {
		most = math.MaxInt32
	}
	return h.runs(ctx, "1 ORDER BY started DESC, seq DESC LIMIT ?", most)
}

// Find is a run by its id; nil where the history does not know it.
func (h *History) Find(ctx context.Context, id string) (*Run, error) {
	all, err := h.runs(ctx, "id = ?", id)
	if len(all) == 0 {
		return nil, err
	}
	return &all[0], nil
}

// IDs are those of all runs that are known.
func (h *History) IDs(ctx context.Context) (map[string]bool, error) {
	all, err := ask(ctx, h, "SELECT id FROM run", func(scan func(...any) error) (id string, err error) { return id, scan(&id) })
	ids := make(map[string]bool, len(all))
	for _, id := range all {
		ids[id] = true
	}
	return ids, err
}

// Since is when the first run of each host began that this history was told of
// as it began: it should know every later one.
func (h *History) Since(ctx context.Context) (map[string]time.Time, error) {
	type first struct {
		host string
		at   int64
	}
	all, err := ask(ctx, h, "SELECT host, min(started) FROM run WHERE told GROUP BY host", func(scan func(...any) error) (f first, err error) { return f, scan(&f.host, &f.at) })
	since := make(map[string]time.Time, len(all))
	for _, f := range all {
		since[f.host] = time.UnixMilli(f.at)
	}
	return since, err
}

// Of are the runs of a firmware, by its hash or its version, and those without
// an end, of which nobody has said what they were of; the oldest first.
func (h *History) Of(ctx context.Context, version, sum string) ([]Run, error) {
	return h.runs(ctx, `NOT selftest AND (?1 != '' AND version = ?1 OR ?2 != '' AND sha256 = ?2 OR ended IS NULL
		OR EXISTS (SELECT 1 FROM entry e JOIN firmware f ON f.id = e.firmware WHERE e.run = seq AND (?1 != '' AND f.version = ?1 OR ?2 != '' AND f.sha256 = ?2))) ORDER BY started`, version, sum)
}

func (h *History) runs(ctx context.Context, where string, args ...any) ([]Run, error) {
	return ask(ctx, h, fmt.Sprintf(`SELECT coalesce((SELECT group_concat(name, ', ') FROM (SELECT DISTINCT coalesce(nullif(f.version, ''), substr(f.sha256, 1, 12)) AS name
			FROM entry e JOIN firmware f ON f.id = e.firmware WHERE e.run = run.seq AND run.version = '' AND run.sha256 = '' LIMIT 4)), ''), id, dir, host, rig, started, ended, verdict, version, sha256, hardware, selftest, passed, warned, failed, errors, without, files,
		told AND EXISTS (SELECT 1 FROM run b WHERE b.seq < run.seq AND b.told AND b.host = run.host AND b.started > run.started + %d) FROM run WHERE `, sameClock.Milliseconds())+where,
		func(scan func(...any) error) (r Run, err error) {
			var started int64
			var ended sql.NullInt64
			var files string
			if err := scan(&r.Tested, &r.ID, &r.Dir, &r.Host, &r.Rig, &started, &ended, &r.Verdict, &r.Version, &r.SHA256, &r.Hardware, &r.Selftest,
				&r.Passed, &r.Warned, &r.Failed, &r.Errors, &r.Without, &files, &r.ClockBack); err != nil {
				return r, err
			}
			r.Started = time.UnixMilli(started).UTC()
			if ended.Valid {
				r.Ended = time.UnixMilli(ended.Int64).UTC()
			}
			if files != "" {
				if err := json.Unmarshal([]byte(files), &r.Files); err != nil {
					return r, fmt.Errorf("digests of run %s: %w", r.ID, err)
				}
			}
			return r, nil
		}, args...)
}

// Missing is how many runs were taken out of the history: it numbers them
// without gaps.
func (h *History) Missing(ctx context.Context) (int, error) {
	var missing sql.NullInt64
	err := h.db.QueryRowContext(ctx, "SELECT max((SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'run'), (SELECT coalesce(max(seq), 0) FROM run)) - (SELECT count(*) FROM run)").Scan(&missing)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, failure("ask", h.path, err)
	}
	return int(missing.Int64), nil
}

// Trend is a spec with one firmware, over all boards.
type Trend struct {
	Version string    `json:"version"`
	SHA256  string    `json:"sha256"`
	First   time.Time `json:"first"` // when it was first tested
	Boards  int       `json:"boards"`
	Counts
	Changes int `json:"changes"` // of verdict, on a board
	Rate
}

// Rate is how often a verdict changed where it could have, with the interval
// that holds the true rate in 95 of 100 cases (Wilson's).
type Rate struct {
	Pairs int     `json:"pairs"` // of results one after another
	Flake float64 `json:"flake_rate"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// rateOf is the rate of changes among n pairs.
func rateOf(changes, n int) Rate {
	if n <= 0 {
		return Rate{High: 1}
	}
	const z = 1.96
	p, size := float64(changes)/float64(n), float64(n)
	middle, half := p+z*z/(2*size), z*math.Sqrt(p*(1-p)/size+z*z/(4*size*size))
	scale := 1 + z*z/size
	return Rate{n, p, max(0, (middle-half)/scale), min(1, (middle+half)/scale)}
}

const counts = "sum(t.passed), sum(t.warned), sum(t.failed), sum(t.errors), sum(t.without), sum(t.changes), sum(t.pairs)"

// Spec is the trend of a spec over firmwares, the oldest first.
func (h *History) Spec(ctx context.Context, name string) ([]Trend, error) {
	return ask(ctx, h, `SELECT f.version, f.sha256, min(t.first), sum(t.boards), `+counts+` FROM total t JOIN firmware f ON f.id = t.firmware
		WHERE t.spec = (SELECT id FROM spec WHERE name = ?) GROUP BY t.firmware ORDER BY min(t.first)`,
		func(scan func(...any) error) (t Trend, err error) {
			var first int64
			err = scan(&t.Version, &t.SHA256, &first, &t.Boards, &t.Passed, &t.Warned, &t.Failed, &t.Errors, &t.Without, &t.Changes, &t.Pairs)
			t.First, t.Rate = time.UnixMilli(first).UTC(), rateOf(t.Changes, t.Pairs)
			return t, err
		}, name)
}

// Entry is a board in a run.
type Entry struct {
	Run     string         `json:"run"`
	Started time.Time      `json:"started"`
	Slot    string         `json:"slot"`
	Hub     string         `json:"hub"`
	Version string         `json:"version"`
	SHA256  string         `json:"sha256"`
	Known   record.Origin  `json:"known"`
	Verdict record.Verdict `json:"verdict"`
}

// Board is where a board was tested, the newest first.
func (h *History) Board(ctx context.Context, serial string, most int) ([]Entry, error) {
	return ask(ctx, h, `SELECT run.id, run.started, e.name, e.hub, f.version, f.sha256, e.known, e.verdict FROM board b JOIN entry e ON e.board = b.id
		JOIN run ON run.seq = e.run JOIN firmware f ON f.id = e.firmware WHERE b.serial = ? ORDER BY run.started DESC LIMIT ?`,
		func(scan func(...any) error) (e Entry, err error) {
			var started int64
			err = scan(&e.Run, &started, &e.Slot, &e.Hub, &e.Version, &e.SHA256, &e.Known, &e.Verdict)
			e.Started = time.UnixMilli(started).UTC()
			return e, err
		}, serial, most)
}

// Firmware is a firmware over all its runs.
type Firmware struct {
	Version string    `json:"version"`
	SHA256  string    `json:"sha256"`
	First   time.Time `json:"first"`
	Runs    int       `json:"runs"`
	Boards  int       `json:"boards"`
	Failing int       `json:"runs_that_fail"`
}

// Firmwares are all firmwares, the newest first.
func (h *History) Firmwares(ctx context.Context) ([]Firmware, error) {
	return ask(ctx, h, `SELECT f.version, f.sha256, min(run.started), count(DISTINCT run.seq), count(DISTINCT e.board), count(DISTINCT CASE WHEN e.verdict = 'fail' THEN run.seq END)
		FROM entry e JOIN run ON run.seq = e.run JOIN firmware f ON f.id = e.firmware GROUP BY f.id ORDER BY min(run.started) DESC`,
		func(scan func(...any) error) (f Firmware, err error) {
			var first int64
			err = scan(&f.Version, &f.SHA256, &first, &f.Runs, &f.Boards, &f.Failing)
			f.First = time.UnixMilli(first).UTC()
			return f, err
		})
}

// Flaky is a spec whose verdict changed with one firmware on one board.
type Flaky struct {
	Spec    string `json:"spec"`
	Changes int    `json:"changes"`
	Rate
}

// Flaky are the specs whose verdict changed, the worst first.
func (h *History) Flaky(ctx context.Context) ([]Flaky, error) {
	return ask(ctx, h, `SELECT spec.name, sum(t.changes), sum(t.pairs) FROM total t JOIN spec ON spec.id = t.spec
		GROUP BY t.spec HAVING sum(t.changes) > 0 ORDER BY CAST(sum(t.changes) AS REAL) / sum(t.pairs) DESC, spec.name`,
		func(scan func(...any) error) (f Flaky, err error) {
			err = scan(&f.Spec, &f.Changes, &f.Pairs)
			f.Rate = rateOf(f.Changes, f.Pairs)
			return f, err
		})
}

// ask reads rows; there is always a list, also an empty one.
func ask[T any](ctx context.Context, h *History, query string, read func(scan func(...any) error) (T, error), args ...any) ([]T, error) {
	rows, err := h.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, failure("ask", h.path, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err has told
	all := []T{}
	for rows.Next() {
		v, err := read(rows.Scan)
		if err != nil {
			return nil, failure("ask", h.path, err)
		}
		all = append(all, v)
	}
	if err := rows.Err(); err != nil {
		return nil, failure("ask", h.path, err)
	}
	return all, nil
}
