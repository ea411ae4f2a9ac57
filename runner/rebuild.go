package runner

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"hilrig/record"
)

// longestEvent bounds a line of events.jsonl: a child's line, and what the
// recorder adds.
const longestEvent = 4 * maxLine

// Rebuild makes the record of a run anew from its events.jsonl and puts it in
// the place of run.json, whole or not at all; of a run of several rounds each
// round's first. What the events do not say is told in Run.Lost, and such a
// record has no verdict; it never replaces one that can be read. Errors are
// usage failures: no events, a run that is still under way.
func Rebuild(dir string) (*record.Record, error) {
	all, err := replayAll(dir)
	if err != nil {
		return nil, err
	}
	for _, r := range all {
		if !r.replayed {
			continue
		}
		if err := r.rec.Save(filepath.Join(r.dir, record.RecordFile)); err != nil {
			return nil, err
		}
	}
	return all[len(all)-1].rec, nil
}

// Replay is the text of each record of a run folder as its events say it, by
// its path with slashes. It writes nothing.
func Replay(dir string) (map[string][]byte, error) {
	all, err := replayAll(dir)
	if err != nil {
		return nil, err
	}
	texts := map[string][]byte{}
	for _, r := range all {
		name, err := filepath.Rel(dir, filepath.Join(r.dir, record.RecordFile))
		if err != nil {
			return nil, hostFailure("find", r.dir, err)
		}
		if !r.replayed {
			continue
		}
		if texts[filepath.ToSlash(name)], err = r.rec.Encode(); err != nil {
			return nil, err
		}
	}
	return texts, nil
}

// folderRecord is the record of a run folder, or of a round's.
type folderRecord struct {
	dir      string
	rec      *record.Record
	replayed bool // it is made of its events; else it is the one that was there
}

// replayAll makes the record of each round anew, and last the run's.
func replayAll(dir string) ([]folderRecord, error) {
	if underWay(dir) || underWay(filepath.Dir(dir)) {
		return nil, record.NewFailure(record.Usage, "rebuild", filepath.Join(dir, record.RecordFile), errors.New("the run is still under way")).
			WithCure("wait for its end")
	}
	var all []folderRecord
	var done []*record.Record
	for _, round := range Rounds(dir) {
		one := folderRecord{dir: round, replayed: true}
		var err error
		one.rec, err = rebuild(round, nil)
		if errors.Is(err, fs.ErrNotExist) {
			one.rec, err = record.Load(filepath.Join(round, record.RecordFile))
			one.replayed = false
		}
		if err != nil {
			return nil, err
		}
		all, done = append(all, one), append(done, one.rec)
	}
	slices.SortFunc(done, func(a, b *record.Record) int { return cmp.Compare(a.Run.Round, b.Run.Round) })
	whole, err := rebuild(dir, done)
	if err != nil {
		return nil, err
	}
	return append(all, folderRecord{dir, whole, true}), nil
}

// rebuild makes one folder's record anew; rounds are those that it sums up.
func rebuild(dir string, rounds []*record.Record) (*record.Record, error) {
	rec, err := replay(filepath.Join(dir, record.EventsFile), rounds)
	if err != nil {
		return nil, err
	}
	name := filepath.Join(dir, record.RecordFile)
	if rec.Run.Lost != "" {
		if whole, err := record.Load(name); err == nil && whole.Run.Lost == "" {
			return nil, record.NewFailure(record.Usage, "rebuild", name, fmt.Errorf("it can be read, and the events beside it say less: %s", rec.Run.Lost)).
				WithCure("hilrig report renders it as it is")
		}
	}
	rec.Conclude()
	return rec, nil
}

