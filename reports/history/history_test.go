package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"hilrig/record"
)

var start = time.Date(2026, 11, 1, 20, 0, 0, 0, time.UTC)

func opened(t *testing.T, dir string) *History {
	t.Helper()
	h, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// night is the record of night n (from 0), of boards A1, A2, ... by their
// verdicts of one spec each.
func night(n int, version string, verdicts ...record.Verdict) *record.Record {
	at := start.AddDate(0, 0, n)
	r := &record.Record{
		Schema:   record.Schema,
		Run:      record.Run{ID: fmt.Sprintf("%s-%04d", at.Format("20060102T150405Z"), n), Host: "lab", Rig: "bench", Started: at, Ended: at.Add(time.Hour)},
		Firmware: record.Firmware{Version: version, SHA256: "sum-" + version},
	}
	for i, v := range verdicts {
		d := record.DeviceRecord{Name: fmt.Sprint("slot-", i+1), Type: "ads300", Specs: []record.SpecResult{{ID: "tls/version", Verdict: v}}}
		d.Hardware, d.Running = record.Hardware{Serial: fmt.Sprint("A", i+1)}, record.Running{Version: version, Known: record.Asked}
		r.Devices = append(r.Devices, d)
	}
	r.Conclude()
	return r
}

func told(t *testing.T, h *History, all ...*record.Record) {
	t.Helper()
	for _, r := range all {
		if err := h.Begun(t.Context(), "runs/"+r.Run.ID, r); err != nil {
			t.Fatal(err)
		}
		if err := h.Ended(t.Context(), "runs/"+r.Run.ID, r, map[string]string{"run.json": "1"}); err != nil {
			t.Fatal(err)
		}
	}
}

const p, w, f, e, n = record.Pass, record.Warn, record.Fail, record.Error, record.NotRun

func TestARunIsKnownFromItsBeginning(t *testing.T) {
	dir := t.TempDir()
	h := opened(t, dir)
	r := night(0, "2.4.1", n)
	r.Run.Ended = time.Time{}
	r.Conclude()
	if err := h.Begun(t.Context(), "gone", r); err != nil {
		t.Fatal(err)
	}
	found, err := h.Of(t.Context(), "2.4.1", "")
	if err != nil || len(found) != 1 || !found[0].Ended.IsZero() || found[0].Dir != "gone" || found[0].Hardware != 1 {
		t.Fatalf("%+v %v", found, err)
	}
	if other, err := h.Of(t.Context(), "9.9", ""); err != nil || len(other) != 1 {
		t.Errorf("one without an end may have been of any firmware: %+v %v", other, err)
	}
	told(t, h, night(0, "2.4.1", p))
	if found, err = h.Of(t.Context(), "", "sum-2.4.1"); err != nil || len(found) != 1 || found[0].Ended.IsZero() || found[0].Passed != 1 || found[0].Files["run.json"] != "1" {
		t.Errorf("%+v %v", found, err)
	}
}

// The digests of a run's end stay: whoever edits a record cannot have it told
// anew.
func TestDigestsStay(t *testing.T) {
	h := opened(t, t.TempDir())
	r := night(0, "2.4.1", p)
	told(t, h, r)
	if err := h.Ended(t.Context(), "runs/"+r.Run.ID, r, map[string]string{"run.json": "2"}); err != nil {
		t.Fatal(err)
	}
	if got, err := h.Find(t.Context(), r.Run.ID); err != nil || got.Files["run.json"] != "1" {
		t.Errorf("%+v %v", got, err)
	}
}

func TestWhatTheHistoryAnswers(t *testing.T) {
	h := opened(t, t.TempDir())
	faulty, selftest := night(5, "2.4.2", f), night(6, "2.4.2", f)
	faulty.Devices[0].Faults = []string{"no-sni"}
	selftest.Selftest = &record.Selftest{}
	killed := night(7, "2.4.2", f)
	killed.Run.Arguments, killed.Run.Ended = []string{"selftest"}, time.Time{}
	told(t, h, night(0, "2.4.0", p, p), night(1, "2.4.1", p, f), night(2, "2.4.1", f, f), night(3, "2.4.1", w, f), night(4, "2.4.1", e, n), faulty, selftest, killed)

	trend, err := h.Spec(t.Context(), "tls/version")
	if err != nil {
		t.Fatal(err)
	}
	if len(trend) != 2 || trend[0].Version != "2.4.0" || trend[0].Failed != 0 || trend[1].Version != "2.4.1" || !trend[1].First.Equal(start.AddDate(0, 0, 1)) {
		t.Fatalf("%+v", trend)
	}
	want := Counts{Passed: 1, Warned: 1, Failed: 4, Errors: 1, Without: 1}
	if got := trend[1]; got.Counts != want || got.Changes != 2 || got.Pairs != 4 || got.Boards != 2 {
		t.Errorf("%+v", got)
	}
	flaky, err := h.Flaky(t.Context())
	if err != nil || len(flaky) != 1 || flaky[0].Changes != 2 || flaky[0].Pairs != 4 {
		t.Errorf("%+v %v", flaky, err)
	}
	if got, err := h.Board(t.Context(), "A2", 3); err != nil || len(got) != 3 || got[0].Verdict != n || got[2].Verdict != f || got[2].Version != "2.4.1" {
		t.Errorf("%+v %v", got, err)
	}
	firmwares, err := h.Firmwares(t.Context())
	if err != nil || len(firmwares) != 2 || firmwares[0].Version != "2.4.1" || firmwares[0].Runs != 4 || firmwares[0].Failing != 3 {
		t.Errorf("%+v %v", firmwares, err)
	}
}

func TestABoardThatFailsWhatItsSiblingsPassIsSuspect(t *testing.T) {
	h := opened(t, t.TempDir())
	told(t, h, night(0, "2.4.1", p, f, p), night(1, "2.4.2", f, f, p))
	got, err := h.Suspects(t.Context(), "")
	want := []Suspect{{"A2", "ads300", "tls/version", "2.4.1", "sum-2.4.1", 1, 1, 2, 0}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v %v", got, err)
	}
}

// In whatever order runs are told, and however often, the summary is the same.
func TestTheSummaryDoesNotDependOnTheOrder(t *testing.T) {
	var runs []*record.Record
	verdicts := []record.Verdict{p, w, f, e, n}
	source := rand.New(rand.NewPCG(1, 2))
	for i := range 30 {
		runs = append(runs, night(i, fmt.Sprint("2.", i/10), verdicts[source.IntN(5)], verdicts[source.IntN(5)]))
	}
	h := opened(t, t.TempDir())
	told(t, h, runs...)
	want, err := h.Spec(t.Context(), "tls/version")
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		shuffled := opened(t, t.TempDir())
		order := source.Perm(len(runs))
		for _, i := range append(order, order[:10]...) {
			told(t, shuffled, runs[i])
		}
		if got, err := shuffled.Spec(t.Context(), "tls/version"); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v\nwant %+v %v", got, want, err)
		}
	}
}

