package history

import (
	"cmp"
	"maps"
	"slices"

	"hilrig/record"
)

// sumAnew makes a row of the summary of all results that it is about.
func (t *telling) sumAnew(k key) error {
	rows, err := t.tx.QueryContext(t.ctx, `SELECT r.verdict, run.started FROM entry e JOIN result r ON r.entry = e.id AND r.spec = ? JOIN run ON run.seq = e.run
		WHERE e.board = ? AND e.firmware = ? ORDER BY run.started, e.id`, k.spec, k.board, k.firmware)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // rows.Err has told
	var sum tally
	var first int64
	n := 0
	for ; rows.Next(); n++ {
		var code int
		var started int64
		if err := rows.Scan(&code, &started); err != nil {
			return err
		}
		if n == 0 {
			first = started
		}
		sum.add(code)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if err := t.exec("DELETE FROM summary WHERE spec = ? AND firmware = ? AND board = ?", k.spec, k.firmware, k.board); err != nil || n == 0 {
		return err
	}
	return t.exec(`INSERT INTO summary (spec, firmware, board, passed, warned, failed, errors, without, changes, last, first) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		k.spec, k.firmware, k.board, sum.passed, sum.warned, sum.failed, sum.errors, sum.without, sum.changes, sum.last, first)
}

// summed adds the results of a run to the rows of the summary, which nothing
// later is in.
const summed = `INSERT INTO summary (spec, firmware, board, passed, warned, failed, errors, without, changes, last, first)
	SELECT r.spec, e.firmware, e.board, r.verdict = 1, r.verdict = 2, r.verdict = 3, r.verdict = 4, r.verdict IN (0, 5), 0,
		CASE WHEN r.verdict IN (1, 2) THEN 1 WHEN r.verdict = 3 THEN 2 ELSE 0 END, run.started
	FROM run JOIN entry e ON e.run = run.seq JOIN result r ON r.entry = e.id WHERE run.seq = ?
	` + goOn

// sums brings what is counted up to date with the results of a run. Rows go on
// from what they are where nothing came later, and are made anew where
// something did, or where the run had other results before.
func (t *telling) sums(seq int64, stale map[key]bool, later bool) error {
	touched, err := t.keys("e.run = ?", seq)
	if err != nil {
		return err
	}
	anew := maps.Clone(stale)
	if later || len(stale) > 0 {
		maps.Copy(anew, touched)
	} else if err := t.exec(summed, seq); err != nil {
		return err
	}
	for k := range anew {
		if err := t.sumAnew(k); err != nil {
			return err
		}
	}
	maps.Copy(touched, stale)
	if err := t.totals(touched); err != nil {
		return err
	}
	if err := t.exec("INSERT INTO rig (host, name) SELECT host, rig FROM run WHERE seq = ? ON CONFLICT DO NOTHING", seq); err != nil {
		return err
	}
	return t.exec(atRigs("?"), seq)
}

// kindOf is how boards are told apart that are no siblings: an emulated one
// says nothing of a real one.
func kindOf(board string) string {
	return board + ".type || iif(" + board + ".emulated, ', emulated', '')"
}

// totals is the total of some rows of the summary.
func totals(where string) string {
	return `INSERT INTO total (spec, firmware, type, boards, passing, failing, last, passed, warned, failed, errors, without, changes, pairs, first)
	SELECT s.spec, s.firmware, ` + kindOf("b") + `, count(*), sum(s.failed = 0 AND s.passed + s.warned > 0), sum(s.failed > 0), sum(s.last = 2), sum(s.passed), sum(s.warned), sum(s.failed), sum(s.errors), sum(s.without),
		sum(s.changes), sum(max(0, s.passed + s.warned + s.failed - 1)), min(s.first)
	FROM summary s JOIN board b ON b.id = s.board WHERE ` + where + ` GROUP BY s.spec, s.firmware, ` + kindOf("b") + `;
`
}

// totals makes the total anew of the rows that changed.
func (t *telling) totals(changed map[key]bool) error {
	type pair struct{ spec, firmware int64 }
	done := map[pair]bool{}
	insert, err := t.tx.PrepareContext(t.ctx, totals("s.spec = ? AND s.firmware = ?"))
	if err != nil {
		return err
	}
	defer func() { _ = insert.Close() }() // with the transaction anyway
	for k := range changed {
		p := pair{k.spec, k.firmware}
		if done[p] {
			continue
		}
		done[p] = true
		if err := t.exec("DELETE FROM total WHERE spec = ? AND firmware = ?", p.spec, p.firmware); err != nil {
			return err
		}
		if _, err := insert.ExecContext(t.ctx, p.spec, p.firmware); err != nil {
			return err
		}
	}
	return nil
}

// found is what a run has found of each spec and firmware, and at which rig.
const found = `SELECT r.spec, e.firmware, rig.id AS rig, sum(r.verdict IN (1, 2)) AS fine, sum(r.verdict IN (3, 4)) AS red
	FROM run JOIN rig ON rig.host = run.host AND rig.name = run.rig JOIN entry e ON e.run = run.seq JOIN result r ON r.entry = e.id
	WHERE run.seq = `

// atRigs adds the results of a run, or of all, to what its rig has.
func atRigs(run string) string {
	return "INSERT INTO at_rig (spec, firmware, rig, fine, red) " + found + run + ` GROUP BY e.firmware, r.spec, rig.id
	ON CONFLICT DO UPDATE SET fine = fine + excluded.fine, red = red + excluded.red;
`
}

// takenFromRigs takes the results of a run from what its rig has.
const takenFromRigs = "UPDATE at_rig SET fine = at_rig.fine - f.fine, red = at_rig.red - f.red FROM (" + found + `? GROUP BY e.firmware, r.spec, rig.id) f
	WHERE at_rig.spec = f.spec AND at_rig.firmware = f.firmware AND at_rig.rig = f.rig`

// measured enters what was measured over the boards of a type, but for those
// that are faulty on purpose.
func (t *telling) measured(seq int64, r *record.Record) error {
	type name struct{ spec, name, unit, kind string }
	type of struct {
		record.Measurement
		board int64
	}
	values := map[name][]of{}
	var order []name
	for i := range r.Devices {
		d := &r.Devices[i]
		if len(d.Faults) > 0 {
			continue
		}
		kind := d.Type
		if d.Emulated {
			kind += ", emulated" // as kindOf has it
		}
		for _, s := range d.Specs {
			for _, m := range s.Measurements {
				n := name{s.ID, m.Name, m.Unit, kind}
				if values[n] == nil {
					order = append(order, n)
				}
				values[n] = append(values[n], of{m, t.boards[d.Name]})
			}
		}
	}
	for _, n := range order {
		id, err := t.named("INSERT INTO measurement (spec, name, unit, type) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING", "SELECT id FROM measurement WHERE spec = ?1 AND name = ?2 AND unit = ?3 AND type = ?4", n.spec, n.name, n.unit, n.kind)
		if err != nil {
			return err
		}
		all := values[n]
		slices.SortStableFunc(all, func(a, b of) int { return cmp.Compare(a.Value, b.Value) })
		outside := 0
		var each []byte
		for _, m := range all {
			if m.Verdict == record.Fail {
				outside++
			}
			each = appendValue(each, m.board, m.Value)
		}
		if err := t.exec("INSERT INTO measured (measurement, run, boards, low, middle, high, least, most, outside, of_boards) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			id, seq, len(all), all[0].Value, all[len(all)/2].Value, all[len(all)-1].Value, all[0].Low, all[0].High, outside, string(each)); err != nil {
			return err
		}
	}
	return nil
}
