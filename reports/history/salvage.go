package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// kept are the tables that hold what was told, what is referred to first; the
// others are made of them.
var kept = []struct{ name, key string }{
	{"run", "seq"}, {"board", "id"}, {"spec", "id"}, {"firmware", "id"}, {"rig", "id"}, {"measurement", "id"}, {"entry", "id"}, {"result", "entry"}, {"measured", "measurement"},
}

// Salvage takes what can still be read of a damaged database into the history
// of a state folder, and says of how many runs. What it holds already stays.
func Salvage(ctx context.Context, damaged, stateDir string) (runs int, err error) {
	h, err := Open(ctx, stateDir)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	old, err := sql.Open("sqlite", (&url.URL{Scheme: "file", OmitHost: true, Path: damaged, RawQuery: "mode=ro"}).String())
	if err != nil {
		return 0, failure("read", damaged, err)
	}
	defer func() { _ = old.Close() }() // only read
	err = h.change(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "PRAGMA defer_foreign_keys = 1"); err != nil {
			return err
		}
		for _, table := range kept {
			if err := salvage(ctx, old, tx, table.name, table.key); err != nil {
				return err
			}
		}
		if err := complete(ctx, tx); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, "SELECT count(*) FROM run").Scan(&runs)
	})
	if err != nil {
		return 0, failure("salvage "+damaged+" into", h.path, err)
	}
	return runs, nil
}

// salvage copies the rows of a table that can be read, from either end of it up
// to what is damaged. What cannot be read is no error.
func salvage(ctx context.Context, old *sql.DB, tx *sql.Tx, table, key string) error {
	was, err := columns(ctx, old, table)
	if err != nil {
		return nil // nothing of it can be read
	}
	is, err := columns(ctx, tx, table)
	if err != nil {
		return err
	}
	both := slices.DeleteFunc(is, func(c string) bool { return !slices.Contains(was, c) })
	if len(both) == 0 {
		return nil // an earlier hilrig's, which had no such table
	}
	names := strings.Join(both, ", ")
	insert, err := tx.PrepareContext(ctx, fmt.Sprintf("INSERT OR IGNORE INTO %s (%s) VALUES (?%s)", table, names, strings.Repeat(", ?", len(both)-1)))
	if err != nil {
		return err
	}
	defer func() { _ = insert.Close() }() // with the transaction anyway
	for _, order := range []string{"", " DESC"} {
		whole, err := copied(ctx, old, insert, fmt.Sprintf("SELECT %s FROM %s ORDER BY %s%s", names, table, key, order), len(both))
		if err != nil || whole {
			return err
		}
	}
	return nil
}

// copied reports whether all rows of a query could be read.
func copied(ctx context.Context, old *sql.DB, insert *sql.Stmt, query string, n int) (whole bool, err error) {
	rows, err := old.QueryContext(ctx, query)
	if err != nil {
		return false, ctx.Err()
	}
	defer func() { _ = rows.Close() }() // rows.Err has told
	values, into := make([]any, n), make([]any, n)
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return false, ctx.Err()
		}
		if _, err := insert.ExecContext(ctx, values...); err != nil {
			if ctx.Err() != nil {
				return false, ctx.Err()
			}
			continue // a row that is no row of ours
		}
	}
	return rows.Err() == nil, ctx.Err()
}

// columns are those of a table; of one that is not there, none.
func columns(ctx context.Context, db interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}, table string) (all []string, err error) {
	rows, err := db.QueryContext(ctx, "SELECT name FROM pragma_table_info('"+table+"')")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // rows.Err has told
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		all = append(all, name)
	}
	return all, rows.Err()
}

// complete drops rows whose other half was lost, and counts the rest anew.
func complete(ctx context.Context, tx *sql.Tx) error {
	if _, err := tx.ExecContext(ctx, `
		DELETE FROM entry WHERE run NOT IN (SELECT seq FROM run) OR board NOT IN (SELECT id FROM board) OR firmware NOT IN (SELECT id FROM firmware);
		DELETE FROM result WHERE entry NOT IN (SELECT id FROM entry) OR spec NOT IN (SELECT id FROM spec);
		DELETE FROM measured WHERE run NOT IN (SELECT seq FROM run) OR measurement NOT IN (SELECT id FROM measurement);
		DELETE FROM summary; DELETE FROM total; DELETE FROM at_rig;
		INSERT INTO rig (host, name) SELECT DISTINCT host, rig FROM run WHERE true ON CONFLICT DO NOTHING;`); err != nil {
		return err
	}
	t := &telling{ctx: ctx, tx: tx}
	all, err := t.keys("1")
	if err != nil {
		return err
	}
	for k := range all {
		if err := t.sumAnew(k); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, totals("1")+atRigs("run.seq"))
	return err
}
