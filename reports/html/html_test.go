package html_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"hilrig/peers"
	"hilrig/record"
	"hilrig/reports/html"
)

const hostile = `<script>alert(1)</script>"'&`

func example() *record.Record {
	start := time.Date(2026, 11, 22, 23, 15, 1, 0, time.UTC)
	high := 120.0
	r := &record.Record{
		Schema: record.Schema, Run: record.Run{ID: "20261122T231501Z-7f3a", Rig: "bench-1", Host: "lab", Started: start, Ended: start.Add(time.Minute), Hub: "local",
			Selection: record.Selection{Specs: []string{"tls/*"}, Chosen: 2, Catalogue: 90}},
		Firmware: record.Firmware{Version: "2.4.1", SHA256: "ab12"},
		Devices: []record.DeviceRecord{
			{Name: "a", Type: "ads300", DeviceFacts: record.DeviceFacts{
				Running: record.Running{Version: "2.4.1", Known: record.Asked}, Hardware: record.Hardware{Serial: "ADS-0042", Known: record.Claimed, Revision: "B"},
			}, Specs: []record.SpecResult{
				{ID: "tls/expired", Text: "refuses", Verdict: record.Fail, Class: record.ClassDevice, Message: hostile, Expected: "a refusal", Seen: hostile, Look: "the clock",
					Measurements: []record.Measurement{{Name: "connect", Value: 121, Unit: "s", High: &high, Verdict: record.Fail}}},
				{ID: "tls/version", Text: "negotiates", Verdict: record.Pass},
			}},
			{Name: "b", Type: "ads300", Cause: "child was killed", Class: record.Harness, Specs: []record.SpecResult{{ID: "tls/version", Verdict: record.NotRun, Cause: "child was killed"}}},
		},
	}
	r.Conclude()
	return r
}

