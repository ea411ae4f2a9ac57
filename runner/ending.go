package runner

import (
	"fmt"
	"time"

	"hilrig/record"
)

// blame is a judgement on specs that have no result of their own.
type blame struct {
	Verdict record.Verdict
	Class   record.Class
	Cause   string
}

func (b blame) result(s record.SpecResult) record.SpecResult {
	s.Verdict, s.Class = b.Verdict, b.Class
	s.Cause, s.Message = b.Cause, ""
	if b.Verdict != record.NotRun {
		s.Cause, s.Message = "", b.Cause
	}
	return s
}

// remains says what becomes of a device and its specs when its child is gone:
// device is empty where the device has a verdict of its own.
type remains struct {
	device, running, left blame
}

// notRun is remains of one cause for all.
func notRun(c record.Class, cause string) remains {
	b := blame{record.NotRun, c, cause}
	return remains{device: b, running: b, left: b}
}

// ending is how a child ended.
type ending struct {
	pid     int
	failed  error     // it could not be started
	word    *LastWord // what it said last; nil: it died
	signal  int       // that killed it; 0: it exited
	code    int       // with which it exited
	killed  string    // why the supervisor killed it; empty: it did not
	tail    string    // the line of its log that explains it
	running string    // the spec it was in
	halted  string    // why the run was being ended; empty: it was not
}

func (e ending) died() bool { return e.failed == nil && e.word == nil }

// text is the end in one line.
func (e ending) text() string {
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

// remains judges what the child left.
func (e ending) remains() remains {
	switch {
	case e.failed != nil:
		return notRun(record.ClassOf(e.failed), e.failed.Error())
	case e.word != nil && e.word.Cause != "":
		return notRun(e.word.Class, e.word.Cause)
	case e.word != nil && e.halted != "":
		return remains{
			running: blame{record.NotRun, "", e.halted + ", while it ran"},
			left:    blame{record.NotRun, "", e.halted},
		}
	case e.word != nil:
		b := blame{record.NotRun, record.Harness, "the child ended without a result for it"}
		return remains{running: b, left: b}
	}
	r := notRun(record.Harness, e.text())
	r.running.Verdict = record.Error
	if e.halted != "" {
		r.left = blame{record.NotRun, "", e.halted}
	}
	return r
}

// timeOver is the cause of what a run had no time for.
func timeOver(d time.Duration) string { return fmt.Sprintf("the run's time of %s was over", d) }

// The causes of an interrupt.
const interrupted = "interrupted"
