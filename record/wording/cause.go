package wording

import (
	"regexp"
	"slices"

	"hilrig/record"
)

// figures are what differs between two tellings of one cause: numbers with
// what belongs to them, as ports, thumbprints, and times in whatever unit.
var figures = regexp.MustCompile(`\b[0-9A-F]{40,64}\b|\b[0-9a-f]{40,64}\b|([0-9]+([.:,][0-9]+)*(ns|µs|ms|s|m|h)?)+`)

// SameCause reports whether two causes are one that was told twice: they
// differ in nothing but their numbers. [byCause] gathers results so.
func SameCause(a, b string) bool { return CauseKey(a) == CauseKey(b) }

// CauseKey is a cause without its numbers and its line ends; the same for
// causes that are one.
func CauseKey(cause string) string {
	return figures.ReplaceAllString(OneLine(cause), "#")
}

// byCause gathers the results of a device that ended with v by their cause, in
// the order in which each was told first.
func byCause(d record.DeviceRecord, v record.Verdict) [][]record.SpecResult {
	var ended []record.SpecResult
	for _, s := range d.Specs {
		if s.Verdict == v {
			ended = append(ended, s)
		}
	}
	return Together(ended, func(s record.SpecResult) string { return CauseKey(s.Cause) })
}

// untold are the devices with a cause that none of their specs tells: it is
// said of the device then, and once.
func untold(r *record.Record) (all []record.DeviceRecord) {
	for _, d := range r.Devices {
		told := slices.ContainsFunc(d.Specs, func(s record.SpecResult) bool { return SameCause(s.Cause, d.Cause) })
		if d.Cause != "" && !told {
			all = append(all, d)
		}
	}
	return all
}

// Finding are the lines below a result's message: what was expected and seen, why
// it matters, and where to look first.
func Finding(s record.SpecResult) (lines []string) {
	for _, p := range [][2]string{{"expected", s.Expected}, {"seen", s.Seen}, {"why it matters", s.Why}, {"look first at", s.Look}} {
		if p[1] != "" {
			lines = append(lines, p[0]+": "+p[1])
		}
	}
	return lines
}
