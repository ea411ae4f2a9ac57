package embed_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"hilrig/embed"
	"hilrig/record"
)

func TestMain(m *testing.M) {
	embed.Serve(ourSpec)
	os.Exit(m.Run())
}

// A test of somebody else's firmware: hilrig's smoke specs and one of their
// own on an emulated device, which judges by the same evidence.
func TestOurFirmware(t *testing.T) {
	rec, dir, err := embed.Run(t.Context(), embed.Request{LabelFilter: "smoke || ours", Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if rec.Run.Verdict != record.Pass {
		t.Errorf("%s: see %s", rec.Run.Verdict, dir)
	}
	var ours, all int
	for _, s := range rec.Devices[0].Specs {
		if all++; s.ID == ourSpec.ID {
			ours++
			if s.Verdict != record.Pass || s.Text != ourSpec.Text {
				t.Errorf("%s, %q: %s %s", s.ID, s.Text, s.Verdict, s.Message)
			}
		}
	}
	if ours != 1 || all != 7 {
		t.Errorf("%d of ours among %d specs", ours, all)
	}
}

func TestWhatCannotRunSaysWhy(t *testing.T) {
	_, _, err := embed.Run(t.Context(), embed.Request{Rig: "no-such-rig.yaml", Dir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "no-such-rig.yaml") || record.ClassOf(err) != record.Usage {
		t.Errorf("%v, of class %s", err, record.ClassOf(err))
	}
}

// What a run prints and what it logs come one after the other: whoever takes
// them needs no lock.
func TestWhatARunPrintsComesFromOne(t *testing.T) {
	state := t.TempDir()
	t.Setenv("HILRIG_STATE", state)
	if err := os.WriteFile(filepath.Join(state, "history.db"), bytes.Repeat([]byte("no database\n"), 20), 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	if _, _, err := embed.Run(t.Context(), embed.Request{Specs: []string{"tls/version"}, Dir: t.TempDir(), Output: &said}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"the history was not told", "PASS  1 pass"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, &said)
		}
	}
}

// onText does something once a run prints a text.
type onText struct {
	text string
	do   func()
}

func (o onText) Write(b []byte) (int, error) {
	if strings.Contains(string(b), o.text) {
		o.do()
	}
	return len(b), nil
}

// A program that gives up still gets the record.
func TestARunThatIsGivenUpHasARecord(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	givenUp := errors.New("given up")
	begun := onText{"session/", func() { cancel(givenUp) }} // its first spec has ended
	rec, _, err := embed.Run(ctx, embed.Request{Specs: []string{"session/*"}, Dir: t.TempDir(), Output: begun})
	if !errors.Is(err, givenUp) || rec == nil || rec.Run.Verdict == record.Pass {
		t.Errorf("%v, %+v", err, rec)
	}
}

// A module of somebody else builds a hilrig of its own, with a replace where
// this one lies.
func TestAModuleOfItsOwn(t *testing.T) {
	if testing.Short() {
		t.Skip("short: builds a program")
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":  "module acme\n\ngo 1.26\n\nrequire hilrig v0.0.0\n\nreplace hilrig => " + root + "\n",
		"main.go": program,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, argv := range [][]string{{"go", "mod", "tidy"}, {"go", "build", "-o", "acme", "."}, {"./acme", "list", "--spec", "acme/*"}} {
		cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
		cmd.Dir = dir
		said, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", argv, err, said)
		}
		if argv[0] == "./acme" && !strings.Contains(string(said), "acme/greets") {
			t.Errorf("%s", said)
		}
	}
}

const program = `package main

import (
	"context"
	"os"

	"hilrig/embed"
	"hilrig/fixtures"
)

func main() {
	os.Exit(embed.Main(fixtures.Spec{
		ID: "acme/greets", Text: "greets", Why: "politeness", Source: "field",
		Limit: fixtures.LimitCheck, Cost: fixtures.Free(), Body: func(context.Context, *fixtures.Trial) {},
	}))
}
`
