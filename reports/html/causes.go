package html

import (
	"strings"

	"hilrig/record"
	"hilrig/record/wording"
)

// failure is a card: a result that needs a look, and the boards that have it.
type failure struct {
	Anchor   string
	Device   string // the first of On, whose result is shown
	Spec     record.SpecResult
	On       []wording.On
	Timeline stretch
	Tail     []record.Mark // of the device in earlier runs
	Several  bool          // the run has other boards, too
}

// shortList are the failures as the page's head tells them, those that have room
// before the matrix first.
type shortList struct{ First, Rest []failure }

// mostShort is how many of them that is.
const mostShort = 15

func shortOf(all []failure) shortList {
	n := min(len(all), mostShort)
	return shortList{all[:n], all[n:]}
}

// Short is what was seen, in a line.
func (f failure) Short() string {
	for _, t := range []string{f.Spec.Seen, f.Spec.Message, strings.Join(f.Spec.Warnings, "; ")} {
		if t != "" {
			return wording.Clip(t, 160)
		}
	}
	return ""
}

// detailed is how many failures have a card of their own in the page; of the
// rest it has a line, and the run folder everything.
const detailed = 100

// failures are the results that need a look, the device's own first, and each
// once for all the boards that have it.
func failures(r *record.Record, runDir string) (all, more []failure) {
	for _, rank := range []record.Verdict{record.Fail, record.Error, record.Warn} {
		for _, on := range wording.Alike(r, rank) {
			f := failure{Anchor: anchor(on[0].Device, on[0].Spec.ID), Device: on[0].Device, Spec: on[0].Spec, On: on, Several: len(r.Devices) > 1}
			if len(all) == detailed {
				more = append(more, f)
				continue
			}
			f.Timeline = timeline(runDir, f.Device, f.Spec)
			all = append(all, f)
		}
	}
	return all, more
}

// cards are where each result is told of.
func cards(all []failure) map[string]string {
	at := map[string]string{}
	for _, f := range all {
		for _, o := range f.On {
			at[anchor(o.Device, o.Spec.ID)] = f.Anchor
		}
	}
	return at
}
