package history

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"hilrig/record"
	"hilrig/record/wording"
)

// Begun tells of a run that begins: it is known from here on, also where it is
// killed, or its folder removed.
func (h *History) Begun(ctx context.Context, dir string, r *record.Record) error {
	return h.wrap(r, h.change(ctx, func(tx *sql.Tx) error {
		_, err := (&telling{ctx: ctx, tx: tx}).run(dir, r, true)
		return err
	}))
}

// Ended tells what a run has found, with the digests of its files. The run need
// not be known.
func (h *History) Ended(ctx context.Context, dir string, r *record.Record, files map[string]string) error {
	return h.wrap(r, h.change(ctx, func(tx *sql.Tx) error {
		return (&telling{ctx: ctx, tx: tx}).all(dir, r, files)
	}))
}

func (h *History) wrap(r *record.Record, err error) error {
	if err == nil {
		return nil
	}
	return failure("tell run "+r.Run.ID+" to", h.path, err)
}

// telling is one run on its way into the tables.
type telling struct {
	ctx    context.Context
	tx     *sql.Tx
	specs  map[string]int64
	boards map[string]int64 // of its devices, by their names
}

func (t *telling) exec(query string, args ...any) error {
	_, err := t.tx.ExecContext(t.ctx, query, args...)
	return err
}

// run makes or corrects the row of a run. The digests that it has stay: they
// are those of its end.
func (t *telling) run(dir string, r *record.Record, told bool) (seq int64, err error) {
	n := r.Count()
	hardware := 0
	for _, d := range r.Devices {
		if !d.Emulated {
			hardware++
		}
	}
	var ended any
	if r.Unended() == "" {
		ended = r.Run.Ended.UnixMilli()
	}
	values := []any{
		dir, r.Run.Host, r.Run.Rig, r.Run.Version, r.Run.Started.UnixMilli(), ended, string(r.Run.Verdict), r.Firmware.Version, r.Firmware.SHA256, hardware, r.OfSelftest(),
		wording.Selection(r.Run.Selection), n[record.Pass], n[record.Warn], n[record.Fail], n[record.Error], n[record.NotRun] + n[record.NotApplicable],
	}
	err = t.tx.QueryRowContext(t.ctx, "SELECT seq FROM run WHERE id = ?", r.Run.ID).Scan(&seq)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		err = t.tx.QueryRowContext(t.ctx, `INSERT INTO run (dir, host, rig, hilrig, started, ended, verdict, version, sha256, hardware, selftest, asked, passed, warned, failed, errors, without, id, told)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING seq`, append(values, r.Run.ID, told)...).Scan(&seq)
		return seq, err
	case err != nil:
		return 0, err
	}
	return seq, t.exec(`UPDATE run SET dir = ?, host = ?, rig = ?, hilrig = ?, started = ?, ended = ?, verdict = ?, version = ?, sha256 = ?, hardware = ?, selftest = ?, asked = ?,
		passed = ?, warned = ?, failed = ?, errors = ?, without = ? WHERE seq = ?`, append(values, seq)...)
}

// all enters a run with its results, in place of those that it had.
func (t *telling) all(dir string, r *record.Record, files map[string]string) error {
	seq, err := t.run(dir, r, false)
	if err != nil {
		return err
	}
	if len(files) > 0 && r.Unended() == "" {
		text, err := json.Marshal(files)
		if err != nil {
			return fmt.Errorf("encode digests: %w", err)
		}
		if err := t.exec("UPDATE run SET files = ? WHERE seq = ? AND files = ''", string(text), seq); err != nil {
			return err
		}
	}
	stale, err := t.forget(seq)
	if err != nil {
		return err
	}
	var later bool // another run that is told already began after this one
	if err := t.tx.QueryRowContext(t.ctx, "SELECT EXISTS (SELECT 1 FROM run WHERE started > ? AND seq != ?)", r.Run.Started.UnixMilli(), seq).Scan(&later); err != nil {
		return err
	}
	if !r.OfSelftest() {
		if err := t.results(seq, r); err != nil {
			return err
		}
	}
	return t.sums(seq, stale, later)
}

// results enters what was found of each device, but of those that are faulty on
// purpose.
func (t *telling) results(seq int64, r *record.Record) error {
	insert, err := t.tx.PrepareContext(t.ctx, "INSERT INTO result (entry, spec, verdict, flaky, message) VALUES (?, ?, ?, ?, ?)")
	if err != nil {
		return err
	}
	defer func() { _ = insert.Close() }() // with the transaction anyway
	for i := range r.Devices {
		d := &r.Devices[i]
		if len(d.Faults) > 0 {
			continue // it fails as it should
		}
		if err := t.device(seq, r, d, insert); err != nil {
			return err
		}
	}
	return t.measured(seq, r)
}

// key is a row of the summary.
type key struct{ spec, firmware, board int64 }

