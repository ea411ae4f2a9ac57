package cli

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"hilrig/record"
	"hilrig/reports/gate"
	"hilrig/reports/history"
	"hilrig/runner"
)

// released is what is known of the firmware that was released last: the one of
// a statement, else the policy's, by what the history has of it.
func (f *gateFlags) released(ctx context.Context, p *gate.Policy) (r gate.Released, err error) {
	switch {
	case p.Baseline == nil && f.baseline != "":
		return r, record.NewFailure(record.Usage, "read", "--baseline", errors.New("the policy has no baseline")).WithCure("baseline: {} asks for one")
	case p.Baseline == nil:
		return r, nil
	case f.baseline == "" && f.baselineKey != "", f.baseline != "" && f.baselineKey == "":
		return r, record.NewFailure(record.Usage, "read", "--baseline", errors.New("a statement and the public key of whoever signed it go together: --baseline and --baseline-key"))
	}
	r.Wanted = gate.Wanted{Version: p.Baseline.Version, SHA256: p.Baseline.SHA256}
	if f.baseline != "" {
		s, err := readStatement(f.baseline, f.baselineKey)
		if err != nil {
			return r, err
		}
		v := s.Predicate.Verdict
		if v.Verdict != gate.Pass {
			return r, record.NewFailure(record.Usage, "read", f.baseline, errors.New("it says "+string(v.Verdict)+" of the firmware: that was not to be released"))
		}
		r.Wanted = v.Firmware.Wanted
	}
	if r.Wanted == (gate.Wanted{}) {
		return r, nil
	}
	if r.Shares, err = sharesOf(ctx, r.Wanted, p); err != nil {
		r.Lack = oneLine(err.Error())
		if errors.Is(err, fs.ErrNotExist) {
			r.Lack = noHistory
		}
	}
	return r, nil
}

// sharesOf are the results of a firmware that would count for a policy, were
// they not old.
func sharesOf(ctx context.Context, w gate.Wanted, p *gate.Policy) (shares map[string]gate.Share, err error) {
	ctx, cancel := context.WithTimeout(ctx, historyBound)
	defer cancel()
	state, err := runner.StateDirName()
	if err != nil {
		return nil, err
	}
	h, err := history.OpenExisting(ctx, state)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	all, err := h.ResultsOf(ctx, w.Version, w.SHA256)
	if err != nil {
		return nil, err
	}
	shares = map[string]gate.Share{}
	for _, r := range all {
		ofType := slices.ContainsFunc(p.Boards, func(b gate.Boards) bool { return b.Type == r.Type })
		if !ofType || r.Emulated && !p.Evidence.Emulated || !slices.Contains(p.Evidence.Known, r.Known) {
			continue
		}
		s := shares[r.Spec]
		shares[r.Spec] = gate.Share{Failed: s.Failed + r.Failed, Of: s.Of + r.Of}
	}
	return shares, nil
}
