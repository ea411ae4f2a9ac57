package interchange

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"hilrig/record"
	"hilrig/record/wording"
)

// result is a case as every form has it: a spec on a device, or what kept a
// device or a run as a whole from a verdict.
type result struct {
	device  *record.DeviceRecord
	area    string
	name    string // never depends on the outcome
	verdict record.Verdict
	class   record.Class
	message string // one line
	trace   string
	spec    record.SpecResult // zero where it is none
}

// results are all cases of a record, in its order.
func results(r *record.Record) []result {
	var all []result
	cut := wording.Cut(r.Run)
	for i := range r.Devices {
		d := &r.Devices[i]
		for _, s := range d.Specs {
			all = append(all, ofSpec(d, s))
		}
		if d.Cause != "" {
			verdict := record.Error
			if d.Class == record.ClassDevice {
				verdict = record.Fail
			}
			all = append(all, result{device: d, area: "device", name: "device " + record.Plain(d.Name), verdict: verdict, class: d.Class,
				message: line(d.Cause), trace: record.Plain(d.Cause)})
		}
		if cut != "" {
			all = append(all, result{device: d, area: "run", name: "run comes to its end", verdict: record.NotRun,
				message: "the run " + line(cut), trace: record.Plain(wording.Sentence(r))})
		}
	}
	return all
}

func ofSpec(d *record.DeviceRecord, s record.SpecResult) result {
	area, _, _ := strings.Cut(s.ID, "/")
	c := result{device: d, area: record.Plain(area), name: record.Plain(wording.OneLine(s.ID + " " + s.Text)), verdict: s.Verdict, class: s.Class, spec: s}
	if !s.Verdict.Valid() {
		c.verdict = record.NotRun // as [record.Worst] takes it
	}
	switch c.verdict {
	case record.Fail, record.Error:
		c.message, c.trace = line(cmp.Or(s.Message, "no message")), why(s)
	case record.NotRun:
		c.message = line(cmp.Or(s.Cause, "expected, and has no result"))
	case record.NotApplicable:
		c.message = line(cmp.Or(s.Cause, "not applicable"))
	case record.Warn:
		c.message = line(strings.Join(s.Warnings, "; "))
	}
	return c
}

// red reports whether a case is one that somebody must look at: what the rig
// broke, or what did not run, is no pass.
func (c result) red() bool { return !c.verdict.Green() }

// title is what a case is called where there is little room.
func (c result) title() string { return cmp.Or(record.Plain(c.spec.ID), c.name) }

// flaky reports whether a case passed after it had failed, in an earlier attempt
// or in another round.
func (c result) flaky() bool { return c.spec.Flaky && c.verdict.Green() }

// began is when the case began; where that is not known the run did.
func (c result) began(r *record.Record) time.Time {
	if c.spec.Started.IsZero() {
		return r.Run.Started
	}
	return c.spec.Started
}

// together gathers what ended alike on many devices for one cause.
func together(all []result) [][]result {
	return wording.Together(all, func(c result) string {
		return strings.Join([]string{c.name, string(c.verdict), wording.KeyOn(*c.device, c.message)}, "\x00")
	})
}

// on names the devices of a group.
func on(group []result) (names []string) {
	for _, c := range group {
		names = append(names, c.device.Name)
	}
	return names
}

func why(s record.SpecResult) string {
	return record.Plain(strings.Join(append([]string{s.Message}, wording.Finding(s)...), "\n"))
}

// mostLine is how many characters of a message a list has room for.
const mostLine = 1000

func line(s string) string { return record.Plain(wording.Clip(wording.OneLine(s), mostLine)) }

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// ended is when a run ended; of one that has no end, when it was last heard of.
func ended(r *record.Record) time.Time {
	end := r.Run.Ended
	if end.IsZero() {
		end = r.Run.Started
	}
	for _, d := range r.Devices {
		for _, s := range d.Specs {
			if at := s.Started.Add(duration(s.Seconds)); !s.Started.IsZero() && at.After(end) {
				end = at
			}
		}
	}
	return end
}

func duration(seconds float64) time.Duration {
	return time.Duration(max(0, seconds) * float64(time.Second))
}

// identity is a UUID that the same words always have: a report that is rendered
// again is the same one.
func identity(words ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(words, "\x00")))
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80 // version 8, made of a hash of ours
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// keys name each device's board for whoever follows it over many runs: by its
// serial number, so that a board that has changed its slot stays itself, and by
// the rig's name for it where it has none, or shares it.
func keys(r *record.Record) []string {
	all, uses := make([]string, len(r.Devices)), map[string]int{}
	for i, d := range r.Devices {
		all[i] = d.Type + "\x00" + d.Hardware.Serial + "\x00" + d.Hub.Name
		uses[all[i]]++
	}
	for i, d := range r.Devices {
		if d.Hardware.Serial == "" || d.Emulated || uses[all[i]] > 1 {
			all[i] = r.Run.Rig + "\x00" + d.Name
		}
	}
	return all
}
