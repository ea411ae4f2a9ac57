package junit

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"hilrig/record"
	"hilrig/record/wording"
)

// Options choose the form.
type Options struct {
	Strict bool   // nothing that junit-10.xsd lacks
	RunDir string // where devices/<name>/ is, for attachments; empty: none are named
	Root   string // attachments are named relative to it, as GitLab wants them; empty: by their absolute path, as Jenkins does

	Requirements func(spec string) []string // that a spec shows; nil: nobody has named any
}

func (o Options) requirements(spec string) []string {
	if o.Requirements == nil {
		return nil
	}
	return o.Requirements(spec)
}

// Write writes r as one <testsuites> with a suite for each device.
func Write(w io.Writer, r *record.Record, o Options) error {
	doc := suites{Name: r.Run.Rig, Time: seconds(r.Run.Ended.Sub(r.Run.Started).Seconds())}
	if r.Run.Ended.IsZero() {
		doc.Time = "0.000"
	}
	says := clean(wording.Sentence(r))
	for i := range r.Devices {
		s := suiteOf(r, &r.Devices[i], says, o)
		s.ID = fmt.Sprint(i)
		doc.Tests, doc.Failures, doc.Errors = doc.Tests+s.Tests, doc.Failures+s.Failures, doc.Errors+s.Errors
		if !o.Strict {
			doc.Skipped += s.Skipped
		}
		doc.Suites = append(doc.Suites, s)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", " ")
	if err := e.Encode(doc); err != nil {
		return fmt.Errorf("write junit: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

type suites struct {
	XMLName  xml.Name `xml:"testsuites"`
	Name     string   `xml:"name,attr"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Errors   int      `xml:"errors,attr"`
	Skipped  int      `xml:"skipped,attr,omitempty"`
	Time     string   `xml:"time,attr"`
	Suites   []suite  `xml:"testsuite"`
}

type suite struct {
	Name       string     `xml:"name,attr"`
	ID         string     `xml:"id,attr"`
	Tests      int        `xml:"tests,attr"`
	Failures   int        `xml:"failures,attr"`
	Errors     int        `xml:"errors,attr"`
	Skipped    int        `xml:"skipped,attr"`
	Hostname   string     `xml:"hostname,attr"`
	Timestamp  string     `xml:"timestamp,attr"`
	Time       string     `xml:"time,attr"`
	Properties []property `xml:"properties>property"`
	Cases      []testcase `xml:"testcase"`
}

type property struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type properties struct {
	All []property `xml:"property"`
}

type testcase struct {
	Name       string      `xml:"name,attr"`
	Classname  string      `xml:"classname,attr"`
	Timestamp  string      `xml:"timestamp,attr,omitempty"`
	Time       string      `xml:"time,attr"`
	Properties *properties `xml:"properties"`
	Skipped    *skipped    `xml:"skipped"`
	Error      *failure    `xml:"error"`
	Failure    *failure    `xml:"failure"`
	Rerun      []rerun     `xml:"rerunFailure"`
	Flaky      []rerun     `xml:"flakyFailure"`
	Out        string      `xml:"system-out,omitempty"`
}

type skipped struct {
	Message string `xml:"message,attr"`
}

type failure struct {
	Type    string `xml:"type,attr"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

type rerun struct {
	Type    string `xml:"type,attr"`
	Message string `xml:"message,attr"`
	Trace   string `xml:"stackTrace,omitempty"`
}

func suiteOf(r *record.Record, d *record.DeviceRecord, says string, o Options) suite {
	s := suite{
		Name: clean(r.Run.Rig + "." + d.Name), Hostname: clean(r.Run.Host), Timestamp: stamp(r.Run.Started),
		Properties: []property{
			{"firmware", clean(cmp.Or(d.Running.Version, d.Firmware, r.Firmware.Version))}, {"firmware_sha256", cmp.Or(d.Running.SHA256, r.Firmware.SHA256)},
			{"firmware_known", string(d.Running.Known)}, {"board", clean(d.Hardware.Serial)}, {"board_known", string(d.Hardware.Known)},
			{"board_revision", clean(d.Hardware.Revision)}, {"catalogue_sha256", r.Run.Selection.Digest},
			{"device_id", clean(d.DeviceID)}, {"port", clean(d.Port)}, {"hub", clean(cmp.Or(d.Hub.Address, r.Run.Hub))},
			{"hub_name", clean(d.Hub.Name)}, {"hub_kind", d.Hub.Kind}, {"hub_tap", fmt.Sprint(d.Hub.Tap)},
			{"thumbprint", d.Thumbprints.SHA1}, {"hilrig", clean(r.Run.Version)}, {"run", r.Run.ID},
			{"emulated", fmt.Sprint(d.Emulated)}, {"selection", clean(wording.Selection(r.Run.Selection))},
			{"says", says},
		},
	}
	total := 0.0
	for _, spec := range d.Specs {
		c := caseOf(d, spec, o)
		s.count(c)
		total += spec.Seconds
		s.Cases = append(s.Cases, c)
	}
	if d.Cause != "" {
		s.Cases = append(s.Cases, deviceCase(d))
		s.count(s.Cases[len(s.Cases)-1])
	}
	if cut := wording.Cut(r.Run); cut != "" {
		s.Cases = append(s.Cases, cutCase(r, d, cut))
		s.count(s.Cases[len(s.Cases)-1])
	}
	s.Time = seconds(total)
	return s
}

// deviceCase shows what kept a device as a whole from a verdict: its child
// died, its port was busy. Without it such a run could look merely short.
func deviceCase(d *record.DeviceRecord) testcase {
	c := testcase{Name: "device " + clean(d.Name), Classname: classname(d, "device"), Time: "0.000"}
	f := &failure{Type: string(d.Class), Message: line(d.Cause), Text: clean(d.Cause + "\n" + whose(d))}
	if d.Class == record.ClassDevice {
		c.Failure = f
	} else {
		c.Error = f
	}
	return c
}

// cutCase shows that the run did not come to its end: where every spec had its
// result by then the file would look like that of a run which did.
func cutCase(r *record.Record, d *record.DeviceRecord, cut string) testcase {
	c := testcase{Name: "run comes to its end", Classname: classname(d, "run"), Time: "0.000"}
	c.Error = &failure{Type: "not-run", Message: "the run " + cut, Text: clean(wording.Sentence(r) + "\n" + whose(d))}
	return c
}

// whose names the device that a case is about, in the text that every consumer
// shows.
func whose(d *record.DeviceRecord) string {
	return fmt.Sprintf("device: %s%s, type %s, device id %s", d.Name, wording.Emulated(*d), d.Type, d.DeviceID)
}

func (s *suite) count(c testcase) {
	s.Tests++
	switch {
	case c.Error != nil:
		s.Errors++
	case c.Failure != nil:
		s.Failures++
	case c.Skipped != nil:
		s.Skipped++
	}
}

// classname has the device in it: consumers know a case by its classname and
// name alone, and of equals GitLab keeps the first. A dot in a name would make
// another level of it.
func classname(d *record.DeviceRecord, area string) string {
	level := func(name string) string { return clean(strings.ReplaceAll(name, ".", "·")) } // no name of a rig file holds one
	return "hilrig." + level(d.Type) + "." + level(d.Name) + "." + area
}

func caseOf(d *record.DeviceRecord, r record.SpecResult, o Options) testcase {
	area, _, _ := strings.Cut(r.ID, "/")
	c := testcase{Name: clean(r.ID + " " + r.Text), Classname: classname(d, area), Time: seconds(r.Seconds)}
	if !o.Strict && !r.Started.IsZero() {
		c.Timestamp = stamp(r.Started)
	}
	if !o.Strict {
		for _, id := range o.requirements(r.ID) {
			if c.Properties == nil {
				c.Properties = &properties{}
			}
			c.Properties.All = append(c.Properties.All, property{"requirement", clean(id)})
		}
	}
	failed := false
	switch r.Verdict {
	case record.Fail:
		c.Failure, failed = &failure{Type: kind(r.Class, "device"), Message: line(r.Message), Text: clean(why(d, r))}, true
	case record.Error:
		c.Error, failed = &failure{Type: kind(r.Class, "harness"), Message: line(r.Message), Text: clean(why(d, r))}, true
	case record.NotApplicable:
		c.Skipped = &skipped{Message: line(cmp.Or(r.Cause, "not applicable"))}
	case record.NotRun:
		notRun(&c, d, r)
	}
	for _, a := range earlier(r) {
		re := rerun{Type: kind(a.Class, "device"), Message: line(a.Message), Trace: clean(a.Message)}
		if failed {
			c.Rerun = append(c.Rerun, re)
		} else {
			c.Flaky = append(c.Flaky, re)
		}
	}
	c.Out = output(d, r, o, failed)
	return c
}

// notRun is an error where the rig, or something else with a cause, is to
// blame, and a failure where a result is simply missing: it must not look like
// a test that was skipped on purpose.
func notRun(c *testcase, d *record.DeviceRecord, r record.SpecResult) {
	if r.Cause == "" {
		const missing = "expected, and has no result"
		c.Failure = &failure{Type: "not-run", Message: missing, Text: clean(missing + "\n" + whose(d))}
		return
	}
	c.Error = &failure{Type: "not-run", Message: line(r.Cause), Text: clean(r.Cause + "\n" + whose(d))}
}

// earlier are the failed attempts before the one that counts.
func earlier(r record.SpecResult) []record.Attempt {
	var failed []record.Attempt
	for i, a := range r.Attempts {
		if i < len(r.Attempts)-1 && (a.Verdict == record.Fail || a.Verdict == record.Error) {
			failed = append(failed, a)
		}
	}
	return failed
}

func why(d *record.DeviceRecord, r record.SpecResult) string {
	return strings.Join(append([]string{r.Message, whose(d)}, wording.Finding(r)...), "\n")
}

func kind(c record.Class, otherwise string) string { return cmp.Or(string(c), otherwise) }

func seconds(s float64) string { return fmt.Sprintf("%.3f", max(0, s)) }

// stamp is UTC without a zone: Jenkins and Azure DevOps take it so.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05") }
