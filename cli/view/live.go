package view

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"hilrig/cli/terminal"
	"hilrig/record"
	"hilrig/record/wording"
	"hilrig/runner"
)

// live is the view at a terminal: finished specs as lines, and below them a
// moving line for each device that is being tested. Its events come from one
// goroutine; the bars' own goroutine draws. They share no lock: each waits for
// the other here and there, and what is drawn is handed over whole.
type live struct {
	log     *slog.Logger
	lines   *lines
	bars    *mpb.Progress
	logTo   *terminal.Redirect
	oldLog  io.Writer              // where log lines went before; nil: they were left alone
	devices map[string]*liveDevice // by entry: those of one device share its line
	sum     sum
	total   *mpb.Bar                      // below the devices; nil: there is one device
	summed  atomic.Pointer[sum]           // what the total's line draws
	left    func(now time.Time) *timeLeft // of a round that begins
	time    *timeLeft
	ink     terminal.Palette
	out     io.Writer // what the moving lines have to fit in
}

// tally is how many specs have ended, and how many of them are red or did not
// run: a board that is not there has none left to do, and is not green.
type tally struct{ done, red, notRun, total int }

// ended counts a spec.
func (t *tally) ended(v record.Verdict) {
	t.done++
	switch v {
	case record.Fail, record.Error:
		t.red++
	case record.NotRun:
		t.notRun++
	}
}

// parts are the tally as a line begins.
func (t tally) parts(ink terminal.Palette) []string {
	parts := []string{fmt.Sprintf(" %d/%d", t.done, t.total)}
	for _, p := range t.amiss() {
		parts = append(parts, ink.Paint(p.style, p.text))
	}
	return parts
}

// count is how many are amiss in one way.
type count struct {
	text  string
	style terminal.Style
}

func (t tally) amiss() (all []count) {
	if t.red > 0 {
		all = append(all, count{fmt.Sprintf("%d red", t.red), terminal.Red})
	}
	if t.notRun > 0 {
		all = append(all, count{fmt.Sprintf("%d not run", t.notRun), terminal.Yellow})
	}
	return all
}

// paint colours the tally of a line that was laid out: mpb takes what colours
// it for characters.
func (t tally) paint(ink terminal.Palette, line string) string {
	for _, p := range t.amiss() {
		line = strings.Replace(line, p.text, ink.Paint(p.style, p.text), 1)
	}
	return line
}

// sum is the text of the total's line. One that was handed over stays as it is.
type sum struct {
	tally
	began, end time.Time // end: as it is expected
}

// text says how far the run is.
func (s sum) text(ink terminal.Palette, now time.Time) string {
	elapsed := now.Sub(s.began)
	parts := append(s.parts(ink), elapsed.Round(time.Second).String())
	if s.done < s.total {
		parts = append(parts, aboutLeft(s.end.Sub(now)))
	}
	return strings.Join(parts, "  ")
}

// liveDevice is what is known of a device, at whichever hub it is; shown is what
// its moving line draws.
type liveDevice struct {
	bar   *mpb.Bar
	place int // from the top, among those that do nothing
	now   moving
	shown atomic.Pointer[moving]
}

// moving is the text of a moving line. One that was handed over stays as it is.
type moving struct {
	tally
	name       string // of the entry
	spec, what string
	since      time.Time
}

