package history

import (
	"context"

	"hilrig/record"
)

// Results are what the boards of a type found of a spec with one firmware.
type Results struct {
	Spec     string
	Type     string
	Emulated bool
	Known    record.Origin // how the firmware was known to be on them
	Failed   int           // also where they passed at another attempt
	Of       int
}

// ResultsOf are the results of a firmware, by its hash where it is known, else
// by its version, of runs that have ended.
func (h *History) ResultsOf(ctx context.Context, version, sum string) ([]Results, error) {
	return ask(ctx, h, `SELECT spec.name, b.type, b.emulated, e.known, sum(r.verdict = ?3 OR r.flaky), count(*)
		FROM firmware f JOIN entry e ON e.firmware = f.id JOIN run ON run.seq = e.run JOIN board b ON b.id = e.board JOIN result r ON r.entry = e.id JOIN spec ON spec.id = r.spec
		WHERE (CASE WHEN ?2 != '' AND f.sha256 != '' THEN f.sha256 = ?2 ELSE ?1 != '' AND f.version = ?1 END)
			AND run.ended IS NOT NULL AND r.verdict IN (?3, ?4, ?5) GROUP BY 1, 2, 3, 4`,
		func(scan func(...any) error) (r Results, err error) {
			return r, scan(&r.Spec, &r.Type, &r.Emulated, &r.Known, &r.Failed, &r.Of)
		}, version, sum, codeOf(record.Fail), codeOf(record.Pass), codeOf(record.Warn))
}
