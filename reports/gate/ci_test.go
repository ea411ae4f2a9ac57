package gate

import (
	"encoding/xml"
	"fmt"
	"strings"
	"testing"

	"hilrig/record"
)

// The cases are the rules, by the same names whatever their outcome.
func TestJUnitHasACaseForEachRule(t *testing.T) {
	names := func(change func(*testing.T, *Question), failures, errors int) (all []string) {
		q := sound(t)
		change(t, q)
		text, err := Judge(*q).JUnit()
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Suite struct {
				Failures int `xml:"failures,attr"`
				Errors   int `xml:"errors,attr"`
				Cases    []struct {
					Name    string  `xml:"name,attr"`
					Failure *broken `xml:"failure"`
				} `xml:"testcase"`
			} `xml:"testsuite"`
		}
		if err := xml.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if got.Suite.Failures != failures || got.Suite.Errors != errors {
			t.Errorf("%d failures and %d errors, want %d and %d:\n%s", got.Suite.Failures, got.Suite.Errors, failures, errors, text)
		}
		for _, c := range got.Suite.Cases {
			all = append(all, c.Name)
		}
		return all
	}
	good := names(nothing, 0, 0)
	red := names(both(spec("tls/expired", fails), spec("session/connect", func(s *record.SpecResult) { s.Verdict = record.NotRun })), 1, 1)
	if len(good) < 8 || fmt.Sprint(good) != fmt.Sprint(red) {
		t.Errorf("%q\n%q", good, red)
	}
}

// Text of a device reaches neither the table's shape nor a terminal, and a
// verdict with ten thousand lines stays one that a CI server takes.
func TestMarkdownHoldsWhateverADeviceSays(t *testing.T) {
	q := sound(t)
	spec("tls/expired", func(s *record.SpecResult) {
		fails(s)
		s.Message = "a|b <script> \x1b[31m `x`\n# title " + strings.Repeat("y", 5000)
	})(t, q)
	for i := range 10_000 {
		q.Runs[0].Record.Devices[0].Specs = append(q.Runs[0].Record.Devices[0].Specs, record.SpecResult{ID: fmt.Sprint("soak/more-", i), Verdict: record.Fail, Message: strings.Repeat("m", 500)})
	}
	text := string(Judge(*q).Markdown())
	if len(text) > 1<<20 || !strings.Contains(text, `a\|b &lt;script>`) || strings.Contains(text, "\x1b") || strings.Contains(text, "\n# title") {
		t.Errorf("%d bytes: %.2000s", len(text), text)
	}
	if at := strings.Index(text, "| FAIL |"); at < 0 || at > strings.Index(text, "| PASS |") {
		t.Errorf("what is red is not first: %.500s", text)
	}
}

// A policy may demand a customer's list, each requirement a rule of its own.
func TestMarkdownHoldsThousandsOfRules(t *testing.T) {
	v := Verdict{Verdict: Fail}
	for i := range 5000 {
		v.Rules = append(v.Rules, Rule{Name: fmt.Sprint("requirement SRS-", i), Verdict: Pass, Text: strings.Repeat("🙂", 300), Details: []string{strings.Repeat("<", 300), "b"}})
	}
	v.Rules[4999].Verdict = Fail
	text := string(v.Markdown())
	if len(text) > 1<<20 || !strings.Contains(text, "more rules; verdict.json has them") || !strings.Contains(text, "| requirement SRS-4999 | FAIL |") {
		t.Errorf("%d bytes: %.500s", len(text), text)
	}
}
