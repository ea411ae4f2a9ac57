package gate

import (
	"encoding/xml"
	"fmt"
	"strings"
	"time"

	"hilrig/record"
	"hilrig/record/wording"
)

type testSuites struct {
	XMLName xml.Name `xml:"testsuites"`
	Suites  []testSuite
}

type testSuite struct {
	XMLName    xml.Name   `xml:"testsuite"`
	Name       string     `xml:"name,attr"`
	Tests      int        `xml:"tests,attr"`
	Failures   int        `xml:"failures,attr"`
	Errors     int        `xml:"errors,attr"`
	Timestamp  string     `xml:"timestamp,attr"`
	Properties []property `xml:"properties>property"`
	Cases      []testCase
}

type property struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type testCase struct {
	XMLName   xml.Name `xml:"testcase"`
	ClassName string   `xml:"classname,attr"`
	Name      string   `xml:"name,attr"`
	Time      string   `xml:"time,attr"`
	Failure   *broken  `xml:"failure"`
	Error     *broken  `xml:"error"`
}

type broken struct {
	Type    string `xml:"type,attr"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// mostDetails bounds what is told below a rule, so that a report stays one that
// a CI server takes.
const mostDetails = 100

func details(lines []string) []string {
	if len(lines) <= mostDetails {
		return lines
	}
	return append(lines[:mostDetails:mostDetails], fmt.Sprintf("and %d more", len(lines)-mostDetails))
}

// JUnit is the verdict with a case for each rule: a broken one is a failure, one
// without an answer an error. No name depends on the outcome.
func (v *Verdict) JUnit() ([]byte, error) {
	s := testSuite{Name: "gate." + v.Policy.Name, Tests: len(v.Rules), Timestamp: v.At.UTC().Format("2006-01-02T15:04:05")}
	for _, p := range []property{
		{"verdict", string(v.Verdict)}, {"firmware", v.Firmware.Version}, {"firmware_sha256", v.Firmware.SHA256}, {"firmware_known", string(v.Firmware.Known)},
		{"policy_sha256", v.Policy.SHA256}, {"hilrig", v.Hilrig},
	} {
		if p.Value != "" {
			s.Properties = append(s.Properties, property{p.Name, record.Plain(p.Value)})
		}
	}
	for _, r := range v.Rules {
		c := testCase{ClassName: "hilrig.gate." + v.Policy.Name, Name: r.Name, Time: "0.000"}
		b := &broken{string(r.Verdict), record.Plain(wording.OneLine(r.Text)), record.Plain(strings.Join(details(r.Details), "\n"))}
		switch r.Verdict {
		case Fail:
			c.Failure = b
			s.Failures++
		case Inconclusive:
			c.Error = b
			s.Errors++
		}
		s.Cases = append(s.Cases, c)
	}
	text, err := xml.MarshalIndent(testSuites{Suites: []testSuite{s}}, "", " ")
	if err != nil {
		return nil, fmt.Errorf("encode JUnit of the gate: %w", err)
	}
	return append([]byte(xml.Header), append(text, '\n')...), nil
}

// mostBytes is how long the table of rules gets: a policy may demand a list of
// thousands of requirements, each of them a rule.
const mostBytes = 400 << 10

// Markdown is the verdict for a job's summary or a merge request: what is not
// PASS first, and far below the 1 MiB that they take.
func (v *Verdict) Markdown() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n\n| rule | verdict | |\n|---|---|---|\n", v.Verdict, wording.Cell(v.Sentence()+"."))
	left := 0 // rules that the table has no place for
	for _, word := range []Word{Fail, Inconclusive, Pass} {
		for _, r := range v.Rules {
			switch {
			case r.Verdict != word:
			case b.Len() > mostBytes:
				left++
			default:
				fmt.Fprintf(&b, "| %s | %s | %s |\n", wording.Cell(r.Name), r.Verdict, wording.Cell(wording.Clip(r.Text, 300)))
			}
		}
	}
	if left > 0 {
		fmt.Fprintf(&b, "\nand %d more rules; verdict.json has them (--verdict)\n", left)
	}
	list := func(title string, lines []string) {
		if len(lines) == 0 || b.Len() > 2*mostBytes {
			return
		}
		fmt.Fprintf(&b, "\n## %s\n\n", wording.Cell(title))
		for _, l := range details(lines) {
			fmt.Fprintf(&b, "- %s\n", wording.Cell(wording.Clip(l, 300)))
		}
	}
	for _, r := range v.Rules {
		if len(r.Details) > 1 { // one stands in the table
			list(r.Name, r.Details)
		}
	}
	var waived, runs []string
	for _, w := range v.Waived {
		waived = append(waived, fmt.Sprintf("%s for %s by %s until %s: %s (%s)", w.Spec, w.of(), w.Owner, w.Expires, w.Reason, w.Issue))
	}
	for _, r := range v.Runs {
		line := r.ID
		if !r.Given {
			line += ", not given"
		}
		if r.Why != "" {
			line += ": " + r.Why
		}
		runs = append(runs, line)
	}
	list("Waived", waived)
	list("Runs", runs)
	list("Warnings", v.Warnings)
	fmt.Fprintf(&b, "\nImage sha256 %s, firmware known: %s. Policy sha256 %s. Judged %s by hilrig %s.\n",
		wording.Cell(v.Firmware.SHA256), wording.Cell(string(v.Firmware.Known)), v.Policy.SHA256, v.At.Format(time.RFC3339), wording.Cell(v.Hilrig))
	return []byte(b.String())
}
