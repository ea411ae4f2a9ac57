package runner

import (
	"fmt"
	"time"

	"hilrig/record"
)

// judgement is a judgement on specs that have no result of their own.
type judgement struct {
	Verdict record.Verdict
	Class   record.Class
	Cause   string
}

func (b judgement) result(s record.SpecResult) record.SpecResult {
	s.Verdict, s.Class = b.Verdict, b.Class
	s.Cause, s.Message = b.Cause, ""
	if b.Verdict != record.NotRun {
		s.Cause, s.Message = "", b.Cause
	}
	return s
}

// outcome says what becomes of a device and its specs when its child is gone:
// device is empty where the device has a verdict of its own.
type outcome struct {
	device, running, left judgement
}

// notRun is the outcome of one cause for all.
func notRun(c record.Class, cause string) outcome {
	b := judgement{record.NotRun, c, cause}
	return outcome{device: b, running: b, left: b}
}

// halted is the outcome of a run that was ended before a device was touched: its
// specs were not run, and nothing is wrong with the device.
func halted(why string) outcome {
	b := judgement{record.NotRun, "", why}
	return outcome{running: b, left: b}
}

// childExit is how a child ended.
type childExit struct {
	pid     int
	failed  error        // it could not be started
	word    *ChildResult // what it said last; nil: it died
	signal  int          // that killed it; 0: it exited
	code    int          // with which it exited
	killed  string       // why the supervisor killed it; empty: it did not
	tail    string       // the line of its log that explains it
	running string       // the spec it was in
	halted  string       // why the run was being ended; empty: it was not
}

func (e childExit) died() bool { return e.failed == nil && e.word == nil }

// text is the end in one line.
func (e childExit) text() string {
	s := "child "
	switch {
	case e.killed != "":
		s += e.killed + " and was killed"
	case e.signal != 0:
		s += fmt.Sprintf("was killed by signal %d", e.signal)
	default:
		s += fmt.Sprintf("ended by itself with exit code %d", e.code)
	}
	if e.running != "" {
		s += " while " + e.running + " ran"
	}
	if e.tail != "" && e.signal == 0 && e.killed == "" {
		s += ": " + e.tail
	}
	return s
}

// outcome judges what the child left.
func (e childExit) outcome() outcome {
	switch {
	case e.failed != nil:
		return notRun(record.ClassOf(e.failed), e.failed.Error())
	case e.word != nil && e.word.Cause != "":
		return notRun(e.word.Class, e.word.Cause)
	case e.word != nil && e.halted != "":
		return outcome{
			running: judgement{record.NotRun, "", e.halted + ", while it ran"},
			left:    judgement{record.NotRun, "", e.halted},
		}
	case e.word != nil:
		b := judgement{record.NotRun, record.Harness, "the child ended without a result for it"}
		return outcome{running: b, left: b}
	}
	r := notRun(record.Harness, e.text())
	r.running.Verdict = record.Error
	if e.halted != "" {
		r.left = judgement{record.NotRun, "", e.halted}
	}
	return r
}

// timeOver is the cause of what a run had no time for.
func timeOver(d time.Duration) string { return fmt.Sprintf("the run's time of %s was over", d) }

// The causes of an interrupt.
const interrupted = "interrupted"
