package cli

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hilrig/certs"
	"hilrig/cli/verb"
	"hilrig/record"
)

// hostile is a word from outside that would clear the screen, name the window,
// turn the text around, go back over what was said and end it, and one that
// gives orders to whatever runs a job.
const hostile = "x\x1b[2J\x1b]0;t\a\u202egreen\r\u009b1A\b\x7f\xff\n::error::x ##vso[task.complete result=Failed]##[error]"

// Whatever comes from outside, no verb hands the terminal more than text.
func TestNoVerbPrintsWhatSteersATerminal(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("HILRIG_HOSTILE", hostile)
	write := func(name string, data []byte) string {
		t.Helper()
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	certificate := write("hostile"+hostile+".pem", hostileCertificate(t))
	rig := write("rig.yaml", []byte("hub: {host: 'x.example'}\ndevices: [{name: dut, device_id: NewDevice, serial: {port: \"/dev/"+jsonWord(hostile)+"\"}}]\n"))
	wrong := write("wrong.yaml", []byte("hub: {host: \""+jsonWord(hostile)+"\"}\n\""+jsonWord(hostile)+"\": 1\ndevices: [{name: \""+jsonWord(hostile)+"\"}]\n"))
	run := hostileRun(t, dir)
	for _, args := range [][]string{
		{"certs", "show", certificate},
		{"certs", "show", "missing" + hostile},
		{"certs", "check", "--root", certificate, "--certificate", certificate, "--key", "missing" + hostile},
		{"certs", "new", "--device-id", "d" + hostile, "--out", "o" + hostile},
		{"certs", "new", "--device-id", "NewDevice", "--out", "o" + hostile},
		{"provision", "--port", "/dev/" + hostile, "--root", certificate, "--certificate", certificate, "--key", certificate},
		{"devices", "--rig", rig}, {"devices", "--rig", rig, "--json"}, {"devices", "--rig", wrong},
		{"run", "--rig", rig, "--dry-run"}, {"run", "--rig", rig, "--dry-run", "--json"}, {"run", "--rig", wrong}, {"run", "--rig", hostile},
		{"run", "--spec", hostile}, {"run", "--fault", hostile}, {"run", "--device", hostile}, {"list", hostile}, {hostile}, {"run", "--" + hostile},
		{"report", run}, {"report", hostile}, {"doctor", "--rig", wrong}, {"learn", "--port", "/dev/" + hostile},
		{"hub", "--device", "d" + hostile + "=" + hostile}, {"emulate", "--fault", hostile}, {"schema", hostile},
		{"rig", "init", "--out", "missing" + hostile + "/rig.yaml"}, {"hub", "send", "--state", hostile, "d" + hostile, hostile},
	} {
		var out, errs bytes.Buffer
		code := Main(args, strings.NewReader(hostile), &out, &errs)
		for what, said := range map[string]string{"standard output": out.String(), "standard error": errs.String()} {
			if plain := record.Plain(said); plain != said {
				t.Errorf("%q (exit %d): %s steers a terminal: %q", args, code, what, said)
			}
		}
		if code == 0 && out.Len() == 0 || code != 0 && errs.Len()+out.Len() == 0 {
			t.Errorf("%q: exit %d and not a word", args, code)
		}
	}
}

// jsonWord is a word as YAML and JSON take it between double quotes.
func jsonWord(s string) string {
	b, err := json.Marshal(strings.ToValidUTF8(s, "?"))
	if err != nil {
		panic(err)
	}
	return strings.ReplaceAll(string(record.PlainJSON(b[1:len(b)-1])), "\b", `\b`)
}

func hostileCertificate(t *testing.T) []byte {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	name := pkix.Name{CommonName: strings.ToValidUTF8(hostile, "") + "\nvalid until  2099", Organization: []string{"o\x00\x1b[1A"}}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1), Subject: name,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}, &x509.Certificate{Subject: name}, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := certs.ParseCertificate(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})); err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// hostileRun is a record whose every text is hostile.
func hostileRun(t *testing.T, dir string) string {
	t.Helper()
	word := strings.ToValidUTF8(hostile, "?")
	r := &record.Record{Schema: record.Schema, Devices: []record.DeviceRecord{{Name: "dut", Type: word, Cause: word, Class: record.RigPort,
		Specs: []record.SpecResult{
			{ID: "session/protocol", Text: word, Verdict: record.Fail, Class: record.ClassDevice, Message: word, Expected: word, Seen: word, Look: word, Labels: []string{}},
			{ID: "session/will", Text: word, Verdict: record.NotRun, Cause: word, Labels: []string{}},
			{ID: "session/pings", Text: word, Verdict: record.Warn, Warnings: []string{word}, Labels: []string{}},
		}}}}
	r.Run.ID, r.Run.Rig, r.Run.Started, r.Run.Ended = "r", word, time.Now(), time.Now()
	r.Conclude()
	run := filepath.Join(dir, "run")
	if err := os.MkdirAll(run, 0o755); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(run, "run.json"), data, 0o644); err != nil {
		t.Fatal(err)
	}
	return run
}

// What is printed in a job gives it no orders but our annotations, each on a
// line of its own.
func TestAJobTakesNoOrdersButOurAnnotations(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	var out, errs bytes.Buffer
	if code := Main([]string{"report", hostileRun(t, dir), "--annotations"}, nil, &out, &errs); code != 0 {
		t.Fatalf("exit %d: %s", code, &errs)
	}
	ours := 0
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(line, "::error file=run/report.html,title=") || strings.HasPrefix(line, "::warning file=run/report.html,title=") {
			ours++
			line = line[2:]
		}
		if record.Plain(line) != line {
			t.Errorf("%q", line)
		}
	}
	if ours != 4 {
		t.Errorf("%d annotations in %s", ours, &out)
	}
	errs.Reset()
	a := &app{App: &verb.App{Verbose: true}}
	a.OpenLog(&errs)
	a.Log.Info("##vso[task.complete]", "said", "##[error]")
	if said := errs.String(); record.Plain(said) != said || !strings.Contains(said, `x23#vso[task.complete]`) {
		t.Errorf("the log says %q", said)
	}
}
