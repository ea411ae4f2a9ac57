package interchange

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"hilrig/record"
	"hilrig/record/wording"
)

// ctrfVersion is the version of the specification that is written.
const ctrfVersion = "0.0.0"

type ctrf struct {
	Format    string      `json:"reportFormat"`
	Version   string      `json:"specVersion"`
	ID        string      `json:"reportId"`
	Timestamp time.Time   `json:"timestamp"`
	By        string      `json:"generatedBy"`
	Results   ctrfResults `json:"results"`
}

type ctrfResults struct {
	Tool        ctrfTool        `json:"tool"`
	Summary     ctrfSummary     `json:"summary"`
	Tests       []ctrfTest      `json:"tests"`
	Environment ctrfEnvironment `json:"environment"`
}

type ctrfTool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

type ctrfSummary struct {
	Tests   int   `json:"tests"`
	Passed  int   `json:"passed"`
	Failed  int   `json:"failed"`
	Skipped int   `json:"skipped"`
	Pending int   `json:"pending"`
	Other   int   `json:"other"`
	Flaky   int   `json:"flaky"`
	Suites  int   `json:"suites"`
	Start   int64 `json:"start"`
	Stop    int64 `json:"stop"`
}

type ctrfTest struct {
	ID       string         `json:"id"`
	Name     string         `json:"name"`
	Status   string         `json:"status"`
	Raw      string         `json:"rawStatus"`
	Duration int64          `json:"duration"`
	Start    int64          `json:"start"`
	Stop     int64          `json:"stop"`
	Suite    []string       `json:"suite"`
	Message  string         `json:"message,omitempty"`
	Trace    string         `json:"trace,omitempty"`
	Tags     []string       `json:"tags,omitempty"`
	Type     string         `json:"type"`
	Retries  int            `json:"retries"`
	Attempts []ctrfAttempt  `json:"retryAttempts,omitempty"`
	Flaky    bool           `json:"flaky"`
	Stdout   []string       `json:"stdout,omitempty"`
	Device   string         `json:"device"`
	Steps    []ctrfStep     `json:"steps,omitempty"`
	Extra    map[string]any `json:"extra,omitempty"`
}

type ctrfAttempt struct {
	Attempt  int    `json:"attempt"`
	Status   string `json:"status"`
	Duration int64  `json:"duration"`
	Message  string `json:"message,omitempty"`
	Start    int64  `json:"start,omitempty"`
}

type ctrfStep struct {
	Name   string `json:"name"`
	Status string `json:"status"`
}

type ctrfEnvironment struct {
	Report  string         `json:"reportName"`
	App     string         `json:"appName"`
	Version string         `json:"appVersion,omitempty"`
	Test    string         `json:"testEnvironment"`
	Healthy bool           `json:"healthy"`
	Extra   map[string]any `json:"extra"`
}

// ctrfStatus has what the rig kept from a verdict, and what did not run, as
// failed: a reader that asks for failures alone must not see a green run.
var ctrfStatus = map[record.Verdict]string{
	record.Pass: "passed", record.Warn: "passed", record.NotApplicable: "skipped",
	record.Fail: "failed", record.Error: "failed", record.NotRun: "failed",
}

// CTRF writes r in the Common Test Report Format. Of says which requirements a
// spec shows.
func CTRF(w io.Writer, r *record.Record, of func(spec string) []string) error {
	end := ended(r)
	doc := ctrf{
		Format: "CTRF", Version: ctrfVersion, ID: identity("ctrf", r.Run.ID), Timestamp: end.UTC(), By: "hilrig",
		Results: ctrfResults{
			Tool:    ctrfTool{"hilrig", record.Plain(r.Run.Version)},
			Summary: ctrfSummary{Start: millis(r.Run.Started), Stop: millis(end), Suites: len(r.Devices)},
			Tests:   []ctrfTest{},
			Environment: ctrfEnvironment{
				Report: record.Plain(r.Run.ID), App: "firmware", Version: record.Plain(r.Firmware.Version), Test: record.Plain(r.Run.Rig), Healthy: r.Run.Verdict.Green(),
				Extra: map[string]any{"sentence": record.Plain(wording.Sentence(r)), "firmware_sha256": r.Firmware.SHA256, "host": record.Plain(r.Run.Host), "hub": r.Run.Hub},
			},
		},
	}
	s := &doc.Results.Summary
	for _, c := range results(r) {
		t := ctrfOf(r, c, of)
		s.Tests++
		if t.Flaky {
			s.Flaky++
		}
		switch t.Status {
		case "passed":
			s.Passed++
		case "skipped":
			s.Skipped++
		default:
			s.Failed++
		}
		doc.Results.Tests = append(doc.Results.Tests, t)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	if err := e.Encode(doc); err != nil {
		return fmt.Errorf("write CTRF: %w", err)
	}
	return nil
}

func ctrfOf(r *record.Record, c result, of func(string) []string) ctrfTest {
	start := c.began(r)
	t := ctrfTest{
		ID: identity("case", r.Run.ID, c.device.Name, c.area, c.name), Name: c.name, Status: ctrfStatus[c.verdict], Raw: string(c.verdict),
		Duration: duration(c.spec.Seconds).Milliseconds(), Start: millis(start), Stop: millis(start.Add(duration(c.spec.Seconds))),
		Suite: []string{record.Plain(cmp.Or(r.Run.Rig, "rig")), record.Plain(c.device.Name), c.area}, Message: c.message, Trace: c.trace,
		Type: "hardware-in-the-loop", Flaky: c.flaky(), Device: record.Plain(c.device.Name + wording.Emulated(*c.device)), Extra: map[string]any{},
	}
	if c.class != "" {
		t.Extra["class"] = c.class
	}
	if ids := of(c.spec.ID); len(ids) > 0 {
		t.Extra["requirements"] = ids
	}
	if len(c.spec.Measurements) > 0 {
		t.Extra["measurements"] = c.spec.Measurements
	}
	for _, l := range c.spec.Labels {
		t.Tags = append(t.Tags, record.Plain(l))
	}
	if c.red() {
		for _, l := range c.spec.Output {
			t.Stdout = append(t.Stdout, record.Plain(l))
		}
		for _, step := range c.spec.Steps {
			t.Steps = append(t.Steps, ctrfStep{record.Plain(step.Text), "other"}) // which of them failed is not recorded
		}
	}
	if n := len(c.spec.Attempts); n > 1 {
		t.Retries = n - 1
		for i, a := range c.spec.Attempts[:n-1] {
			t.Attempts = append(t.Attempts, ctrfAttempt{Attempt: i + 1, Status: cmp.Or(ctrfStatus[a.Verdict], "other"),
				Duration: duration(a.Seconds).Milliseconds(), Message: line(a.Message), Start: millis(a.Started)})
		}
	}
	return t
}