// replay enters the events of a file into a record.
func replay(name string, rounds []*record.Record) (*record.Record, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, record.NewFailure(record.Usage, "rebuild the record from", "", err)
	}
	defer func() { _ = f.Close() }() // only read
	r := replayed{book: newBook(&record.Record{Schema: record.Schema, Devices: []record.DeviceRecord{}})}
	var broken error // of the line before: the last one may be half
	readLines(f, longestEvent, func(line []byte, whole bool) {
		r.line++
		r.lose(broken)
		broken = nil
		e, err := parseEvent(line)
		switch {
		case err != nil || !whole:
			broken = fmt.Errorf("line %d of %s cannot be read", r.line, record.EventsFile)
		default:
			r.replay(e)
		}
	})
	if r.rec.Run.ID == "" {
		return nil, record.NewFailure(record.Usage, "rebuild the record from", name, errors.New("it does not say how the run began")).
			WithCure("the record is lost: run again")
	}
	return r.end(rounds), nil
}

// replayed is a book that is filled from a file, which may be an older
// hilrig's or damaged.
type replayed struct {
	*book
	line     int
	lost     string // the first thing that cannot be known
	named    bool   // the events say which devices and specs were expected
	closing  bool   // the record's last head was there
	halted   string // why the rounds ended early
	endedOld record.Event
}

func (r *replayed) lose(err error) {
	if err != nil && r.lost == "" {
		r.lost = err.Error()
	}
}

func (r *replayed) replay(e record.Event) {
	switch {
	case e.Kind == KindDeviceExpected:
		r.named = true
	case e.Device == "" && e.Kind == KindRunClosing:
		r.closing, r.halted = true, e.Text
	case e.Device == "" && e.Kind == KindRunEnded:
		r.endedOld = e
	case e.Device != "" && !r.named:
		r.admit(e)
	}
	if _, err := r.enter(e); err != nil && e.Kind != KindChildNoise {
		r.lose(fmt.Errorf("line %d of %s: %w", r.line, record.EventsFile, err))
	}
}

// admit lets a device and its spec in that no event has announced: an older
// hilrig did not.
func (r *replayed) admit(e record.Event) {
	dev := r.rec.Device(e.Device)
	if dev == nil {
		r.rec.Devices = append(r.rec.Devices, record.DeviceRecord{Name: e.Device, Specs: []record.SpecResult{}})
		dev = r.rec.Device(e.Device)
	}
	s := record.SpecResult{ID: e.Spec, Text: e.Text, Labels: []string{}, Verdict: record.NotRun, Cause: notReached}
	switch {
	case e.Spec == "" || specOf(dev, e.Spec) != nil:
		return
	case e.Kind == record.KindSpecFinished:
		var res record.SpecResult
		if e.Decode(&res) == nil {
			s.Text, s.Labels = res.Text, res.Labels
		}
	case e.Kind != record.KindSpecStarted:
		return
	}
	dev.Put(s)
}

// end is the record, with what cannot be known.
func (r *replayed) end(rounds []*record.Record) *record.Record {
	rec := r.rec
	if !r.named {
		r.lose(fmt.Errorf("%s does not say which devices and specs were asked", record.EventsFile))
	}
	if !r.closing && r.endedOld.Kind != "" {
		rec.Run.Ended = r.endedOld.UTC
		r.lose(fmt.Errorf("%s does not say how the run ended", record.EventsFile))
	}
	if rec.OfSelftest() {
		r.lose(errors.New("what a selftest shows of the suites is not in its events"))
	}
	if rec.Run.Rounds > 0 && rec.Run.Round == 0 {
		rec = r.sum(rounds)
	}
	rec.Run.Lost = r.lost
	return rec
}

// sum is the record of a run of several rounds.
func (r *replayed) sum(rounds []*record.Record) *record.Record {
	var done []*record.Record
	for _, one := range rounds {
		if one.Run.Lost != "" {
			r.lose(fmt.Errorf("round %d: %s", one.Run.Round, one.Run.Lost))
		}
		if !one.Run.Ended.IsZero() {
			done = append(done, one)
		} else if !r.closing { // how it was being ended when it was killed
			r.rec.Run.Interrupted, r.rec.Run.TimedOut, r.rec.Run.Broke = one.Run.Interrupted, one.Run.TimedOut, one.Run.Broke
		}
	}
	if len(done) == 0 && r.halted == "" {
		return r.rec
	}
	return sumUp(r.rec, done, r.halted)
}
