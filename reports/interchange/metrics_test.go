package interchange_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"hilrig/record"
	"hilrig/reports/interchange"
)

func metrics(t *testing.T, r *record.Record) string {
	t.Helper()
	var b bytes.Buffer
	if err := interchange.Metrics(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What `promtool check metrics` does: Prometheus' own parser, and its linter.
func TestPrometheusTakesTheMetrics(t *testing.T) {
	strange := example()
	strange.Run.Rig, strange.Devices[0].Name, strange.Devices[0].Type = hostile, "a\nb", "\xff\"}"
	killed := example()
	killed.Run.Ended = time.Time{}
	for name, r := range map[string]*record.Record{"example": example(), "strange names": strange, "killed": killed, "no device": {}} {
		text := metrics(t, r)
		p := expfmt.NewTextParser(model.UTF8Validation)
		families, err := p.TextToMetricFamilies(strings.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
		for _, f := range families {
			seen := map[string]bool{}
			for _, m := range f.Metric {
				if key := m.String(); seen[key] || m.TimestampMs != nil {
					t.Errorf("%s: %s twice, or with a time: a textfile collector refuses both", name, key)
				} else {
					seen[key] = true
				}
			}
		}
		problems, err := promlint.New(strings.NewReader(text)).Lint()
		if err != nil || len(problems) > 0 {
			t.Errorf("%s: %v %v", name, problems, err)
		}
	}
}

func TestMetricsSayWhatTheRecordSays(t *testing.T) {
	text := metrics(t, example())
	const of = `rig="bench \"1\"\\",device="ads300-a",type="ads300",hub="local",emulated="false"`
	for _, want := range []string{
		`hilrig_run_end_timestamp_seconds{rig="bench \"1\"\\"} 1795389310`,
		`hilrig_run_verdict{rig="bench \"1\"\\",verdict="fail"} 1`,
		`hilrig_results{` + of + `,area="tls",verdict="fail"} 2`,
		`hilrig_results{` + of + `,area="delivery",verdict="not-run"} 2`,
		`hilrig_defects{` + of + `,class="rig:hub"} 1`,
		`hilrig_flaky_results{` + of + `} 1`,
		`hilrig_measurements_out_of_limits{` + of + `} 1`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	killed := example()
	killed.Run.Ended = time.Time{}
	killed.Conclude()
	if text := metrics(t, killed); strings.Contains(text, "hilrig_run_end_timestamp_seconds") || !strings.Contains(text, `hilrig_run_complete{rig="bench \"1\"\\"} 0`) {
		t.Errorf("a killed run has an end:\n%s", text)
	}
}

// A label's values are bounded by the rig and the catalogue: a new run, firmware
// or message makes no new series.
func TestANewRunMakesNoNewSeries(t *testing.T) {
	series := func(r *record.Record) (names []string) {
		for _, l := range strings.Split(metrics(t, r), "\n") {
			if l != "" && l[0] != '#' {
				names = append(names, l[:strings.LastIndex(l, " ")])
			}
		}
		return names
	}
	before, next := example(), example()
	next.Run.ID, next.Firmware.Version, next.Run.Host, next.Run.Version = "another", "another", "another", "another"
	for i := range next.Devices[0].Specs {
		next.Devices[0].Specs[i].Message, next.Devices[0].Specs[i].Verdict, next.Devices[0].Specs[i].Class = "another", record.Error, record.RigPower
	}
	next.Conclude()
	if a, b := strings.Join(series(before), "\n"), strings.Join(series(next), "\n"); a != b {
		t.Errorf("other series:\n%s\nthan before:\n%s", b, a)
	}
}
