package gate

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"hilrig/cli/named"
	"hilrig/cli/past"
	"hilrig/cli/terminal"
	"hilrig/record"
	"hilrig/reports/gate"
	"hilrig/reports/history"
)

// released is what is known of the firmware that was released last: the one of
// a statement, the policy's, or the one of which a statement of a key says PASS
// last; by what the history has of it.
func (f *flags) released(ctx context.Context, q *gate.Question) (r gate.Released, err error) {
	p := q.Policy
	refuse := func(text string) (gate.Released, error) {
		return r, record.NewFailure(record.Usage, "read", "--baseline", errors.New(text)).WithCure("hilrig gate --help")
	}
	switch {
	case p.Baseline == nil && f.baseline+f.baselineKey != "":
		return refuse("the policy has no baseline: baseline: {} asks for one")
	case p.Baseline == nil:
		return r, nil
	case f.baseline != "" && f.baselineKey == "":
		return refuse("a statement goes together with the public key of whoever signed it: --baseline-key")
	case f.baseline == "" && f.baselineKey != "" && p.Baseline.Wanted() != gate.Wanted{}:
		return refuse("the policy names the firmware: --baseline-key goes together with a statement, or a baseline that names none")
	}
	r.Wanted = p.Baseline.Wanted()
	switch {
	case f.baseline != "":
		s, err := readStatement(f.baseline, f.baselineKey)
		if err != nil {
			return r, err
		}
		v := s.Predicate.Verdict
		if v.Verdict != gate.Pass {
			return r, record.NewFailure(record.Usage, "read", f.baseline, errors.New("it says "+string(v.Verdict)+" of the firmware: that was not to be released"))
		}
		r.Wanted = v.Firmware.Wanted
	case f.baselineKey != "":
		if r.Wanted, err = f.lastReleased(ctx, q); err != nil {
			return r, err
		}
		if r.Wanted == (gate.Wanted{}) {
			r.Lack = "no run that this host knows has a statement of this key that says PASS of another firmware for these types"
		}
	}
	if r.Wanted == (gate.Wanted{}) {
		return r, nil
	}
	if r.Shares, err = sharesOf(ctx, r.Wanted, p); err != nil {
		r.Lack = terminal.OneLine(err.Error())
		if errors.Is(err, fs.ErrNotExist) {
			r.Lack = noHistory
		}
	}
	return r, nil
}

// lastReleased is the firmware of which a statement says PASS last, among those
// that the key has signed and that lie in runs of the history. One about the
// firmware that is judged, or about boards of other types, is none.
func (f *flags) lastReleased(ctx context.Context, q *gate.Question) (last gate.Wanted, err error) {
	key, err := publicKey(f.baselineKey)
	if err != nil {
		return last, err
	}
	runs, err := past.Ask(ctx, past.Bound, func(ctx context.Context, h *history.History) ([]history.Run, error) { return h.Runs(ctx, 0) })
	if errors.Is(err, fs.ErrNotExist) {
		return last, nil
	}
	if err != nil {
		return last, err
	}
	judged, _ := q.Judged()
	var at time.Time
	for _, r := range runs {
		beside := filepath.Join(r.Dir, record.Statements)
		names, _ := os.ReadDir(beside) // most runs have none
		for _, name := range names {
			text, err := named.TextUpTo(record.MaxRecord, "statement", filepath.Join(beside, name.Name()))
			if err != nil {
				continue // what cannot be read proves nothing
			}
			s, err := gate.Verify(text, key)
			if err != nil {
				continue // it is somebody else's
			}
			v := s.Predicate.Verdict
			if v.Verdict == gate.Pass && v.At.After(at) && !v.Firmware.Same(judged) && slices.ContainsFunc(v.Boards, func(c gate.Counted) bool { return q.Policy.OfType(c.Type) }) {
				last, at = v.Firmware.Wanted, v.At
			}
		}
	}
	return last, nil
}

// sharesOf are the results of a firmware that would count for a policy, were
// they not old.
func sharesOf(ctx context.Context, w gate.Wanted, p *gate.Policy) (map[string]gate.Share, error) {
	all, err := past.Ask(ctx, past.Bound, func(ctx context.Context, h *history.History) ([]history.Results, error) {
		return h.ResultsOf(ctx, w.Version, w.SHA256)
	})
	if err != nil {
		return nil, err
	}
	shares := map[string]gate.Share{}
	for _, r := range all {
		if !p.OfType(r.Type) || r.Emulated && !p.Evidence.Emulated || !slices.Contains(p.Evidence.Known, r.Known) {
			continue
		}
		s := shares[r.Spec]
		shares[r.Spec] = gate.Share{Failed: s.Failed + r.Failed, Of: s.Of + r.Of}
	}
	return shares, nil
}
