package interchange

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"hilrig/record"
	"hilrig/record/wording"
)

type allureResult struct {
	UUID        string             `json:"uuid"`
	HistoryID   string             `json:"historyId"`
	TestCaseID  string             `json:"testCaseId"`
	FullName    string             `json:"fullName"`
	Name        string             `json:"name"`
	Description string             `json:"description,omitempty"`
	Status      string             `json:"status"`
	Details     *allureDetails     `json:"statusDetails,omitempty"`
	Stage       string             `json:"stage"`
	Start       int64              `json:"start"`
	Stop        int64              `json:"stop"`
	Labels      []allurePair       `json:"labels"`
	Parameters  []allurePair       `json:"parameters"`
	Links       []struct{}         `json:"links"`
	Steps       []allureStep       `json:"steps"`
	Attachments []allureAttachment `json:"attachments"`
}

type allureDetails struct {
	Message string `json:"message,omitempty"`
	Trace   string `json:"trace,omitempty"`
	Flaky   bool   `json:"flaky,omitempty"`
}

type allurePair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type allureStep struct {
	Name    string         `json:"name"`
	Status  string         `json:"status"`
	Details *allureDetails `json:"statusDetails,omitempty"`
	Stage   string         `json:"stage"`
	Start   int64          `json:"start"`
	Stop    int64          `json:"stop"`
}

type allureAttachment struct {
	Name   string `json:"name"`
	Source string `json:"source"`
	Type   string `json:"type"`
}

type allureContainer struct {
	UUID     string     `json:"uuid"`
	Name     string     `json:"name"`
	Children []string   `json:"children"`
	Befores  []struct{} `json:"befores"`
	Afters   []struct{} `json:"afters"`
	Start    int64      `json:"start"`
	Stop     int64      `json:"stop"`
}

// allureStatus has what the rig kept from a verdict, and what did not run, as
// broken: that is no failure of the device, and no pass.
var allureStatus = map[record.Verdict]string{
	record.Pass: "passed", record.Warn: "passed", record.NotApplicable: "skipped",
	record.Fail: "failed", record.Error: "broken", record.NotRun: "broken",
}

// allureCategories gather defects by whose they are; their patterns take what
// [allureMessage] begins with.
var allureCategories = []map[string]any{
	{"name": "The device", "matchedStatuses": []string{"failed"}},
	{"name": "The rig", "matchedStatuses": []string{"broken"}, "messageRegex": `rig:[a-z]+: [\s\S]*`},
	{"name": "Not run", "matchedStatuses": []string{"broken"}, "messageRegex": `not run: [\s\S]*`},
	{"name": "The harness", "matchedStatuses": []string{"broken"}, "messageRegex": `harness: [\s\S]*`},
}

// allureMost is the most bytes of one evidence file's part that is attached, and
// allureAll of all of them: beyond it results name no further files.
const (
	allureMost = 64 << 10
	allureAll  = 64 << 20
)

// allure is a folder of results on its way.
type allure struct {
	dir, runDir string
	r           *record.Record
	of          func(spec string) []string
	attached    int // bytes
}

// Allure writes r into dir, which may hold the results of other runs, with a
// result for each try of each spec on each device. RunDir is where
// devices/<name>/ is; of says which requirements a spec shows. A run that is
// written again has the same files.
func Allure(dir string, r *record.Record, runDir string, of func(spec string) []string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return record.NewFailure(record.RigHost, "make folder", dir, err)
	}
	a := &allure{dir: dir, runDir: runDir, r: r, of: of}
	names := keys(r)
	children := make([][]string, len(r.Devices))
	index := map[*record.DeviceRecord]int{}
	for i := range r.Devices {
		index[&r.Devices[i]] = i
	}
	for _, c := range results(r) {
		i := index[c.device]
		ids, err := a.write(c, names[i])
		if err != nil {
			return err
		}
		children[i] = append(children[i], ids...)
	}
	for i, d := range r.Devices {
		id := identity("device", r.Run.ID, d.Name)
		c := allureContainer{UUID: id, Name: record.Plain(d.Name), Children: children[i], Befores: []struct{}{}, Afters: []struct{}{}, Start: millis(r.Run.Started), Stop: millis(ended(r))}
		if err := a.save(id+"-container.json", c); err != nil {
			return err
		}
	}
	if err := a.save("categories.json", allureCategories); err != nil {
		return err
	}
	return a.put("environment.properties", []byte(a.environment()))
}

