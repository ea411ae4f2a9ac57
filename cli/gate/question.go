package gate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"hilrig/cli/named"
	"hilrig/cli/terminal"
	"hilrig/cli/verb"
	"hilrig/record"
	"hilrig/reports/gate"
	"hilrig/runner"
)

// question gathers all that a verdict is made of.
func (a verbs) question(ctx context.Context, f *flags, names []string) (*gate.Question, error) {
	q := &gate.Question{Catalogue: a.Known(), Now: time.Now(), Version: verb.Version()}
	var err error
	if q.Policy, err = a.readPolicy(f.policy); err != nil {
		return nil, err
	}
	if f.waivers != "" {
		data, err := named.Text("waivers", f.waivers)
		if err != nil {
			return nil, err
		}
		if q.Waivers, err = gate.ReadWaivers(f.waivers, data, q.Policy, q.Catalogue, q.Now); err != nil {
			return nil, err
		}
	}
	judged, err := runner.DescribeFirmware(record.Firmware{Version: f.firmware, File: f.firmwareFile})
	if err != nil {
		return nil, err
	}
	q.Firmware = gate.Wanted{Version: judged.Version, SHA256: judged.SHA256}
	if len(names) == 0 {
		names = []string{"latest"}
	}
	var dirs []string
	for _, name := range names {
		dir, err := named.Run(f.out, name, false)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	q.Runs = make([]gate.Run, len(dirs))
	_ = sideBySide(len(dirs), func(i int) error { // one that is damaged is damaged
		q.Runs[i] = readRun(dirs[i])
		q.Runs[i].Given = true
		return nil
	})
	keys, err := f.benches(q.Policy)
	if err != nil {
		return nil, err
	}
	if q.Released, err = f.released(ctx, q); err != nil {
		return nil, err
	}
	ends := fromHistory(ctx, q, f.out)
	return q, sideBySide(len(q.Runs), func(i int) error {
		r := &q.Runs[i]
		if !r.Given {
			readUnlisted(r)
		}
		return holdRun(ctx, r, ends[r.ID], keys)
	})
}

// sideBySide does something with each of n runs, as many at once as there are
// processors: to read evidence takes those, not the disk.
func sideBySide(n int, do func(i int) error) error {
	var wg sync.WaitGroup
	var next atomic.Int64
	errs := make([]error, n)
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				errs[i] = do(i)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// readRun reads a run for a gate: one that is damaged is damaged, and no error.
func readRun(dir string) gate.Run {
	r := gate.Run{ID: filepath.Base(dir), Dir: dir}
	rec, text, err := runner.LoadText(dir)
	if err != nil {
		r.Damage = terminal.OneLine(err.Error())
		if errors.Is(err, fs.ErrNotExist) {
			r.Damage = "its folder is gone: " + dir
		}
		return r
	}
	sum := sha256.Sum256(text)
	r.Record, r.ID, r.SHA256 = rec, rec.Run.ID, hex.EncodeToString(sum[:])
	return r
}
