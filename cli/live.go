package cli

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"hilrig/record"
	"hilrig/runner"
)

// live is the view at a terminal: finished specs as lines, and below them a
// moving line for each device that is being tested.
type live struct {
	a       *app
	lines   *lines
	bars    *mpb.Progress
	oldLog  io.Writer // where log lines went before; nil: they were left alone
	mu      sync.Mutex
	devices map[string]*liveDevice
}

// liveDevice is what a moving line shows. The bar's goroutine reads it.
type liveDevice struct {
	bar         *mpb.Bar
	done, total int
	spec, what  string
	since       time.Time
}

func newLive(a *app, p *runner.Plan) *live {
	v := &live{a: a, devices: map[string]*liveDevice{}}
	v.bars = mpb.New(screen(a.out), mpb.WithWidth(14), mpb.WithRefreshRate(100*time.Millisecond))
	v.lines = newLines(v.bars, p, true)
	if w := widthOf(a.out); w > 0 {
		v.lines.textWidth = max(20, w-len(v.lines.indent())-1)
	}
	if isTerminal(a.err) {
		v.oldLog = a.logTo.to(v.bars) // both streams on one screen: log lines above the moving ones
	}
	width := 0
	for _, d := range p.Devices {
		width = max(width, len(d.Name))
	}
	for _, d := range p.Devices {
		v.devices[d.Name] = v.add(fmt.Sprintf("%-*s ", width, d.Name), len(p.SpecsOf(d.Name)))
	}
	return v
}

// add makes the moving line of a device.
func (v *live) add(name string, specs int) *liveDevice {
	d := &liveDevice{total: specs}
	show := func(decor.Statistics) string {
		v.mu.Lock()
		defer v.mu.Unlock()
		return d.text()
	}
	d.bar = v.bars.New(int64(specs), mpb.BarStyle().Lbound("").Rbound("").Filler("━").Tip("").Padding("─"),
		mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name(name)),
		mpb.AppendDecorators(decor.Any(show)))
	return d
}

func (d *liveDevice) text() string {
	if d.spec == "" {
		return fmt.Sprintf(" %d/%d", d.done, d.total)
	}
	parts := []string{fmt.Sprintf(" %d/%d", d.done, d.total), d.spec}
	if d.what != "" {
		parts = append(parts, d.what)
	}
	return strings.Join(append(parts, fmt.Sprintf("%.1f s", time.Since(d.since).Seconds())), "  ")
}

func (v *live) event(e record.Event) {
	v.follow(e)
	v.lines.event(e) // without the lock: it waits for the bars, and they wait for the lock
}

// follow keeps the moving lines up to date.
func (v *live) follow(e record.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if e.Kind == runner.KindRunStarted {
		for _, d := range v.devices { // a new round
			d.done, d.spec, d.what = 0, "", ""
			d.bar.SetCurrent(0)
		}
		return
	}
	d := v.devices[e.Device]
	if d == nil {
		return
	}
	switch e.Kind {
	case record.KindSpecStarted:
		d.spec, d.what, d.since = e.Spec, "", time.Now()
	case record.KindSpecStep:
		d.what = clip(oneLine(e.Text), 40)
	case record.KindTransfer:
		var t record.Transfer
		if e.Decode(&t) == nil && t.Total > 0 {
			d.what = fmt.Sprintf("slot %d  %3d %%", t.Slot, 100*t.Sent/t.Total)
		}
	case record.KindSpecFinished:
		d.spec, d.what = "", ""
		if d.done++; d.done < d.total { // the last one would end the bar, and another round may come
			d.bar.SetCurrent(int64(d.done))
		}
	}
}

func (v *live) close() {
	v.lines.close()
	for _, d := range v.devices {
		d.bar.Abort(true)
	}
	v.bars.Wait()
	if v.oldLog != nil {
		v.a.logTo.to(v.oldLog)
	}
}