// write writes a case: its tries before the one that counts, and that one.
func (a *allure) write(c result, board string) (ids []string, err error) {
	attempts := c.spec.Attempts
	if n := len(attempts); n > 0 {
		attempts = attempts[:n-1]
	}
	last := a.result(c, board)
	for i, tried := range attempts {
		try := last
		try.UUID = identity("try", last.UUID, fmt.Sprint(i))
		try.Status = allureStatus[tried.Verdict]
		if try.Status == "" {
			try.Status = "unknown"
		}
		try.Details = &allureDetails{Message: allureMessage(tried.Verdict, tried.Class, line(tried.Message)), Trace: record.Plain(tried.Message)}
		try.Start, try.Stop = a.tried(last.Start, tried, i-len(attempts))
		try.Steps, try.Attachments, try.Description = []allureStep{}, []allureAttachment{}, ""
		if err := a.save(try.UUID+"-result.json", try); err != nil {
			return nil, err
		}
		ids = append(ids, try.UUID)
	}
	if last.Attachments, err = a.attach(c, last.UUID); err != nil {
		return nil, err
	}
	if n := len(c.spec.Attempts); n > 1 { // the whole began with the first try: readers take the latest for the one that counts
		last.Start, last.Stop = a.tried(last.Stop, c.spec.Attempts[n-1], 0)
	}
	return append(ids, last.UUID), a.save(last.UUID+"-result.json", last)
}

// tried is when a try was. Where that is not known it is put before what counts:
// readers take the latest for that.
func (a *allure) tried(before int64, t record.Attempt, back int) (start, stop int64) {
	if start = millis(t.Started); start == 0 {
		start = before + int64(back)
	}
	return start, start + duration(t.Seconds).Milliseconds()
}

func (a *allure) result(c result, board string) allureResult {
	d, start := c.device, c.began(a.r)
	of := []string{record.Plain(a.r.Run.Rig), record.Plain(d.Name), c.area}
	res := allureResult{
		UUID: identity("result", a.r.Run.ID, d.Name, c.area, c.name), HistoryID: identity("history", board, c.area, c.spec.ID), TestCaseID: identity("case", c.area, c.spec.ID),
		FullName: "hilrig." + record.Plain(d.Type) + "." + of[1] + "." + c.area + ": " + c.name, Name: c.name, Status: allureStatus[c.verdict], Stage: "finished",
		Start: millis(start), Stop: millis(start.Add(duration(c.spec.Seconds))),
		Labels: []allurePair{{"framework", "hilrig"}, {"host", record.Plain(a.r.Run.Host)}, {"thread", of[1]},
			{"parentSuite", of[0]}, {"suite", of[1]}, {"subSuite", of[2]}, {"feature", of[2]}},
		Parameters: []allurePair{{"device", of[1]}, {"type", record.Plain(d.Type)}, {"hub", record.Plain(d.Hub.Name)}},
		Links:      []struct{}{}, Steps: a.steps(c), Attachments: []allureAttachment{},
	}
	for _, l := range c.spec.Labels {
		res.Labels = append(res.Labels, allurePair{"tag", record.Plain(l)})
	}
	for _, id := range a.of(c.spec.ID) {
		res.Labels = append(res.Labels, allurePair{"requirement", record.Plain(id)})
	}
	if d.Emulated {
		res.Labels = append(res.Labels, allurePair{"tag", "emulated"})
	}
	if c.message != "" || c.flaky() {
		res.Details = &allureDetails{Message: allureMessage(c.verdict, c.class, c.message), Trace: c.trace, Flaky: c.flaky()}
	}
	for _, m := range c.spec.Measurements {
		res.Description += fmt.Sprintf("%s: %g %s\n\n", record.Plain(m.Name), m.Value, record.Plain(m.Unit))
	}
	return res
}

// allureMessage says first whose a defect is: categories go by it.
func allureMessage(v record.Verdict, c record.Class, message string) string {
	switch {
	case v == record.NotRun:
		return "not run: " + message
	case v == record.Error && c.Rig():
		return string(c) + ": " + message
	case v == record.Error:
		return "harness: " + message
	}
	return message
}