func render(t *testing.T, r *record.Record, dir string) string {
	t.Helper()
	var b bytes.Buffer
	if err := html.Write(&b, r, html.Options{RunDir: dir}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTheVerdictComesFirst(t *testing.T) {
	page := render(t, example(), "")
	for _, want := range []string{"<h1>Firmware 2.4.1 failed: 1 of 3 results on 2 devices; 1 did not run (2 of 90 specs: tls/*).</h1>", "ab12", "the clock", "a refusal", "child was killed", "≤ 120", "<td>2.4.1, as the device says</td>", "<td>ADS-0042, claimed, not asked, revision B</td>"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// Boards that nothing tells apart took turns: who reads one of them reads with whom.
func TestThePageSaysWhoTookTurns(t *testing.T) {
	r := example()
	const says = "neither a source address nor the name of a hub"
	if strings.Contains(strings.ToLower(render(t, r, "")), says) {
		t.Error("a board that is alone takes turns")
	}
	r.Devices[0].Shared = &record.Shared{Port: "0.0.0.0:8883", Turns: []string{"a", "b"}}
	page := strings.ToLower(render(t, r, ""))
	if !strings.Contains(page, says) || !strings.Contains(page, "0.0.0.0:8883</span>: a, b.") {
		t.Error(page[strings.Index(page, "<main>"):])
	}
}

// Software in place of hardware, and a run without an end, are said where the
// reader looks first.
func TestThePageSaysWhatItIsNot(t *testing.T) {
	r := example()
	r.Devices = r.Devices[:1]
	r.Devices[0].Emulated, r.Devices[0].Specs = true, r.Devices[0].Specs[1:]
	r.Conclude()
	if page := render(t, r, ""); !strings.Contains(page, "<h1>1 spec passed on a, emulated; no verdict on the firmware (2 of 90 specs: tls/*).</h1>") ||
		!strings.Contains(page, "<td>ads300, emulated</td>") || !strings.Contains(page, "<title>bench-1 pass, 2 of 90 specs: tls/*</title>") {
		t.Error(page[strings.Index(page, "<main>"):])
	}
	r.Run.Ended = time.Time{}
	r.Conclude()
	if page := render(t, r, ""); !strings.Contains(page, "<h1>The run was killed before its end: ") || !strings.Contains(page, "<b>the run was killed before its end</b>") {
		t.Error(page[strings.Index(page, "<main>"):])
	}
}

func TestNothingIsExecutedOrFetched(t *testing.T) {
	page := render(t, example(), "")
	if strings.Contains(page, "<script>alert") {
		t.Error("text of the device is markup")
	}
	if m := regexp.MustCompile(`(?i)(src|href)\s*=\s*["']?(https?:|//)|@import|url\(`).FindString(page); m != "" {
		t.Errorf("the page reaches outside: %s", m)
	}
}

func TestTimelineIsThatOfTheSpec(t *testing.T) {
	dir, r := t.TempDir(), example()
	if err := os.MkdirAll(filepath.Join(dir, "devices", "a"), 0o755); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	e := &r.Devices[0].Specs[0].Evidence
	for i := range 10 {
		if i == 3 {
			e.TimelineFrom = int64(b.Len())
		}
		line, err := json.Marshal(record.Event{At: float64(i), Source: record.SourceSerial, Kind: "received", Text: fmt.Sprintf("line-%d", i)})
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(line, '\n'))
		if i == 6 {
			e.TimelineTo = int64(b.Len())
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "devices", "a", "timeline.jsonl"), b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	page := render(t, r, dir)
	for i := range 10 {
		if strings.Contains(page, fmt.Sprintf("line-%d", i)) != (i >= 3 && i <= 6) {
			t.Errorf("line %d", i)
		}
	}
}

func TestFiveThousandResultsStayUnder5MB(t *testing.T) {
	long := strings.Repeat("what was seen at this moment ", 20)
	for verdict, cause := range map[record.Verdict]string{record.Pass: "", record.Fail: "", record.Warn: "", record.NotRun: long} {
		r := example()
		for i := range 2500 {
			for d := range r.Devices {
				s := record.SpecResult{ID: fmt.Sprintf("soak/case-%d", i), Text: "goes on and on for as long as it is asked to", Verdict: verdict,
					Measurements: []record.Measurement{{Name: "interval", Value: float64(i), Unit: "s"}}}
				if cause != "" {
					s.Cause = fmt.Sprint(cause, i%7)
				} else if verdict != record.Pass {
					s.Message, s.Expected, s.Seen, s.Look, s.Why, s.At = long, long, long, long, long, float64(i)
				}
				r.Devices[d].Specs = append(r.Devices[d].Specs, s)
			}
		}
		if n := len(render(t, r, "")); n > 5<<20 {
			t.Errorf("%s: %d bytes", verdict, n)
		} else {
			t.Logf("%s: %d bytes", verdict, n)
		}
	}
}

// What has no verdict is told with its cause, not only in a tooltip.
func TestWhatDidNotRunSaysWhy(t *testing.T) {
	r := example()
	r.Devices[0].Specs = append(r.Devices[0].Specs,
		record.SpecResult{ID: "tls/expired", Verdict: record.NotApplicable, Cause: "no clock since 3 s"},
		record.SpecResult{ID: "tls/not-yet-valid", Verdict: record.NotApplicable, Cause: "no clock since 14.2 s"})
	page := render(t, r, "")
	for _, want := range []string{`<b>2 specs on a:</b> no clock since 3 s`, `tls/expired, tls/not-yet-valid`, `id="not-run"`, `<b>1 spec on b:</b> child was killed`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// Times that a line waits for stand beside each other, device by device.
func TestTimesAreShownAcrossDevices(t *testing.T) {
	r := example()
	for i := range r.Devices {
		for _, slot := range []string{"root", "certificate", "key"} {
			r.Devices[i].Specs = append(r.Devices[i].Specs, record.SpecResult{ID: "provisioning/" + slot, Verdict: record.Pass,
				Measurements: []record.Measurement{{Name: "transfer", Value: 0.25 + float64(i), Unit: "s"}}})
		}
	}
	page := render(t, r, "")
	for _, want := range []string{"three files sent", "0.75 s", "3.75 s", `width="20%"`, `width="100%"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

func TestChromiumRendersIt(t *testing.T) {
	out := chromium(t, render(t, example(), ""))
	if !strings.Contains(out, "Firmware 2.4.1 failed") || !strings.Contains(out, `id="f-a-tls-expired"`) {
		t.Error("the rendered page lacks the verdict or the failure")
	}
}

// chromium is the page as a real browser has it after its scripts ran.
func chromium(t *testing.T, page string) string {
	t.Helper()
	path := peers.Find(t, "chromium")
	f := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(f, []byte(page), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--user-data-dir="+t.TempDir(), "--dump-dom", "file://"+f).Output()
	if err != nil {
		t.Fatalf("chromium: %v", err)
	}
	return string(out)
}

// A selftest's page is about the suites: a faulty device that failed is as it
// should be, and is not in the headline.
func TestASelftestShowsItsMatrix(t *testing.T) {
	r := &record.Record{Schema: 1, Devices: []record.DeviceRecord{{Name: "no-sni", Specs: []record.SpecResult{{ID: "tls/server-name", Verdict: record.Fail, Class: record.ClassDevice}}}}}
	r.Conclude()
	r.Selftest = &record.Selftest{
		Verdict: record.Fail, Unproven: []string{"tls/version"},
		Sound: []record.SoundRow{{Profile: "fast", Verdict: record.Pass, Passed: 70}},
		Faults: []record.FaultRow{
			{Fault: "no-sni", Doc: "does not name <the hub>", Verdict: record.Pass, Named: []record.Caught{{Spec: "tls/server-name", Verdict: record.Fail, Message: "no server name", Names: true}}},
			{Fault: "qos2", Doc: "d", Verdict: record.Fail, Missing: "no spec named for it is red or warns"},
		},
		Specs: []record.SpecTurned{{Spec: "tls/server-name", Faults: []string{"no-sni"}}, {Spec: "tls/version"}},
	}
	page := render(t, r, "")
	for _, want := range []string{
		"1 of 2 faulty firmwares were caught, and sound firmware passed at 1 of 1 paces; no fault turned tls/version red.",
		"does not name &lt;the hub&gt;", "no spec named for it is red or warns", "no server name", "<title>selftest fail</title>",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(page, "Every spec on every device") {
		t.Error("the devices' own failures are shown as if they were the firmware's")
	}
}

// A shelf shows what is red first, sums rows and boards up, and tells one cause
// on many boards once.
func TestAShelf(t *testing.T) {
	page := render(t, shelf(), "")
	for _, want := range []string{
		`<table class="matrix shelf">`, `on 2 boards: b3, b8`, `on b3, b8 <span`,
		`<td class="sum fail" title="2 fail, 2 not-run">4</td>`, `<th class="v sum fail" title="1 fail">1</th>`,
		`href="#f-b3-tls-expired" aria-label="fail"`,
		`<b>1 spec on b5, b6:</b> port b5 is held`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(page, `id="f-b8-tls-expired"`) {
		t.Error("one cause has two cards")
	}
	var order []string
	for _, m := range regexp.MustCompile(`data-name="(b\d)"`).FindAllStringSubmatch(page, -1) {
		order = append(order, m[1])
	}
	if got := strings.Join(order, " "); got != "b3 b8 b5 b6 b1 b2 b4 b7" {
		t.Errorf("the boards stand as %s", got)
	}
}

// shelf are eight boards: two fail alike, two did not run for one cause.
func shelf() *record.Record {
	r := example()
	r.Devices = nil
	for i := 1; i <= 8; i++ {
		name := fmt.Sprint("b", i)
		s := record.SpecResult{ID: "tls/expired", Text: "refuses", Verdict: record.Pass}
		switch i {
		case 3, 8:
			s.Verdict, s.Class, s.Seen = record.Fail, record.ClassDevice, fmt.Sprintf("a session of %s in %d s", name, i)
		case 5, 6:
			s.Verdict, s.Cause = record.NotRun, "port "+name+" is held"
		}
		r.Devices = append(r.Devices, record.DeviceRecord{Name: name, Type: "ads300", DeviceFacts: record.DeviceFacts{LeftWith: "its files of before"}, Specs: []record.SpecResult{s, {ID: "tls/version", Verdict: record.Pass}}})
	}
	r.Conclude()
	return r
}

// Of many boards a measurement names those at its ends and those beyond a limit.
func TestAMeasurementOfAShelfNamesItsEnds(t *testing.T) {
	r, high := shelf(), 2.0
	for i := range r.Devices {
		m := record.Measurement{Name: "handshake", Value: 1 + 0.1*float64((i*3)%8), Unit: "s", High: &high}
		if i == 5 {
			m.Value = 2.5
		}
		r.Devices[i].Specs[1].Measurements = []record.Measurement{m.Judge()}
	}
	page := render(t, r, "")
	for want, n := range map[string]int{`<div class="dim ends">b1 … b6</div>`: 1, `<title>b1: 1</title>`: 1, `<circle class="bad"`: 1, "<circle": 2, `class="dots" d="M`: 1, "h0": 6, "<div class=\"bad\">b6: 2.5</div>": 1} {
		if got := strings.Count(page, want); got != n {
			t.Errorf("%s: %d times, want %d", want, got, n)
		}
	}
}

// The head of a page leaves room for the matrix: what is worst stands open, the
// rest is folded.
func TestTheHeadOfAPageIsShort(t *testing.T) {
	r := example()
	for i := range 40 {
		r.Devices[0].Specs = append(r.Devices[0].Specs, record.SpecResult{ID: fmt.Sprint("soak/", i), Verdict: record.Fail, Class: record.ClassDevice, Seen: fmt.Sprint("nothing ", strings.Repeat("x", i))})
	}
	page := render(t, r, "")
	head, _, _ := strings.Cut(page, `id="matrix"`)
	open, folded, _ := strings.Cut(head, "<summary>26 more</summary>")
	if n, m := strings.Count(open, `<li class="seek`), strings.Count(folded, `<li class="seek`); n != 15 || m != 26 {
		t.Errorf("%d open and %d folded", n, m)
	}
}

// What the run folder has is a step away, and nothing else is linked.
func TestThePageLeadsToTheFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"run.json", "devices/a/transcript.log", "devices/a/timeline.jsonl"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	page := render(t, example(), dir)
	for want, n := range map[string]int{
		`<a href="run.json">run.json</a>`: 1, `<a href="devices/a/transcript.log">transcript</a>`: 2, `<a href="devices/a/timeline.jsonl">timeline</a>`: 2,
		`href="junit.xml"`: 0, `href="devices/b/`: 0,
	} {
		if got := strings.Count(page, want); got != n {
			t.Errorf("%s: %d times, want %d", want, got, n)
		}
	}
}

// What changed since last time, and how each spec ended before, stand where a
// history is there, and nowhere else.
func TestEarlierRunsAreShownWhereTheyAreKnown(t *testing.T) {
	r := example()
	mark := func(day int, v record.Verdict) record.Mark {
		return record.Mark{Run: int64(day), At: time.Date(2026, 11, day, 20, 0, 0, 0, time.UTC), Firmware: "2.4.0", Verdict: v}
	}
	e := &html.Earlier{
		Since: &html.Since{ID: "20261121T231501Z-7f39", Started: r.Run.Started, Firmware: "2.4.0", Report: "../r/report.html", Groups: []html.SinceGroup{
			{Title: "Newly red", Changes: []html.SinceChange{{SinceKind: html.SinceKind{Spec: "tls/expired", Before: record.Pass, After: record.Fail}, Devices: []string{"a"}}}},
			{Title: "Newly green"},
		}, Missing: 1, Faulty: 2},
		Tails: map[string]map[string][]record.Mark{
			"a": {"tls/version": {mark(1, record.Pass), mark(2, record.Pass)}},
			"b": {"tls/version": {mark(1, record.Fail), mark(3, record.NotRun)}},
		},
	}
	for i := range 12 {
		e.Tails["a"]["tls/expired"] = append(e.Tails["a"]["tls/expired"], mark(i+1, record.Pass))
	}
	var with, without bytes.Buffer
	if err := errors.Join(html.Write(&with, r, html.Options{Earlier: e}), html.Write(&without, r, html.Options{})); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Newly red (1)", `href="../r/report.html"`, "<b>fail</b> tls/expired on a", "last ten runs", "earlier runs</dt>",
		"It did not have 1 of the devices. 2 of the devices are faulty on purpose, which the history keeps nothing of.",
		`title="2026-11-01 20:00: fail with 2.4.0" aria-label="fail">✗</b><b class="pass" title="2026-11-02 20:00: pass with 2.4.0" aria-label="pass">✓</b><b class="not-run"`,
	} {
		if !strings.Contains(with.String(), want) {
			t.Errorf("it lacks %q", want)
		}
		if strings.Contains(without.String(), want) {
			t.Errorf("without a history it has %q", want)
		}
	}
	if strings.Contains(with.String(), "Newly green") {
		t.Error("it has a group of nothing")
	}
	if n := strings.Count(with.String(), "2026-11-02 20:00"); n != 1 {
		t.Errorf("%d marks of the second night: a spec has more than ten", n)
	}
}

// Firmwares that the matrix has no room for are a key away.
func TestTheHistoryTurnsToOlderFirmwares(t *testing.T) {
	p := &html.Past{Specs: []html.PastSpec{{Type: "ads300", ID: "tls/version"}}}
	for i := range 60 {
		p.Firmwares = append(p.Firmwares, html.PastFirmware{Name: fmt.Sprint("2.", 60-i)})
		c := html.PastCell{Verdict: record.Pass}
		if i == 30 {
			c = html.PastCell{Verdict: record.Fail, Failing: 2, Says: "2 of 20 boards"}
		}
		p.Specs[0].Cells = append(p.Specs[0].Cells, c)
	}
	const press = `<script>
var key = function (k) { document.body.dispatchEvent(new KeyboardEvent('keydown', {key: k, bubbles: true, cancelable: true})); };
var says = function () { document.title += '|' + document.querySelector('th.v').dataset.name + ', ' + document.querySelectorAll('td.fail[title="2 of 20 boards"][aria-label=fail]').length + ' red, ' + document.querySelector('.turn output').textContent; };
says(); key('o'); says(); key('o'); key('o'); says(); key('p'); key('p'); key('p'); says();
</script></body>`
	var page bytes.Buffer
	if err := html.WriteHistory(&page, p); err != nil {
		t.Fatal(err)
	}
	out := chromium(t, strings.Replace(page.String(), "</body>", press, 1))
	_, title, _ := strings.Cut(out, "<title>")
	title, _, _ = strings.Cut(title, "</title>")
	_, got, _ := strings.Cut(title, "|")
	const rest = " of 60 firmwares, the newest first"
	if want := "2.60, 0 red, 1 to 24" + rest + "|2.36, 1 red, 25 to 48" + rest + "|2.24, 0 red, 37 to 60" + rest + "|2.60, 0 red, 1 to 24" + rest; got != want {
		t.Errorf("the page says\n%s, want\n%s", got, want)
	}
}
