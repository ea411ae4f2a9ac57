package history

import (
	"context"
	"slices"
	"strings"
	"time"

	"hilrig/record"
	"hilrig/record/wording"
)

// Before is what the history knows of the boards of a run from before it.
type Before struct {
	Last     *record.Record                      // the last run that can be compared, as far as it is known; nil: there is none
	Dir      string                              // of Last
	Firmware string                              // of Last: what it named, or its boards ran
	Tail     map[string]map[string][]record.Mark // by device and spec, the oldest first
}

// earlierEntry is a board of a run in an earlier one.
type earlierEntry struct {
	Entry
	id, seq              int64
	dir, asked           string
	runVersion, runSHA   string
	verdicts             map[string]record.Verdict
	version, sum, device string
}

// How many earlier runs of each board are read: tens of thousands of results
// would keep a report waiting.
const (
	fewEntries  = 10
	manyEntries = 20
	allEntries  = 240
)

// Before asks for what was found on the boards of a run before it began, at the
// same hub.
func (h *History) Before(ctx context.Context, r *record.Record) (*Before, error) {
	b := &Before{Tail: map[string]map[string][]record.Mark{}}
	specs, err := h.names(ctx, "SELECT id, name FROM spec")
	if err != nil {
		return nil, err
	}
	most := max(fewEntries, min(manyEntries, allEntries/max(1, len(r.Devices))))
	var all []earlierEntry
	for i := range r.Devices {
		d := &r.Devices[i]
		if len(d.Faults) > 0 {
			continue // what it does is no matter of the board
		}
		entries, err := h.earlier(ctx, r, d, most)
		if err != nil {
			return nil, err
		}
		for j := range entries {
			if err := h.verdicts(ctx, &entries[j], specs); err != nil {
				return nil, err
			}
		}
		b.Tail[d.Name] = tailOf(entries)
		all = append(all, entries...)
	}
	b.choose(r, all)
	return b, nil
}

// names are what a query calls by numbers.
func (h *History) names(ctx context.Context, query string) (map[int64]string, error) {
	type named struct {
		id   int64
		name string
	}
	all, err := ask(ctx, h, query, func(scan func(...any) error) (n named, err error) { return n, scan(&n.id, &n.name) })
	names := map[int64]string{}
	for _, n := range all {
		names[n.id] = n.name
	}
	return names, err
}

// earlier are the last entries of a board before a run, the newest first.
func (h *History) earlier(ctx context.Context, r *record.Record, d *record.DeviceRecord, most int) ([]earlierEntry, error) {
	return ask(ctx, h, `SELECT e.id, e.known, f.version, f.sha256, run.seq, run.id, run.dir, run.started, run.asked, run.version, run.sha256
		FROM entry e JOIN run ON run.seq = e.run JOIN firmware f ON f.id = e.firmware
		WHERE e.board = (SELECT id FROM board WHERE (serial = ? OR emulated AND serial = ?) AND type = ? AND emulated = ?) AND e.hub = ? AND run.started < ? AND run.id != ? AND run.ended IS NOT NULL ORDER BY run.started DESC LIMIT ?`,
		func(scan func(...any) error) (e earlierEntry, err error) {
			var started int64
			err = scan(&e.id, &e.Known, &e.version, &e.sum, &e.seq, &e.Run, &e.dir, &started, &e.asked, &e.runVersion, &e.runSHA)
			e.Started, e.device = time.UnixMilli(started).UTC(), d.Name
			return e, err
		}, BoardOf(r, d), BoardOf(r, d)+asEmulated, d.Type, d.Emulated, d.Hub.Name, r.Run.Started.UnixMilli(), r.Run.ID, most)
}

func (h *History) verdicts(ctx context.Context, e *earlierEntry, specs map[int64]string) error {
	type result struct {
		spec int64
		code int
	}
	all, err := ask(ctx, h, "SELECT spec, verdict FROM result WHERE entry = ?", func(scan func(...any) error) (r result, err error) { return r, scan(&r.spec, &r.code) }, e.id)
	e.verdicts = make(map[string]record.Verdict, len(all))
	for _, r := range all {
		if r.code >= 0 && r.code < len(codes) {
			e.verdicts[specs[r.spec]] = codes[r.code]
		}
	}
	return err
}

// tailOf are the marks of each spec of a board, the oldest first.
func tailOf(entries []earlierEntry) map[string][]record.Mark {
	tail := map[string][]record.Mark{}
	for _, e := range slices.Backward(entries) {
		for spec, v := range e.verdicts {
			tail[spec] = append(tail[spec], record.Mark{Run: e.seq, At: e.Started, Firmware: named(e.version, e.sum), Verdict: v})
		}
	}
	return tail
}

func named(version, sum string) string {
	if version != "" {
		return version
	}
	return sum[:min(12, len(sum))]
}

// choose finds the last run of which the same was asked and that had at least
// half of the boards.
func (b *Before) choose(r *record.Record, all []earlierEntry) {
	asked, boards := wording.Selection(r.Run.Selection), len(b.Tail)
	of := map[int64][]earlierEntry{}
	var last int64
	for _, e := range all {
		if e.asked == asked {
			of[e.seq] = append(of[e.seq], e)
		}
	}
	for seq, entries := range of {
		if 2*len(entries) >= boards && (last == 0 || entries[0].Started.After(of[last][0].Started)) {
			last = seq
		}
	}
	if last == 0 {
		return
	}
	first := of[last][0]
	b.Dir = first.dir
	b.Last = &record.Record{
		Schema:   record.Schema,
		Run:      record.Run{ID: first.Run, Started: first.Started, Ended: first.Started},
		Firmware: record.Firmware{Version: first.runVersion, SHA256: first.runSHA},
	}
	var firmwares []string
	for _, e := range of[last] {
		d := record.DeviceRecord{Name: e.device}
		d.Running = record.Running{Version: e.version, SHA256: e.sum, Known: e.Known}
		for spec, v := range e.verdicts {
			d.Specs = append(d.Specs, record.SpecResult{ID: spec, Verdict: v})
		}
		slices.SortFunc(d.Specs, func(x, y record.SpecResult) int { return strings.Compare(x.ID, y.ID) })
		b.Last.Devices = append(b.Last.Devices, d)
		if f := named(e.version, e.sum); f != "" && !slices.Contains(firmwares, f) {
			firmwares = append(firmwares, f)
		}
	}
	b.Firmware = strings.Join(firmwares, ", ")
}