// forget takes out the results of a run and says which rows of the summary they
// were in.
func (t *telling) forget(seq int64) (map[key]bool, error) {
	stale, err := t.keys("e.run = ?", seq)
	if err != nil || len(stale) == 0 {
		return stale, err
	}
	for _, query := range []string{
		takenFromRigs,
		"DELETE FROM measured WHERE run = ?",
		"DELETE FROM result WHERE entry IN (SELECT id FROM entry WHERE run = ?)",
		"DELETE FROM entry WHERE run = ?",
	} {
		if err := t.exec(query, seq); err != nil {
			return nil, err
		}
	}
	return stale, nil
}

// keys are the rows of the summary that some results are in.
func (t *telling) keys(where string, args ...any) (map[key]bool, error) {
	all := map[key]bool{}
	rows, err := t.tx.QueryContext(t.ctx, "SELECT r.spec, e.firmware, e.board FROM entry e JOIN result r ON r.entry = e.id WHERE "+where, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // rows.Err has told
	for rows.Next() {
		var k key
		if err := rows.Scan(&k.spec, &k.firmware, &k.board); err != nil {
			return nil, err
		}
		all[k] = true
	}
	return all, rows.Err()
}

// device enters the results of a device.
func (t *telling) device(seq int64, r *record.Record, d *record.DeviceRecord, insert *sql.Stmt) error {
	board, err := t.board(BoardOf(r, d), d.Type, d.Emulated)
	if err != nil {
		return err
	}
	if t.boards == nil {
		t.boards = map[string]int64{}
	}
	t.boards[d.Name] = board
	version, sum := cmp.Or(d.Running.Version, r.Firmware.Version), cmp.Or(d.Running.SHA256, r.Firmware.SHA256)
	firmware, err := t.named("INSERT INTO firmware (version, sha256) VALUES (?1, ?2) ON CONFLICT DO NOTHING", "SELECT id FROM firmware WHERE version = ?1 AND sha256 = ?2", version, sum)
	if err != nil {
		return err
	}
	var entry int64
	if err := t.tx.QueryRowContext(t.ctx, "INSERT INTO entry (run, name, board, firmware, hub, known, verdict) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
		seq, d.Name, board, firmware, d.Hub.Name, string(d.Running.Known), string(d.Verdict)).Scan(&entry); err != nil {
		return err
	}
	for i := range d.Specs {
		s := &d.Specs[i]
		spec, err := t.spec(s.ID)
		if err != nil {
			return err
		}
		message := ""
		if !s.Verdict.Green() {
			message = wording.Clip(wording.OneLine(cmp.Or(s.Message, s.Cause)), 200)
		}
		if _, err := insert.ExecContext(t.ctx, entry, spec, codeOf(s.Verdict), s.Flaky, message); err != nil {
			return err
		}
	}
	return nil
}

// BoardOf is how the history calls the board of a device: by its serial, and by
// its place in the rig where it has none.
func BoardOf(r *record.Record, d *record.DeviceRecord) string {
	return cmp.Or(d.Hardware.Serial, r.Run.Rig+"/"+d.Board())
}

// asEmulated stands behind the serial number of an emulated board that has a real
// one's.
const asEmulated = " (emulated)"

// board is the number of a board. A rig file may give an emulated one the serial
// number of a real one: they are two, whichever came first.
func (t *telling) board(serial, kind string, emulated bool) (int64, error) {
	if emulated {
		var shared bool
		if err := t.tx.QueryRowContext(t.ctx, "SELECT EXISTS (SELECT 1 FROM board WHERE serial = ? AND type = ? AND NOT emulated)", serial, kind).Scan(&shared); err != nil {
			return 0, err
		}
		if shared {
			serial += asEmulated
		}
	} else if err := t.exec("UPDATE OR IGNORE board SET serial = serial || ? WHERE serial = ? AND type = ? AND emulated", asEmulated, serial, kind); err != nil {
		return 0, err
	}
	return t.named("INSERT INTO board (serial, type, emulated) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING", "SELECT id FROM board WHERE serial = ?1 AND type = ?2 AND ?3 = ?3", serial, kind, emulated)
}

// named finds the number of something, and gives it one where it has none.
func (t *telling) named(insert, find string, args ...any) (id int64, err error) {
	if err := t.exec(insert, args...); err != nil {
		return 0, err
	}
	return id, t.tx.QueryRowContext(t.ctx, find, args...).Scan(&id)
}

func (t *telling) spec(name string) (int64, error) {
	if id, ok := t.specs[name]; ok {
		return id, nil
	}
	id, err := t.named("INSERT INTO spec (name) VALUES (?1) ON CONFLICT DO NOTHING", "SELECT id FROM spec WHERE name = ?1", name)
	if t.specs == nil {
		t.specs = map[string]int64{}
	}
	t.specs[name] = id
	return id, err
}