// steps are the parts of a case, or its rounds where a run was repeated. Which
// step failed is not recorded: the last that began is taken for it.
func (a *allure) steps(c result) []allureStep {
	all := []allureStep{}
	for i, s := range c.spec.Steps {
		stop := c.spec.Started.Add(duration(c.spec.Seconds))
		status := "passed"
		if i+1 < len(c.spec.Steps) {
			stop = a.at(c.spec.Steps[i+1].At)
		} else if c.red() {
			status = allureStatus[c.verdict]
		}
		start := a.at(s.At)
		if stop.Before(start) {
			stop = start
		}
		all = append(all, allureStep{Name: record.Plain(s.Text), Status: status, Stage: "finished", Start: millis(start), Stop: millis(stop)})
	}
	for _, n := range c.spec.Rounds {
		status := allureStatus[n.Verdict]
		if status == "" {
			status = "broken"
		}
		step := allureStep{Name: fmt.Sprintf("round %d", n.Round), Status: status, Stage: "finished", Start: millis(n.Started), Stop: millis(n.Started.Add(duration(n.Seconds)))}
		if text := line(n.Message + n.Cause); text != "" {
			step.Details = &allureDetails{Message: text}
		}
		all = append(all, step)
	}
	return all
}

// at is a time of the run's clock.
func (a *allure) at(seconds float64) time.Time { return a.r.Run.Started.Add(duration(seconds)) }

// attach copies the evidence of a red case.
func (a *allure) attach(c result, id string) ([]allureAttachment, error) {
	all := []allureAttachment{}
	if !c.red() || c.spec.ID == "" {
		return all, nil
	}
	e := c.spec.Evidence
	text := part(filepath.Join(a.runDir, "devices", c.device.Name, "transcript.log"), e.TranscriptFrom, e.TranscriptTo)
	if len(text) == 0 {
		text = []byte(strings.Join(c.spec.Output, "\n"))
	}
	for _, f := range []struct {
		name, ending, kind string
		text               []byte
	}{
		{"transcript", "log", "text/plain", text},
		{"timeline", "jsonl", "text/plain", part(filepath.Join(a.runDir, "devices", c.device.Name, "timeline.jsonl"), e.TimelineFrom, e.TimelineTo)},
	} {
		if len(f.text) == 0 || a.attached+len(f.text) > allureAll {
			continue
		}
		a.attached += len(f.text)
		source := identity(f.name, id) + "-attachment." + f.ending
		if err := a.put(source, f.text); err != nil {
			return nil, err
		}
		all = append(all, allureAttachment{f.name, source, f.kind})
	}
	return all, nil
}

// part is the last [allureMost] bytes between two offsets of a file; nothing
// where the file was pruned, or is not that long.
func part(path string, from, to int64) []byte {
	if to <= from || from < 0 {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil // a report may stand without its streams
	}
	defer func() { _ = f.Close() }() // only read
	text := make([]byte, min(to-from, allureMost))
	n, err := f.ReadAt(text, to-int64(len(text)))
	if err != nil && n == 0 {
		return nil
	}
	return text[:n]
}

// environment is what the results were found on, as a file of Java's properties.
func (a *allure) environment() string {
	var b strings.Builder
	for _, p := range []allurePair{
		{"firmware", a.r.Firmware.Version}, {"firmware.sha256", a.r.Firmware.SHA256}, {"rig", a.r.Run.Rig}, {"host", a.r.Run.Host},
		{"hub", a.r.Run.Hub}, {"hilrig", a.r.Run.Version}, {"run", a.r.Run.ID}, {"verdict", wording.Sentence(a.r)},
	} {
		if p.Value != "" {
			fmt.Fprintf(&b, "%s=%s\n", p.Name, property(p.Value))
		}
	}
	return b.String()
}

// property is a value in a file of Java's properties, which is Latin-1.
func property(s string) string {
	var b strings.Builder
	for i, r := range record.Plain(wording.OneLine(s)) {
		switch {
		case r == '\\', r == ' ' && i == 0:
			b.WriteString(`\` + string(r))
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		case r > 0x7e:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func (a *allure) save(name string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	return a.put(name, text)
}

// put writes a file that is whole or absent. It is not forced to the disk as a
// record is: there are thousands, and all can be written again.
func (a *allure) put(name string, text []byte) error {
	path := filepath.Join(a.dir, name)
	err := os.WriteFile(path+".part", text, 0o644)
	if err == nil {
		err = os.Rename(path+".part", path)
	}
	if err != nil {
		return record.NewFailure(record.RigHost, "write", path, errors.Join(err, os.RemoveAll(path+".part"))).
			WithCure("is the disk full, or the folder not yours?")
	}
	return nil
}
