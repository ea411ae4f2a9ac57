package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"hilrig/peers"
)

// pretended is a checkout whose hilrig is a script.
func pretended(t *testing.T, program string) (dir string) {
	t.Helper()
	script, err := os.ReadFile(filepath.Join("..", "scripts", "journey.sh"))
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "scripts"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"scripts/journey.sh": string(script), "hilrig": program} {
		if text == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil { //nolint:gosec // a program
			t.Fatal(err)
		}
	}
	return dir
}

// journeyOf takes a journey there.
func journeyOf(t *testing.T, dir, journey string, env ...string) (code int, out string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), peers.Find(t, "bash"), "scripts/journey.sh", journey)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "RIG=rig.yaml", "FIRMWARE=fw.bin"), env...)
	said, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(said)
}

// A CI server must see 1, 3 and 130: what the verb that decides ends with is
// what the script ends with. The program here ends as it is told.
func TestTheScriptOfTheJourneysGivesExitCodesThrough(t *testing.T) {
	const program = `#!/bin/sh
case "$*" in
--help) echo "  gate        judge" ;;
*--dry-run*) ;;
run*)
	out=reports/out
	case "$*" in *nightly*) out=reports/nightly/rig ;; esac
	mkdir -p $out && ln -sfn "run-$$" $out/latest
	while [ "$1" != --tell-folder ]; do shift; done
	echo "$PWD/$out/run-$$" >"$2"
	echo "$PWD/$out/run-$$" >mine
	ln -sfn another $out/latest # somebody else begins a run
	exit $RUN ;;
"gate explain"*) ;;
gate*)
	case "$*" in *" $(cat mine)") exit $GATE ;; *) echo "judged: $*"; exit 9 ;; esac ;;
selftest*) exit $SELFTEST ;;
esac
`
	for _, c := range []struct {
		journey             string
		run, gate, selftest int
		want                int
	}{
		{"regression", 0, 0, 0, 0}, {"regression", 1, 0, 0, 1}, {"regression", 3, 0, 0, 3}, {"regression", 130, 0, 0, 130}, {"regression", 2, 0, 0, 2},
		{"gate", 0, 0, 0, 0}, {"gate", 1, 1, 0, 1}, {"gate", 0, 1, 0, 1}, {"gate", 3, 3, 0, 3}, {"gate", 0, 3, 0, 3}, {"gate", 130, 0, 0, 130}, {"gate", 2, 0, 0, 2},
		{"regression", 137, 0, 0, 3}, {"gate", 137, 0, 0, 0}, {"gate", 137, 3, 0, 3}, {"gate", 0, 137, 0, 3}, {"nightly", 137, 0, 0, 3},
		{"nightly", 0, 0, 0, 0}, {"nightly", 1, 0, 0, 1}, {"nightly", 3, 0, 0, 3}, {"nightly", 130, 0, 0, 130}, {"nightly", 0, 0, 1, 3}, {"nightly", 1, 0, 3, 3}, {"nightly", 0, 0, 130, 130},
	} {
		code, out := journeyOf(t, pretended(t, program), c.journey, fmt.Sprint("RUN=", c.run), fmt.Sprint("GATE=", c.gate), fmt.Sprint("SELFTEST=", c.selftest))
		if code != c.want {
			t.Errorf("%s, run %d, gate %d, selftest %d: %d, want %d\n%s", c.journey, c.run, c.gate, c.selftest, code, c.want, out)
		}
	}
}

// What goes wrong around a run is no verdict on a device: a page or a folder
// that cannot be written is 3, and what nobody can have meant is 2.
func TestTheScriptOfTheJourneysBlamesNoDevice(t *testing.T) {
	const sound = "#!/bin/sh\necho \"  gate        judge\"\n"
	for _, c := range []struct {
		name, program, block string
		journey, env, says   string
		want                 int
	}{
		{"nothing was built", "", "", "regression", "", "make build", 2},
		{"no folder for the night", sound, "reports", "nightly", "", "reports", 3},
		{"no place for what is said", sound, "", "nightly", "TMPDIR=/none", "/none", 3},
		{"a page that cannot be written", sound, "reports/nightly/rig/.nightly.md/x", "nightly", "", "nightly.md", 3},
		{"a rig file that is none, before the hours of a selftest",
			"#!/bin/sh\ncase \"$*\" in *--dry-run*) echo a slip; exit 2 ;; selftest*) echo hours ;; esac\n", "", "nightly", "", "a slip", 2},
	} {
		dir := pretended(t, c.program)
		if c.block != "" {
			in := filepath.Join(dir, c.block)
			if err := os.MkdirAll(filepath.Dir(in), 0o755); err != nil { //nolint:gosec // a folder of a test
				t.Fatal(err)
			}
			if err := os.WriteFile(in, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		code, out := journeyOf(t, dir, c.journey, c.env)
		if code != c.want || !strings.Contains(out, c.says) || strings.Contains(out, "hours") {
			t.Errorf("%s: %d, want %d and %q\n%s", c.name, code, c.want, c.says, out)
		}
	}
}

// Whoever reads the page while a night goes on, or after one that was killed,
// does not take the night before for it; and one night at a time runs on a rig.
func TestANightThatHasNotEndedSaysSo(t *testing.T) {
	peers.Find(t, "flock")
	dir := pretended(t, `#!/bin/sh
page=reports/nightly/rig/nightly.md
case "$*" in
*--dry-run*) ;;
selftest*) [ -z "$DURING" ] || cat $page >during.md
	[ -z "$SECOND" ] || { SECOND= bash scripts/journey.sh nightly >second.txt 2>&1; echo "ended $?" >>second.txt; } ;;
run*) [ -z "$KILL" ] || kill -9 $PPID ;;
esac
`)
	read := func(name string) string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	const page, mark = "reports/nightly/rig/nightly.md", "has not come to its end"
	for _, c := range []struct {
		env    string
		want   int
		marked bool
	}{{"", 0, false}, {"DURING=1", 0, false}, {"KILL=1", -1, true}, {"KILL=1", -1, true}, {"SECOND=1", 0, false}} {
		if code, out := journeyOf(t, dir, "nightly", c.env); code != c.want {
			t.Errorf("%s: %d, want %d\n%s", c.env, code, c.want, out)
		}
		if got := read(page); strings.Contains(got, mark) != c.marked || strings.Count(got, mark) > 1 || !strings.Contains(got, "Devices: all passed") {
			t.Errorf("%s:\n%s", c.env, got)
		}
	}
	if got := read("during.md"); !strings.HasPrefix(got, "**A night began") || !strings.Contains(got, "Devices: all passed") {
		t.Errorf("while it goes on:\n%s", got)
	}
	if got := read("second.txt"); !strings.Contains(got, "another night of rig.yaml is going on") || !strings.Contains(got, "ended 3") {
		t.Errorf("the second:\n%s", got)
	}
}
