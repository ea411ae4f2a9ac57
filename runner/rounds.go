package runner

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"hilrig/record"
)

// rounds runs the plan several times. Each round has a record of its own in
// round-NN; the run folder's record sums them up and is there, not run, from
// the first moment.
func (r *run) rounds() (*Result, error) {
	n := r.plan.Repeat
	head := r.head
	head.Rounds = n
	sum := newRecord(head, r.plan)
	if err := saveSum(sum, r.dir); err != nil {
		return nil, err
	}
	var done []*record.Record
	story, broken := r.tellRounds(sum)
	if broken != nil {
		return nil, broken
	}
	for i := 1; i <= n && r.halt.why() == "" && broken == nil; i++ {
		round := head
		round.Round, round.Started = i, time.Now().UTC().Round(0)
		dir := roundDir(r.dir, i)
		if err := os.Mkdir(dir, 0o755); err != nil {
			broken = hostFailure("make", dir, err)
			break
		}
		var rec *record.Record
		if rec, broken = r.round(dir, round); rec == nil {
			break
		}
		done = append(done, rec)
		if r.RoundDone != nil {
			r.RoundDone(dir, rec)
		}
		sum = sumUp(newRecord(head, r.plan), done, r.halt.why())
		if err := saveSum(sum, r.dir); err != nil && broken == nil {
			broken = err
		}
	}
	if why := r.halt.why(); why != "" && len(done) < n { // also one that came when the last round had been summed up
		sum = sumUp(newRecord(head, r.plan), done, why)
	}
	r.howItEnds(&sum.Run)
	sum.Run.Ended = time.Now().UTC().Round(0)
	if err := saveSum(sum, r.dir); err != nil && broken == nil {
		broken = err
	}
	if err := story(r.halt.why(), sum.Run); err != nil && broken == nil {
		broken = err
	}
	return &Result{Dir: r.dir, Record: sum}, broken
}

// tellRounds writes into the run folder's own events.jsonl what the sum says
// beside its rounds: how it began, and by what it returns, how it ended.
func (r *run) tellRounds(sum *record.Record) (ended func(why string, head record.Run) error, err error) {
	d, err := openDiary(r.dir)
	if err != nil {
		return nil, err
	}
	clock := record.ClockAt(r.head.Started)
	own := func(device, kind, text string, data any) record.Event {
		return ownEvent(clock, device, kind, text, data)
	}
	for _, e := range append([]record.Event{own("", KindRunStarted, "", sum.Run)}, opening(own, sum)...) {
		err = errors.Join(err, d.write(e))
	}
	return func(why string, head record.Run) error {
		return errors.Join(d.write(own("", KindRunClosing, why, head)), d.close())
	}, err
}

func saveSum(sum *record.Record, dir string) error {
	sum.Conclude()
	return sum.Save(filepath.Join(dir, record.RecordFile))
}

// sumUp makes one record of the rounds done so far, out of that of a run that has
// not begun. A case is there once, with
// the worst of its rounds; a round that is missing counts as not run.
func sumUp(sum *record.Record, done []*record.Record, halted string) *record.Record {
	for i := range sum.Devices {
		d := &sum.Devices[i]
		for n, rec := range done {
			sumDevice(d, rec.Device(d.Name), n == 0)
		}
		for j := range d.Specs {
			d.Specs[j] = sumSpec(d.Name, d.Specs[j], done, sum.Run.Rounds, halted)
		}
	}
	sum.Conclude()
	return sum
}

func sumDevice(d, round *record.DeviceRecord, first bool) {
	loads, cycles, was := d.Loads, d.PowerCycles, d.Running
	if !first && round.Port == "" {
		round.Port = d.Port // its child died before it could say
	}
	d.DeviceFacts = round.DeviceFacts
	d.Loads, d.PowerCycles = loads+round.Loads, cycles+round.PowerCycles
	switch now := round.Running; {
	case round.Cause != "":
		d.Cause, d.Class = round.Cause, round.Class
	case !first && d.Cause == "" && was.Known.Told() && now.Known.Told() && was.Version != now.Version:
		d.Cause, d.Class = fmt.Sprintf("its firmware changed between two rounds: it said %s, and then %s", was.Version, now.Version), record.ClassDevice
	}
}

// sumSpec sums one spec on one device. What it says in detail (attempts,
// steps, measurements) is of the first round that had the worst verdict.
func sumSpec(device string, s record.SpecResult, done []*record.Record, rounds int, halted string) record.SpecResult {
	var all []record.SpecResult
	for _, rec := range done {
		for _, found := range rec.Device(device).Specs {
			if found.ID == s.ID {
				all = append(all, found)
			}
		}
	}
	if len(all) < rounds {
		if halted != "" {
			s.Cause = halted
		}
		s.Cause = fmt.Sprintf("rounds %d to %d: %s", len(all)+1, rounds, s.Cause)
		s.Started = time.Time{}
	}
	worst, bad, flaky := s, 0, false
	if len(all) == rounds {
		worst = all[0]
	}
	for _, one := range all {
		s.Rounds = append(s.Rounds, record.RoundResult{
			Round: len(s.Rounds) + 1, Started: one.Started, Seconds: one.Seconds, Verdict: one.Verdict,
			Class: one.Class, Message: one.Message, Cause: one.Cause, Flaky: one.Flaky,
		})
		flaky = flaky || one.Flaky
		if !one.Verdict.Green() {
			bad++
		}
		if record.Worst(worst.Verdict, one.Verdict) != worst.Verdict {
			worst = one
		}
	}
	worst.Rounds, worst.Flaky = s.Rounds, flaky
	worst.Evidence = record.Evidence{} // offsets into files of the round, which its own record gives
	if bad > 0 && worst.Message != "" {
		worst.Message = fmt.Sprintf("in %d of %d rounds: %s", bad, rounds, worst.Message)
	}
	return worst
}