func TestAClockThatWasSetBackIsSeen(t *testing.T) {
	h := opened(t, t.TempDir())
	told(t, h, night(3, "2.4.1", f), night(1, "2.4.1", p), night(4, "2.4.1", p))
	for n, want := range map[int]bool{3: false, 1: true, 4: false} {
		if got, err := h.Find(t.Context(), night(n, "2.4.1", p).Run.ID); err != nil || got.ClockBack != want {
			t.Errorf("night %d: %v, want %v (%v)", n, got.ClockBack, want, err)
		}
	}
}

func TestARunThatWasTakenOutIsMissed(t *testing.T) {
	for _, c := range []struct {
		out  string
		want int
	}{{"0", 0}, {"1", 1}, {"3", 1}, {"1, 2, 3", 3}} {
		dir := t.TempDir()
		h := opened(t, dir)
		told(t, h, night(0, "2.4.1", f), night(1, "2.4.1", p), night(2, "2.4.1", p))
		told(t, h, night(0, "2.4.1", f)) // again
		if _, err := h.db.ExecContext(t.Context(), "PRAGMA foreign_keys = 0; DELETE FROM run WHERE seq IN ("+c.out+")"); err != nil {
			t.Fatal(err)
		}
		if got, err := h.Missing(t.Context()); err != nil || got != c.want {
			t.Errorf("%s: %d missing, want %d (%v)", c.out, got, c.want, err)
		}
	}
}

// A file that is no database, or half of one, is said to be damaged and stays as
// it is.
func TestADamagedHistoryIsToldAndStays(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"junk": func([]byte) []byte {
			return []byte("this is no database, whatever its name says; it is longer than a header of one hundred bytes is, too")
		},
		"cut short": func(b []byte) []byte { return b[:len(b)/3] },
	} {
		dir := t.TempDir()
		h, err := Open(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		told(t, h, night(0, "2.4.1", p))
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, FileName)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		bad := damage(whole)
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		h, err = OpenExisting(t.Context(), dir)
		if err == nil {
			_, err = h.Of(t.Context(), "2.4.1", "")
			if err := h.Close(); err != nil {
				t.Log(err)
			}
		}
		if record.ClassOf(err) != record.RigHost {
			t.Errorf("%s: %v", name, err)
		}
		aside, err := SetAside(dir, start)
		if err != nil {
			t.Fatal(err)
		}
		if kept, err := os.ReadFile(aside); err != nil || len(kept) != len(bad) {
			t.Errorf("%s: %d bytes kept of %d: %v", name, len(kept), len(bad), err)
		}
	}
	if _, err := OpenExisting(t.Context(), t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("none: %v", err)
	}
}

