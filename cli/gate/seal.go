package gate

import (
	"context"
	"errors"
	"maps"

	"hilrig/cli/named"
	"hilrig/cli/terminal"
	"hilrig/record"
	"hilrig/record/dsse"
	"hilrig/reports/gate"
	"hilrig/reports/seal"
	"hilrig/runner"
)

// benches are the keys by one of which a run must be sealed.
func (f *flags) benches(p *gate.Policy) ([]dsse.Key, error) {
	keys, asked := p.SealKeys()
	if len(keys) > 0 && len(f.sealKeys) > 0 {
		return nil, record.NewFailure(record.Usage, "check seals", "", errors.New("--seal-key names another key than the policy, which has those that count"))
	}
	for _, name := range f.sealKeys {
		more, err := named.Keys(name)
		if err != nil {
			return nil, err
		}
		keys = append(keys, more...)
	}
	if asked && len(keys) == 0 {
		return nil, record.NewFailure(record.Usage, "check seals", "", errors.New("the policy asks for sealed runs, and nobody says by which key")).
			WithCure("--seal-key FILE, or evidence.sealed of the policy holds the public key")
	}
	return keys, nil
}

// holdRun holds a run's files against what they were when it ended, as the
// history has them, and against its seal.
func holdRun(ctx context.Context, r *gate.Run, end map[string]string, keys []dsse.Key) error {
	if r.Record == nil {
		return nil
	}
	folder := seal.Open(r.Dir, runner.Replay).Knows(record.RecordFile, r.SHA256)
	held, err := folder.Check(ctx, r.ID, keys...)
	found := held.Found
	if err == nil && (held.Seal == nil || !maps.Equal(held.Files, end)) {
		found, err = folder.Hold(ctx, end)
	}
	switch {
	case ctx.Err() != nil:
		return err
	case err != nil:
		r.Record, r.Damage = nil, terminal.OneLine(err.Error())
		return nil
	}
	r.Edited, r.Unsealed, r.BadSeal = found.Edited, held.Lack(), held.Broken()
	return nil
}
