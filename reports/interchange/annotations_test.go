package interchange_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode"

	"hilrig/record"
	"hilrig/record/requirements"
	"hilrig/reports/interchange"
)

func annotations(t *testing.T, r *record.Record) []string {
	t.Helper()
	var b bytes.Buffer
	if err := interchange.WriteAnnotations(&b, "out/a,b:c%/report.html", interchange.Annotate(r)); err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
}

func TestAnnotationsAreWorkflowCommands(t *testing.T) {
	const file = " file=out/a%2Cb%3Ac%25/report.html,title="
	lines := annotations(t, example())
	for i, want := range []string{
		"::error" + file + "tls/expired on ads300-a%3A fail::expected a refusal; saw \\x1b[31m::error::x ", // what steers a terminal is shown
		"::error" + file + "tls/self-signed on ads300-a%3A fail::second try",
		"::error" + file + "delivery/topic on ads300-a%3A not-run::rig:port: port gone",
		"::error" + file + "recovery/hub-restart on ads300-a%3A error::rig:hub: hub port taken",
		"::error" + file + "delivery/qos on ads300-a%3A not-run::expected, and has no result",
		"::error" + file + "device ads300-b on ads300-b%3A error::harness: child was killed",
		"::warning" + file + "tls/unknown-root on ads300-a%3A warn::refuses without a TLS alert",
	} {
		if i >= len(lines) || !strings.HasPrefix(lines[i], want) {
			t.Errorf("line %d of\n%s\nwant %s", i, strings.Join(lines, "\n"), want)
		}
	}
	if !strings.Contains(lines[0], "%250A") || !strings.Contains(lines[0], "%0Alook first at: the TLS configuration") {
		t.Errorf("%s", lines[0])
	}
	if len(lines) != 7 {
		t.Errorf("%d lines", len(lines))
	}
}

// GitHub shows ten of a kind and drops the others without a word.
func TestAnnotationsAreNoMoreThanGitHubShows(t *testing.T) {
	for n, want := range map[int]int{9: 9, 10: 10, 11: 10, 5000: 10} {
		r := example()
		r.Devices = r.Devices[:1]
		r.Devices[0].Specs = nil
		for i := range n {
			r.Devices[0].Specs = append(r.Devices[0].Specs, spec(fmt.Sprintf("tls/case-%d", i), record.Fail, record.ClassDevice, "x"))
		}
		lines := annotations(t, r)
		if len(lines) != want {
			t.Errorf("%d failures: %d lines", n, len(lines))
		}
		if more := fmt.Sprintf("title=%d more::", n-9); strings.Contains(lines[len(lines)-1], more) != (n > 10) {
			t.Errorf("%d failures end with %s", n, lines[len(lines)-1])
		}
	}
}

// A failure is shown, also where much that did not run stands before it.
func TestAnnotationsHaveFailuresFirst(t *testing.T) {
	r := example()
	r.Devices = r.Devices[:1]
	r.Devices[0].Specs = nil
	for i := range 20 {
		lost := spec(fmt.Sprintf("tls/case-%d", i), record.NotRun, record.RigPort, "")
		lost.Cause = fmt.Sprintf("port gone %d", i)
		r.Devices[0].Specs = append(r.Devices[0].Specs, lost)
	}
	r.Devices[0].Specs = append(r.Devices[0].Specs, spec("tls/expired", record.Fail, record.ClassDevice, "x"))
	if lines := annotations(t, r); len(lines) != 10 || !strings.Contains(lines[0], "tls/expired") {
		t.Errorf("%s", strings.Join(lines, "\n"))
	}
}

// One cause on many boards is one annotation.
func TestAnnotationsGatherBoards(t *testing.T) {
	r := example()
	r.Devices[0].Specs = r.Devices[0].Specs[2:3]
	for _, name := range []string{"b", "c", "d", "e"} {
		d := r.Devices[0]
		d.Name = name
		r.Devices = append(r.Devices, d)
	}
	r.Devices = append(r.Devices[:1], r.Devices[2:]...)
	if lines := annotations(t, r); len(lines) != 1 || !strings.Contains(lines[0], "on ads300-a%2C b%2C c and 2 others%3A fail") {
		t.Errorf("%s", strings.Join(lines, "\n"))
	}
}

// No text that a device or a rig file holds makes a line, or a row, of its own.
func FuzzTextOfOthers(f *testing.F) {
	f.Add("plain", hostile)
	f.Fuzz(func(t *testing.T, a, b string) {
		r := example()
		r.Devices = r.Devices[:1]
		r.Devices[0].Name, r.Devices[0].Specs = a, []record.SpecResult{spec("tls/"+b, record.Fail, record.ClassDevice, b)}
		lines := annotations(t, r)
		if len(lines) != 1 || !strings.HasPrefix(lines[0], "::error file=") || strings.ContainsFunc(lines[0], unicode.IsControl) {
			t.Errorf("%q", lines)
		}
		var m bytes.Buffer
		if err := interchange.Markdown(&m, r, nil); err != nil || strings.Count(m.String(), "\n| ") != 2 {
			t.Errorf("%v %q", err, m.String())
		}
	})
}

// A summary takes 1 MiB, whatever others write into it: a customer's list of
// two thousand, and text of four bytes a letter.
func TestMarkdownIsNoMoreThanASummaryTakesWithALongList(t *testing.T) {
	var text strings.Builder
	text.WriteString("requirements: x\nlist:\n")
	for i := range 2000 {
		fmt.Fprintf(&text, "- {id: 'SRS %d', text: '🙂🙂', specs: [tls/expired]}\n", i)
	}
	list, err := requirements.Read("x", []byte(text.String()), []requirements.Spec{{ID: "tls/expired"}})
	if err != nil {
		t.Fatal(err)
	}
	r := many(6000)
	for i := range r.Devices[0].Specs {
		s := &r.Devices[0].Specs[i]
		s.Text, s.Message = strings.Repeat("🙂", 300), fmt.Sprint(i, strings.Repeat("<", 1000))
	}
	var b bytes.Buffer
	if err := interchange.Markdown(&b, r, list.Judge(r)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"more; report.html has them", "| SRS 0 ", "more requirements; report.html has them", "\nRun 20261122T231501Z-7f3a"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q", want)
		}
	}
	if b.Len() > 1<<20 {
		t.Errorf("%d bytes", b.Len())
	}
}

func TestMarkdownHasTheRedFirstAndIsNoMoreThanASummaryTakes(t *testing.T) {
	list, err := requirements.Read("x", []byte("requirements: x\nlist: [{id: A, specs: [tls/expired]}]"), []requirements.Spec{{ID: "tls/expired"}})
	if err != nil {
		t.Fatal(err)
	}
	r := many(20_000)
	var b bytes.Buffer
	if err := interchange.Markdown(&b, r, list.Judge(r)); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if len(text) > 1<<20 || !strings.Contains(text, "more; report.html has them") || !strings.Contains(text, "| A  | fail |") {
		t.Errorf("%d bytes, ends with %s", len(text), text[len(text)-500:])
	}
	b.Reset()
	if err := interchange.Markdown(&b, example(), nil); err != nil {
		t.Fatal(err)
	}
	at := -1
	for _, want := range []string{"| tls/expired | fail ", "| device ads300-b | error ", "| delivery/topic | not-run ", "| tls/unknown-root | warn ", "| tls/wrong-name | pass "} {
		i := strings.Index(b.String(), want)
		if i < at {
			t.Errorf("%s stands too early, or nowhere, in\n%s", want, b.String())
		}
		at = i
	}
}
