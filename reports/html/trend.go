package html

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Trend is a measurement over runs, the oldest first.
type Trend struct {
	Spec, Name, Unit, Type string
	Low, High              *float64 // the limits that it had last
	Points                 []TrendPoint
}

// TrendPoint is what a run measured over its boards.
type TrendPoint struct {
	At                time.Time
	Low, Middle, High float64
	Outside           int // boards beyond a limit
	Report            Ref
	Each              func() []TrendValue // of the boards, the smallest first; nil: they are not known
}

// The plot's own units; the browser stretches it to the column.
const plotWide, plotHigh = 1000.0, 60.0

// plotted is a trend as paths.
type plotted struct {
	Trend
	Band, Line       string
	LowY, HighY      float64
	Outside          []outside
	Beyond           int // runs in which a board was beyond a limit
	Apart            []apart
	More             int    // boards that stand apart and have no line
	Ends             string // the boards of the last run's smallest and largest value
	Now, Least, Most float64
	Says             string
}

// outside is a run in which a board was beyond a limit.
type outside struct {
	X, Y   float64
	Says   string
	Report Ref
}

// marked bounds the points of a plot that lead to a run.
const marked = 40

// draw lays a trend out by time, with zero at the bottom where no value is below.
func (t Trend) draw() plotted {
	d := plotted{Trend: t, Least: math.Inf(1), Most: math.Inf(-1)}
	for _, p := range t.Points {
		d.Least, d.Most = min(d.Least, p.Low), max(d.Most, p.High)
	}
	bottom, top := min(0, d.Least), d.Most
	for _, l := range []*float64{t.Low, t.High} {
		if l != nil && *l < 3*d.Most { // one that is far away would make a line of the rest
			top = max(top, *l)
		}
	}
	if top == bottom {
		top = bottom + 1
	}
	y := func(v float64) float64 { return math.Round(10*(plotHigh-(v-bottom)/(top-bottom)*(plotHigh-4)-2)) / 10 }
	first := t.Points[0].At
	span := t.Points[len(t.Points)-1].At.Sub(first).Seconds()
	x := func(at time.Time) float64 {
		if span == 0 {
			return plotWide / 2
		}
		return math.Round(10*at.Sub(first).Seconds()/span*plotWide) / 10
	}
	var line, above strings.Builder
	below := make([]string, len(t.Points))
	for i, p := range t.Points {
		c := 'L'
		if i == 0 {
			c = 'M'
		}
		fmt.Fprintf(&line, "%c%g %g", c, x(p.At), y(p.Middle))
		fmt.Fprintf(&above, "%c%g %g", c, x(p.At), y(p.High))
		below[len(below)-1-i] = fmt.Sprintf("L%g %g", x(p.At), y(p.Low))
		if p.Outside > 0 {
			d.Beyond++
		}
	}
	d.Line, d.Band = line.String(), above.String()+strings.Join(below, "")+"Z"
	for i := len(t.Points) - 1; i >= 0 && len(d.Outside) < marked; i-- {
		if p := t.Points[i]; p.Outside > 0 {
			at := p.High
			if t.High == nil || p.High <= *t.High {
				at = p.Low
			}
			d.Outside = append(d.Outside, outside{x(p.At), y(at), fmt.Sprintf("%s: %s %s, %d beyond the limit", p.At.Format(time.DateOnly), number(at), t.Unit, p.Outside), p.Report})
		}
	}
	d.Apart, d.More = t.apart()
	t.lines(d.Apart, func(p TrendPoint) float64 { return x(p.At) }, y)
	d.Ends = t.ends()
	if t.Low != nil {
		d.LowY = y(*t.Low)
	}
	if t.High != nil {
		d.HighY = y(*t.High)
	}
	d.Now = t.Points[len(t.Points)-1].Middle
	d.Says = fmt.Sprintf("%s from %s to %s: %s to %s %s, %s at last", t.Name, first.Format(time.DateOnly), t.Points[len(t.Points)-1].At.Format(time.DateOnly), number(d.Least), number(d.Most), t.Unit, number(d.Now))
	return d
}
