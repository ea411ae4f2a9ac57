package backoff

import (
	"context"
	"fmt"
	"time"

	"hilrig/azure/hub"
	"hilrig/fixtures"
)

// Row is a row of tries that a fault made fail, the gaps between them, and what
// the rule says of them.
type Row struct {
	Tries   []Try
	Gaps    []time.Duration // from the end of a try to the connection after it
	Verdict Verdict
}

// Try is a connection that met the fault.
type Try struct {
	Conn    int64
	Connect hub.Event
	End     hub.Event
}

// Follow shows the fault to the device's connections, which is made to connect
// now, until the rule has seen gaps enough. What it has seen when the device
// stays away, or the spec's time is up, is returned with the error.
func Follow(ctx context.Context, b *fixtures.Trial, fault hub.Fault, rule *Rule) (Row, error) {
	return follow(ctx, b, fault, rule, func(Row) bool { return false })
}

// follow is Follow until enough says so, if that is sooner.
func follow(ctx context.Context, b *fixtures.Trial, fault hub.Fault, rule *Rule, enough func(Row) bool) (Row, error) {
	row := Row{}
	j := rule.Begin()
	row.Verdict, _ = j.Verdict()
	from := b.Mark()
	tries := failingBy(b, fault)
	defer tries.lift()
	way, err := b.Provoke(ctx)
	if err != nil {
		return row, err
	}
	what := "a try to meet the fault " + fault.Name + " after " + way
	for {
		within := patience(b, row.Gaps)
		t := Try{}
		if t.Connect, err = b.Await(ctx, from, within, what, tries.met); err != nil {
			return row, err
		}
		if err = tries.end(); err != nil {
			return row, err
		}
		t.Conn = t.Connect.Conn
		t.End, err = b.Await(ctx, t.Connect.Seq, within, "the end of a connection that met the fault "+fault.Name, func(e hub.Event) bool {
			return e.Ends(t.Conn)
		})
		if err != nil {
			return row, err
		}
		row.Tries = append(row.Tries, t)
		next, err := b.AwaitConnection(ctx, t.End.Seq+1, within, "a connection after "+fault.Name)
		if err != nil {
			return row, err
		}
		row.Gaps = append(row.Gaps, next.At.Sub(t.End.At))
		j.See(row.Gaps[len(row.Gaps)-1])
		decided := false
		row.Verdict, decided = j.Verdict()
		if decided || enough(row) || b.TimeLeft(ctx) < 4*longest(row.Gaps) {
			return row, nil
		}
		from, what = next.Seq, fmt.Sprintf("try %d to meet the fault %s", len(row.Tries)+1, fault.Name)
	}
}

// patience is how long a device may stay away whose gaps may grow.
func patience(b *fixtures.Trial, gaps []time.Duration) time.Duration {
	return max(2*b.Type.Timing.ReconnectWithin, 4*longest(gaps))
}

// RuleFor is the rule for a row of the device: what it has shown before in this
// run shortens it.
func RuleFor(b *fixtures.Trial) *Rule { return Defaults.Rule().After(b.KeptGaps()...) }

// Spec judges the gaps between tries that the fault makes fail. They begin
// after a session that was good for something, so that nothing is in them of
// what was before.
func Spec(ctx context.Context, b *fixtures.Trial, fault hub.Fault) {
	b.Premise(overBy(b))
	rule := RuleFor(b)
	settle(ctx, b, 0)
	b.Step("the hub shows %s until the gaps between the tries are judged, %d at most", fault.Name, rule.Most)
	first, err := Follow(ctx, b, fault, rule)
	b.Outgrown(longest(first.Gaps), first.began())
	b.Premise(err)
	Judge(ctx, b, fault, rule, first)
}