// Whoever holds the database keeps nobody waiting beyond a bound.
func TestALockedHistoryIsGivenUp(t *testing.T) {
	dir := t.TempDir()
	h := opened(t, dir)
	holder, err := sql.Open("sqlite", filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = holder.Close() }() // of the test alone
	holder.SetMaxOpenConns(1)
	if _, err := holder.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := h.Begun(ctx, "d", night(0, "2.4.1", p)); record.ClassOf(err) != record.RigHost || ctx.Err() != nil {
		t.Errorf("%v, %v", err, ctx.Err())
	}
	if _, err := holder.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := h.Begun(ctx, "d", night(0, "2.4.1", p)); err != nil {
		t.Error(err)
	}
}

func TestRatesHaveTheirInterval(t *testing.T) {
	if r := rateOf(0, 0); r.Low != 0 || r.High != 1 {
		t.Errorf("of nothing: %+v", r)
	}
	if r := rateOf(1, 10); r.Flake != 0.1 || r.Low < 0.017 || r.Low > 0.019 || r.High < 0.403 || r.High > 0.405 { // as statistics books have it
		t.Errorf("%+v", r)
	}
}

// Where other rigs are green a rig that is red is to blame, but not for what may
// be chance.
func TestARigThatIsRedWhereOthersAreGreenIsSuspect(t *testing.T) {
	at := func(n int, rig string, verdicts ...record.Verdict) *record.Record {
		r := night(n, "2.4.1", verdicts...)
		r.Run.Rig, r.Run.ID = rig, r.Run.ID+rig
		for i := range r.Devices {
			r.Devices[i].Hardware.Serial = rig + r.Devices[i].Hardware.Serial
		}
		return r
	}
	for name, c := range map[string]struct {
		red  []record.Verdict
		want int
	}{
		"errors":  {[]record.Verdict{e, e, e, e}, 1},
		"mixed":   {[]record.Verdict{f, e, f, e}, 1},
		"chance":  {[]record.Verdict{f, p, p, p}, 0},
		"no runs": {[]record.Verdict{n, n, n, n}, 0},
	} {
		h := opened(t, t.TempDir())
		told(t, h, at(0, "a", p, p, p, p), at(1, "b", c.red...), at(2, "c", p, w, p, p))
		told(t, h, at(1, "b", c.red...)) // again
		got, err := h.SuspectRigs(t.Context())
		if err != nil || len(got) != c.want {
			t.Fatalf("%s: %+v %v", name, got, err)
		}
		if c.want > 0 && (got[0].Rig != "b" || got[0].Red != 4 || got[0].Asked != 4 || got[0].Others.Rigs != 2 || got[0].Others.Asked != 8 || got[0].Others.Red != 0) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// A database of an earlier hilrig answers like one that was made today.
func TestAHistoryOfTheFirstFormatIsBroughtUpToDate(t *testing.T) {
	dir := t.TempDir()
	old, err := sql.Open("sqlite", filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := old.ExecContext(t.Context(), first+`
		INSERT INTO run (seq, id, dir, host, rig, hilrig, started, ended, verdict, version, sha256, hardware, selftest, told) VALUES (1, 'r1', 'd', 'lab', 'bench', '1', 1, 2, 'fail', '', '', 2, 0, 1);
		INSERT INTO board VALUES (1, 'A1', 'ads300', 0), (2, 'A2', 'ads300', 0);
		INSERT INTO spec VALUES (1, 'tls/version'); INSERT INTO firmware VALUES (1, '2.4.1', 'sum-2.4.1');
		INSERT INTO entry VALUES (1, 1, 'a', 1, 1, 'local', 'asked', 'fail'), (2, 1, 'b', 2, 1, 'local', 'asked', 'pass');
		INSERT INTO result VALUES (1, 1, 3, 0, 'm'), (2, 1, 1, 0, '');
		INSERT INTO summary VALUES (1, 1, 1, 0, 0, 1, 0, 0, 0, 2, 1), (1, 1, 2, 1, 0, 0, 0, 0, 0, 1, 1);
		PRAGMA user_version = 1;`); err != nil {
		t.Fatal(err)
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	h := opened(t, dir)
	if got, err := h.Suspects(t.Context(), "A1"); err != nil || len(got) != 1 || got[0].Siblings != 1 {
		t.Errorf("%+v %v", got, err)
	}
	if got, err := h.Spec(t.Context(), "tls/version"); err != nil || len(got) != 1 || got[0].Passed != 1 || got[0].Failed != 1 || got[0].Boards != 2 {
		t.Errorf("%+v %v", got, err)
	}
	if got, err := h.Runs(t.Context(), 0); err != nil || len(got) != 1 || got[0].Tested != "2.4.1" {
		t.Errorf("%+v %v", got, err)
	}
	if got, err := h.Cells(t.Context()); err != nil || len(got) != 1 || got[0].Failing != 1 || got[0].Boards != 2 {
		t.Errorf("%+v %v", got, err)
	}
	told(t, h, night(0, "2.4.1", p, p))
	if got, err := h.Flaky(t.Context()); err != nil || len(got) != 1 || got[0].Changes != 1 || got[0].Pairs != 2 {
		t.Errorf("%+v %v", got, err)
	}
}

// What can be read of a damaged history outlives it, whatever page is bad.
func TestWhatADamagedHistoryStillSaysIsSalvaged(t *testing.T) {
	whole := t.TempDir()
	h, err := Open(t.Context(), whole)
	if err != nil {
		t.Fatal(err)
	}
	const nights = 80
	for i := range nights {
		told(t, h, night(i, fmt.Sprint("2.", i/8), p, []record.Verdict{p, f}[i%2]))
	}
	want, err := h.Spec(t.Context(), "tls/version")
	if err := errors.Join(err, h.Close()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(whole, FileName))
	if err != nil {
		t.Fatal(err)
	}
	const page = 4096
	most, all := 0, 0
	for bad := 1; bad < len(text)/page; bad++ {
		dir, damaged := t.TempDir(), filepath.Join(t.TempDir(), "damaged")
		b := append([]byte{}, text...)
		for i := range page {
			b[bad*page+i] = byte(i)
		}
		if err := os.WriteFile(damaged, b, 0o600); err != nil {
			t.Fatal(err)
		}
		runs, err := Salvage(t.Context(), damaged, dir)
		if err != nil {
			t.Fatalf("page %d: %v", bad, err)
		}
		most = max(most, runs)
		if runs == nights {
			all++
		}
		h := opened(t, dir)
		if got, err := h.Runs(t.Context(), 0); err != nil || len(got) != runs {
			t.Errorf("page %d: %d runs, %d said (%v)", bad, len(got), runs, err)
		}
		if missing, err := h.Missing(t.Context()); err != nil || runs > 0 && runs+missing > nights {
			t.Errorf("page %d: %d runs and %d missing (%v)", bad, runs, missing, err)
		}
	}
	if most != nights || all < len(text)/page/2 {
		t.Errorf("%d runs at most, all of them in %d of %d", most, all, len(text)/page)
	}
	dir := t.TempDir()
	if runs, err := Salvage(t.Context(), filepath.Join(whole, FileName), dir); err != nil || runs != nights {
		t.Fatal(runs, err)
	}
	if got, err := opened(t, dir).Spec(t.Context(), "tls/version"); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant %+v (%v)", got, want, err)
	}
}

// A new history that is not finished leaves the damaged one where it was.
func TestADamagedHistoryIsRenewedWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, FileName)
	if err := os.WriteFile(path, []byte("no database"), 0o600); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := Renew(ended, dir, start); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 1 || names[0].Name() != FileName {
		t.Errorf("%v %v", names, err)
	}
	aside, runs, err := Renew(t.Context(), dir, start)
	if err != nil || runs != 0 {
		t.Fatal(runs, err)
	}
	if _, err := os.Stat(aside); err != nil {
		t.Error(err)
	}
	if err := opened(t, dir).Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// A run is held against the last one of which the same was asked, of the same
// boards, wherever in the rig they are now.
func TestTheLastComparableRunIsFound(t *testing.T) {
	asked := func(r *record.Record, chosen int) *record.Record {
		r.Run.Selection = record.Selection{Chosen: chosen, Catalogue: 90, LabelFilter: "some"}
		return r
	}
	now := asked(night(9, "2.4.2", f, p), 90)
	now.Devices[0].Name, now.Devices[1].Name = "moved-1", "moved-2"
	other := asked(night(6, "2.4.1", p, p), 90)
	for i := range other.Devices {
		other.Devices[i].Hardware.Serial += "-of-another-rig"
	}
	killed := asked(night(7, "2.4.1", p, p), 90)
	killed.Run.Ended = time.Time{}
	killed.Conclude()
	for name, c := range map[string]struct {
		before []*record.Record
		want   string
		marks  int // of the first board
	}{
		"none":             {nil, "", 0},
		"the last":         {[]*record.Record{asked(night(1, "2.4.0", p, f), 90), asked(night(2, "2.4.1", p, p), 90)}, night(2, "").Run.ID, 2},
		"not what is less": {[]*record.Record{asked(night(1, "2.4.0", p, f), 90), asked(night(2, "2.4.1", p, p), 5)}, night(1, "").Run.ID, 2},
		"of its boards":    {[]*record.Record{asked(night(1, "2.4.0", p, f), 90), other}, night(1, "").Run.ID, 1},
		"one that ended":   {[]*record.Record{asked(night(1, "2.4.0", p, f), 90), killed}, night(1, "").Run.ID, 1},
		"not a later one":  {[]*record.Record{asked(night(1, "2.4.0", p, f), 90), asked(night(12, "2.4.3", p, p), 90)}, night(1, "").Run.ID, 1},
		"not itself":       {[]*record.Record{asked(night(1, "2.4.0", p, f), 90), now}, night(1, "").Run.ID, 1},
		"of half of them":  {[]*record.Record{asked(night(1, "2.4.0", p), 90)}, night(1, "").Run.ID, 1},
	} {
		h := opened(t, t.TempDir())
		told(t, h, c.before...)
		got, err := h.Before(t.Context(), now)
		if err != nil {
			t.Fatal(name, err)
		}
		id := ""
		if got.Last != nil {
			id = got.Last.Run.ID
			if d := got.Last.Device("moved-1"); d == nil || d.Specs[0].Verdict != p {
				t.Errorf("%s: %+v", name, got.Last.Devices)
			}
		}
		if marks := got.Tail["moved-1"]["tls/version"]; id != c.want || len(marks) != c.marks {
			t.Errorf("%s: %q, want %q; %d marks, want %d", name, id, c.want, len(marks), c.marks)
		}
	}
}

// A board that failed and passed since is not one that fails.
func TestACellIsRedWhereABoardFailedLast(t *testing.T) {
	h := opened(t, t.TempDir())
	emulated := night(3, "2.4.1", f)
	emulated.Devices[0].Emulated, emulated.Devices[0].Hardware.Serial = true, "EMU"
	told(t, h, night(0, "2.4.1", f, p, p), night(1, "2.4.1", p, f, e), night(2, "2.4.1", e, n, p), emulated)
	got, err := h.Cells(t.Context())
	want := []Cell{
		{"ads300", "tls/version", 1, 3, 1, Counts{Passed: 4, Failed: 2, Errors: 2, Without: 1}, 2},
		{"ads300, emulated", "tls/version", 1, 1, 1, Counts{Failed: 1}, 0},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant %+v (%v)", got, want, err)
	}
}

// What a board measured is told with the board, and those of a run stay in
// their order.
func TestMeasuresTellBoards(t *testing.T) {
	h := opened(t, t.TempDir())
	most := 2.0
	for i, values := range [][]float64{{1.25, 0.5, 3}, {1, 1.5}} {
		r := night(i, "2.4.1", []record.Verdict{p, p, p}[:len(values)]...)
		for j, v := range values {
			r.Devices[j].Specs[0].Measurements = []record.Measurement{record.Measurement{Name: "handshake", Value: v, Unit: "s", High: &most}.Judge()}
		}
		told(t, h, r, r) // a second time changes nothing
	}
	got, err := h.Measures(t.Context(), start)
	if err != nil || len(got) != 1 || len(got[0].Runs) != 2 {
		t.Fatalf("%+v %v", got, err)
	}
	runs := got[0].Runs
	for i, want := range [][]Value{{{"A2", 0.5}, {"A1", 1.25}, {"A3", 3}}, {{"A1", 1}, {"A2", 1.5}}} {
		if !reflect.DeepEqual(runs[i].Each(), want) || runs[i].Low != want[0].Value || runs[i].High != want[len(want)-1].Value {
			t.Errorf("%+v, want %+v", runs[i], want)
		}
	}
	if runs[0].Outside != 1 || runs[1].Outside != 0 {
		t.Errorf("%d and %d boards beyond the limit", runs[0].Outside, runs[1].Outside)
	}
}
