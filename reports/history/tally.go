package history

import (
	"slices"

	"hilrig/record"
)

// codes are the verdicts as the tables hold them.
var codes = []record.Verdict{record.NotRun, record.Pass, record.Warn, record.Fail, record.Error, record.NotApplicable}

func codeOf(v record.Verdict) int { return max(0, slices.Index(codes, v)) }

// What a result last was.
const (
	neither = iota
	passed
	failed
)

// tally counts results of one spec on one board with one firmware, in order.
type tally struct {
	passed, warned, failed, errors, without, changes, last int
}

func (t *tally) add(code int) {
	now := neither
	switch codes[code] {
	case record.Pass:
		t.passed++
		now = passed
	case record.Warn:
		t.warned++
		now = passed
	case record.Fail:
		t.failed++
		now = failed
	case record.Error:
		t.errors++
	default:
		t.without++
	}
	if now == neither {
		return
	}
	if t.last != neither && t.last != now {
		t.changes++
	}
	t.last = now
}

// goOn adds a result to what its row of the summary holds.
const goOn = `ON CONFLICT DO UPDATE SET passed = passed + excluded.passed, warned = warned + excluded.warned, failed = failed + excluded.failed,
	errors = errors + excluded.errors, without = without + excluded.without,
	changes = changes + excluded.changes + (last != 0 AND excluded.last != 0 AND last != excluded.last),
	last = CASE excluded.last WHEN 0 THEN last ELSE excluded.last END`
