package interchange

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"hilrig/record"
)

var verdicts = []record.Verdict{record.Pass, record.Warn, record.NotApplicable, record.NotRun, record.Error, record.Fail}

// metric is one metric with its samples. Labels hold what a rig and a catalogue
// bound: no run, firmware, message or time is one.
type metric struct {
	name, help string
	samples    []sample
}

type sample struct {
	labels []string // name, value, …
	value  float64
}

func (m *metric) add(value float64, labels ...string) {
	m.samples = append(m.samples, sample{labels, value})
}

func yes(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// Metrics writes r as Prometheus' textfile collector reads it, all gauges: of
// the last run.
func Metrics(w io.Writer, r *record.Record) error {
	rig := []string{"rig", r.Run.Rig}
	started := metric{name: "hilrig_run_start_timestamp_seconds", help: "When the last run began."}
	started.add(float64(r.Run.Started.UnixMilli())/1000, rig...)
	end := metric{name: "hilrig_run_end_timestamp_seconds", help: "When the last run ended; absent where it did not come to its end."}
	if !r.Run.Ended.IsZero() {
		end.add(float64(r.Run.Ended.UnixMilli())/1000, rig...)
	}
	whole := metric{name: "hilrig_run_complete", help: "1 where the last run came to its end by itself."}
	whole.add(yes(r.Unended() == "" && !r.Run.Interrupted && !r.Run.TimedOut), rig...)
	verdict := metric{name: "hilrig_run_verdict", help: "1 for the verdict of the last run."}
	for _, v := range verdicts {
		verdict.add(yes(r.Run.Verdict == v), append(slices.Clone(rig), "verdict", string(v))...)
	}
	asked := metric{name: "hilrig_run_specs", help: "Specs that the last run asked."}
	asked.add(float64(r.Run.Selection.Chosen), rig...)
	known := metric{name: "hilrig_catalogue_specs", help: "Specs that there are."}
	known.add(float64(r.Run.Selection.Catalogue), rig...)
	return writeMetrics(w, append([]metric{started, end, whole, verdict, asked, known}, deviceMetrics(r)...))
}

func deviceMetrics(r *record.Record) []metric {
	verdict := metric{name: "hilrig_device_verdict", help: "1 for the verdict on a device in the last run."}
	counts := metric{name: "hilrig_results", help: "Results of the last run by device, area and verdict."}
	defects := metric{name: "hilrig_defects", help: "Failures and errors of the last run by device and by what is to blame."}
	flaky := metric{name: "hilrig_flaky_results", help: "Results that passed after a failed attempt."}
	outside := metric{name: "hilrig_measurements_out_of_limits", help: "Measurements beyond their limits."}
	loads := metric{name: "hilrig_device_files_loaded", help: "Files loaded into a device in the last run; flash wears out."}
	for i := range r.Devices {
		d := &r.Devices[i]
		of := []string{"rig", r.Run.Rig, "device", d.Name, "type", d.Type, "hub", d.Hub.Name, "emulated", strconv.FormatBool(d.Emulated)}
		with := func(more ...string) []string { return append(slices.Clone(of), more...) }
		for _, v := range verdicts {
			verdict.add(yes(d.Verdict == v), with("verdict", string(v))...)
		}
		t := tallyOf(d)
		for _, area := range t.areas {
			for _, v := range verdicts {
				counts.add(float64(t.verdicts[area][v]), with("area", area, "verdict", string(v))...)
			}
		}
		for _, c := range []record.Class{record.ClassDevice, record.RigPort, record.RigPower, record.RigHub, record.RigCloud, record.RigHost, record.RigFirmware, record.Harness} {
			defects.add(float64(t.classes[c]), with("class", string(c))...)
		}
		flaky.add(float64(t.flaky), of...)
		outside.add(float64(t.outside), of...)
		loads.add(float64(d.Loads), of...)
	}
	return []metric{verdict, counts, defects, flaky, outside, loads}
}

// tally counts the results of a device.
type tally struct {
	areas          []string
	verdicts       map[string]map[record.Verdict]int
	classes        map[record.Class]int
	flaky, outside int
}

func tallyOf(d *record.DeviceRecord) tally {
	t := tally{verdicts: map[string]map[record.Verdict]int{}, classes: map[record.Class]int{}}
	for _, s := range d.Specs {
		c := ofSpec(d, s)
		if t.verdicts[c.area] == nil {
			t.areas = append(t.areas, c.area)
			t.verdicts[c.area] = map[record.Verdict]int{}
		}
		t.verdicts[c.area][c.verdict]++
		if c.verdict == record.Fail || c.verdict == record.Error {
			t.classes[cmp.Or(c.class, record.Harness)]++
		}
		if c.flaky() {
			t.flaky++
		}
		for _, m := range s.Measurements {
			if m.Verdict == record.Fail {
				t.outside++
			}
		}
	}
	if d.Cause != "" {
		t.classes[cmp.Or(d.Class, record.Harness)]++
	}
	return t
}

// writeMetrics writes the text format 0.0.4. A metric without samples has no
// lines.
func writeMetrics(w io.Writer, all []metric) error {
	escape := strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
	var b strings.Builder
	for _, m := range all {
		if len(m.samples) == 0 {
			continue
		}
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s gauge\n", m.name, m.help, m.name)
		for _, s := range m.samples {
			var labels []string
			for i := 0; i < len(s.labels); i += 2 {
				labels = append(labels, s.labels[i]+`="`+escape.Replace(record.Plain(s.labels[i+1]))+`"`)
			}
			fmt.Fprintf(&b, "%s{%s} %s\n", m.name, strings.Join(labels, ","), strconv.FormatFloat(s.value, 'f', -1, 64))
		}
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write metrics: %w", err)
	}
	return nil
}