// newLive takes the last run that was asked the same; nil: there is none.
func newLive(to Streams, p *runner.Plan, last *record.Record) *live {
	v := &live{left: func(now time.Time) *timeLeft { return newTimeLeft(p, last, now) }, log: to.Log, logTo: to.LogTo, out: to.Out, devices: map[string]*liveDevice{}, ink: terminal.PaletteOf(to.Out)}
	v.bars = mpb.New(terminal.Screen(to.Out), mpb.WithWidth(barWidth), mpb.WithRefreshRate(100*time.Millisecond))
	v.lines = newLines(terminal.TextIn(v.bars, v.ink), p, v.ink)
	if w := terminal.Width(to.Out); w > 0 {
		v.lines.deviceWidth, _ = room(w, v.lines.deviceWidth)
		v.lines.textWidth = max(20, w-len(v.lines.indent())-1)
	}
	if terminal.Is(to.Err) {
		v.oldLog = v.logTo.To(v.bars) // both streams on one screen: log lines above the moving ones
	}
	width := 0
	for _, e := range p.Entries() {
		width = max(width, len(e.Name))
	}
	for _, d := range p.Devices {
		entries, specs := p.EntriesOf(d), 0
		for _, e := range entries {
			specs += len(p.SpecsOf(e.Name))
		}
		line := v.add(width, entries[0].Name, specs)
		for _, e := range entries {
			v.devices[e.Name] = line
		}
		v.sum.total += specs
	}
	v.begin()
	if len(p.Devices) > 1 {
		v.total = v.bar(width, v.sum.total, func() string { return "all" },
			func(int) string { return v.summed.Load().text(false, time.Now()) },
			func() tally { return v.summed.Load().tally }, mpb.BarPriority(2*belowIdle))
	}
	return v
}

// begin is that of a round.
func (v *live) begin() {
	now := time.Now()
	v.time = v.left(now)
	v.sum = sum{tally{total: v.sum.total}, now, v.time.end}
	v.showSum()
}

// barWidth is that of how far a line is. Where a terminal leaves less than
// leastBeside to it and to what is said behind it, no line has a bar.
const (
	barWidth    = 14
	leastBeside = barWidth + 36
)

// room is how wide names are, and whether there is a bar behind them: long names
// and narrow terminals leave what is said some room. 0: any width.
func room(terminal, name int) (names int, bar bool) {
	if terminal <= 0 {
		return name, true
	}
	names = min(name, max(leastName, terminal/3))
	return names, terminal-names >= leastBeside
}

// leastName is the least of a name that tells boards apart.
const leastName = 8

// bar makes a moving line: a name, how far it is, red where something is, and a
// text with so much room.
func (v *live) bar(width, total int, name func() string, text func(room int) string, now func() tally, more ...mpb.BarOption) *mpb.Bar {
	filled := func(s string) string {
		if now().red > 0 {
			return v.ink.Paint(terminal.Red, s)
		}
		return s
	}
	layout := func() (names int, bar bool) { return room(terminal.Width(v.out), width) }
	style := mpb.BarStyle().Lbound("").Rbound("").Filler("━").FillerMeta(filled).Tip("").Padding("─")
	whereThereIsRoom := mpb.BarFillerMiddleware(func(whole mpb.BarFiller) mpb.BarFiller {
		return mpb.BarFillerFunc(func(w io.Writer, s decor.Statistics) error {
			if _, bar := layout(); !bar {
				return nil
			}
			if t := now(); t.done == t.total { // the last one is not counted, it would end the bar
				s.Current = s.Total
			}
			return whole.Fill(w, s)
		})
	})
	return v.bars.New(int64(total), style, append(more,
		mpb.BarRemoveOnComplete(), whereThereIsRoom,
		mpb.PrependDecorators(decor.Any(func(decor.Statistics) string {
			names, _ := layout()
			return fmt.Sprintf("%-*s ", names, wording.Clip(name(), names))
		})),
		mpb.AppendDecorators(decor.Meta(decor.Any(func(s decor.Statistics) string {
			left := s.AvailableWidth - len("  ") // around the bar
			if _, bar := layout(); bar {
				left -= barWidth
			}
			return text(left)
		}), func(s string) string { return now().paint(v.ink, s) })))...)
}

// add makes the moving line of a device.
func (v *live) add(width int, name string, specs int) *liveDevice {
	d := &liveDevice{now: moving{name: name, tally: tally{total: specs}}, place: len(v.devices)}
	d.show()
	d.bar = v.bar(width, specs, func() string { return terminal.OneLine(d.shown.Load().name) },
		func(room int) string { return d.shown.Load().text(false, room) }, func() tally { return d.shown.Load().tally })
	return d
}

// showSum hands the sum over to the bars.
func (v *live) showSum() {
	s := v.sum
	v.summed.Store(&s)
	if v.total != nil && s.done < s.total { // the last one would end the bar, and another round may come
		v.total.SetCurrent(int64(s.done))
	}
}