// Judge says what came of a row. One that was constant is looked at again after
// a long session: a backoff that starts over only then may have been at its
// ceiling, and one that does not start over then never does. So is one that
// grew by a rule: whether chance is in it more rows show, or one before it.
func Judge(ctx context.Context, b *fixtures.Trial, fault hub.Fault, rule *Rule, first Row) {
	row, v := first, first.Verdict
	if !v.Passes() {
		b.Premise(overBy(b))
	}
	plain := v.Passes() && len(first.Gaps) > rule.Least && rule.Regular(first.Gaps) && !rule.Unlike(first.Gaps, b.KeptGaps()...)
	if v.Passes() {
		b.KeepGaps(first.Gaps)
	}
	settle(ctx, b, 0)
	if again := v.Grade == Constant || v.Grade == ConstantSlow; again || plain {
		b.Step("%s; once more, to be sure", v.Why)
		stand := max(b.Type.Timing.ReconnectWithin/2, 2*longest(first.Gaps))
		early, grown := Grown(b.KeptGaps(), first.Gaps)
		if grown {
			stand = fixtures.LongestStand
		}
		settle(ctx, b, stand)
		good := b.Stood()
		second := onceMore(ctx, b, fault, rule)
		switch {
		case again:
			row, v = second, second.Verdict
			if _, still := Grown(b.KeptGaps(), second.Gaps); grown && still && (v.Grade == Constant || v.Grade == ConstantSlow) {
				v = startsOver(early, second, good)
			}
		default:
			v = chanceIn(ctx, b, fault, rule, v, first.Gaps, second.Gaps)
		}
	}
	for i, g := range row.Gaps {
		b.Measure(fmt.Sprintf("gap %d", i+1), g.Seconds(), "s", nil, nil)
	}
	say(b, fault, row, v)
}

// chanceIn is the verdict of rows of which the first follows a rule, and of as
// many behind them as show whether there is chance in their gaps.
func chanceIn(ctx context.Context, b *fixtures.Trial, fault hub.Fault, rule *Rule, v Verdict, rows ...[]time.Duration) Verdict {
	for {
		none, decided := rule.NoChance(rows...)
		switch {
		case none:
			return Verdict{WithoutJitter, fmt.Sprintf("gaps of %s grow by a rule, without jitter", each(rows))}
		case decided || b.TimeLeft(ctx) < 2*sum(rows[0]):
			b.Step("gaps of %s", each(rows))
			return v
		}
		b.Step("gaps of %s; once more: two rows are alike by chance now and then, and a stall makes one unlike the others", each(rows))
		rows = append(rows, onceMore(ctx, b, fault, rule).Gaps)
	}
}

// onceMore is a row behind another, and the device is at work again after it.
func onceMore(ctx context.Context, b *fixtures.Trial, fault hub.Fault, rule *Rule) Row {
	row, err := Follow(ctx, b, fault, rule)
	b.Outgrown(longest(row.Gaps), row.began())
	b.Premise(err)
	settle(ctx, b, 0)
	return row
}

func say(b *fixtures.Trial, fault hub.Fault, row Row, v Verdict) {
	f := fixtures.Finding{
		Expected: fmt.Sprintf("gaps that grow, with jitter, between tries that end in %s", fault.Name),
		Seen:     fmt.Sprintf("%s: %s", v.Grade, v.Why), Look: delayLook, At: row.began(),
	}
	switch {
	case v.Passes():
		b.Step("%s", v.Why)
	case v.Grade == NotOver:
		b.Note(neverOver)
		f.Expected, f.Look = "gaps that start over behind a session that was good for something", overLook
		b.Fail(f)
	case v.Grade == WithoutJitter:
		f.Seen = v.Why + "; a fleet that does so comes back all at once"
		b.WarnOf(f)
	case v.Warns():
		b.WarnOf(f)
	default:
		b.Fail(f)
	}
}

const delayLook = "the firmware's reconnect delay: it doubles up to a ceiling, plus a random part, and starts over only after a session that was good for something"

const overLook = "what sets the firmware's count of failures back: a session that was good for something must, not a restart alone"

// began is when the first of the tries ended, which is where its gaps begin.
func (r Row) began() (at time.Time) {
	if len(r.Tries) > 0 {
		at = r.Tries[0].End.At
	}
	return at
}

// settle brings the device back to work, so that its backoff starts over: a
// session that was good for something, and has stood for so long.
func settle(ctx context.Context, b *fixtures.Trial, stood time.Duration) {
	from := b.Mark()
	if s, live := b.Hub.Events().Session(b.Device.DeviceID); live && !faulty(b, s) {
		from = s.From
	} else {
		b.Must(b.Hasten(ctx))
		_, err := b.AwaitSession(ctx, from, max(2*b.Type.Timing.ReconnectWithin, 4*b.GrownPause()))
		b.Premise(err)
	}
	_, err := b.AwaitUseful(ctx, from)
	b.Premise(err)
	b.Premise(b.Stand(ctx, stood))
}

// faulty says that a session met a fault: it was accepted before the fault was
// lifted, and is about to end.
func faulty(b *fixtures.Trial, s hub.Session) bool {
	return len(b.Since(s.From, func(e hub.Event) bool { return e.Seq == s.From && e.Fault != "" })) > 0
}