// show hands what is known over to the bars.
func (d *liveDevice) show() {
	m := d.now
	d.shown.Store(&m)
}

// text is the spec that runs, how long, and as much of its step as there is room
// for; where there is less, the spec's name gives way.
func (m *moving) text(ink terminal.Palette, room int) string {
	parts := m.parts(ink)
	if m.spec == "" {
		return strings.Join(parts, "  ")
	}
	took := fmt.Sprintf("%.1f s", time.Since(m.since).Seconds())
	plain := strings.Join(append(m.parts(false), m.spec, "", took), "  ")
	rest := room - utf8.RuneCountInString(plain)
	spec := m.spec
	if over := -rest - len("  "); over > 0 { // there is no step
		spec = wording.Clip(spec, max(leastStep, utf8.RuneCountInString(spec)-over))
	}
	parts = append(parts, spec)
	if m.what != "" && rest >= leastStep {
		parts = append(parts, wording.Clip(m.what, rest))
	}
	return strings.Join(append(parts, took), "  ")
}

// leastStep is the least of a step that says something.
const leastStep = 8

func (v *live) Event(e record.Event) {
	v.follow(e)
	v.lines.Event(e)
}

// belowIdle is how far below the boards that do nothing those stand that run:
// where there are more than rows, the upper ones are not shown.
const belowIdle = 1 << 20

// follow keeps the moving lines up to date.
func (v *live) follow(e record.Event) {
	if e.Kind == runner.KindRunStarted {
		for _, d := range v.devices { // a new round
			d.now = moving{name: d.now.name, tally: tally{total: d.now.total}}
			d.show()
			d.bar.SetCurrent(0)
		}
		v.begin()
		return
	}
	d := v.devices[e.Device]
	if d == nil {
		return
	}
	m := &d.now
	idle := m.spec == ""
	switch e.Kind {
	case record.KindSpecStarted:
		m.name, m.spec, m.what, m.since = e.Device, e.Spec, "", time.Now()
	case record.KindFlash:
		m.name, m.spec, m.what, m.since = e.Device, "flash", "", time.Now()
	case record.KindFlashOutput, record.KindSpecStep:
		m.what = wording.Clip(terminal.OneLine(e.Text), 120)
	case record.KindTransfer:
		var t record.Transfer
		if e.Decode(&t) == nil && t.Total > 0 {
			m.what = fmt.Sprintf("slot %d  %3d %%", t.Slot, 100*t.Sent/t.Total)
		}
	case record.KindSpecFinished:
		v.finished(m, e)
	default:
		return
	}
	d.show()
	switch {
	case idle && m.spec != "":
		d.bar.SetPriority(belowIdle + d.place)
	case m.done == m.total && m.spec == "":
		d.bar.SetPriority(d.place)
	}
	if e.Kind == record.KindSpecFinished && m.done < m.total { // the last one would end the bar, and another round may come
		d.bar.SetCurrent(int64(m.done))
	}
}

// finished counts a spec that has ended.
func (v *live) finished(m *moving, e record.Event) {
	m.spec, m.what = "", ""
	var r record.SpecResult
	if e.Decode(&r) != nil { // the supervisor has checked it
		return
	}
	m.ended(r.Verdict)
	v.sum.ended(r.Verdict)
	v.time.ended(e.Device, r, time.Now())
	v.sum.end = v.time.end
	v.showSum()
}

// closeWithin is how long the bars may take to be taken down. Beyond it the
// terminal keeps what is drawn.
const closeWithin = time.Second

func (v *live) Close() {
	ended := terminal.Within(closeWithin, func() {
		v.lines.Close()
		for _, d := range v.devices {
			d.bar.Abort(true)
		}
		if v.total != nil {
			v.total.Abort(true)
		}
		v.bars.Wait()
	})
	if v.oldLog != nil {
		v.logTo.To(v.oldLog)
	}
	if !ended {
		v.log.Warn("the view was not taken down", "within", closeWithin)
	}
}
