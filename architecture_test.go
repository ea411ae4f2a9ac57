package main_test

import (
	"bytes"
	"errors"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The arrows of the house: main → cli → {doctor, onboard, runner} →
// {suites, selftest} → fixtures → {hw, certs, azure} → record, with reports
// beside runner and embed beside main. A room may import the rooms of a lower
// floor, and itself. Rooms of one floor do not know each other, so selftest
// judges the suites without knowing one; only a test may look across, to try its
// room against a neighbour.
var floors = map[string]int{
	"":         7, // main
	"embed":    7, // the same, in a program of somebody else
	"cli":      6,
	"doctor":   5,
	"onboard":  5,
	"runner":   5,
	"reports":  5,
	"suites":   4,
	"selftest": 4,
	"fixtures": 3,
	"hw":       2,
	"certs":    2,
	"azure":    2,
	"record":   1,
	"peers":    1, // of tests
}

// A ban forbids one import that the floors alone would allow. From and to are
// folders with all below them; an empty to is anything of ours.
type ban struct {
	from, to  string
	except    string // a folder below to that is allowed
	alsoTests bool   // test files too
	why       string
}

var bans = []ban{
	{from: "runner", to: "reports", alsoTests: true, why: "a run ends with its record; cli makes reports of it"},
	{from: "reports", to: "", except: "record", why: "a report is made of a record and nothing else"},
	{from: "record", to: "", except: "record", alsoTests: true, why: "everybody shares record"},
	{from: "cli/terminal", to: "", except: "record", why: "a terminal does not know what is written"},
	{from: "cli/verb", to: "cli", except: "cli/terminal", why: "what a verb stands on knows no verb"},
	{from: "cli/named", to: "cli", except: "cli/named", why: "what was named does not know which verb asks"},
	{from: "cli/past", to: "cli", except: "cli/past", why: "what was before does not know which verb asks"},
	{from: "cli/signing", to: "cli", except: "cli/named", why: "how something is signed does not know which verb asks"},
	{from: "cli/view", to: "suites", why: "a view is given the plan, the events, the record"},
	{from: "cli/view", to: "reports", why: "a view is given the plan, the events, the record"},
	{from: "suites", to: "azure/localhub", why: anyHub},
	{from: "suites", to: "azure/tap", why: anyHub},
	{from: "suites", to: "azure/broker", why: anyHub},
	{from: "suites", to: "azure/iothub", why: anyHub},
	{from: "fixtures", to: "azure/tap", why: anyHub},
	{from: "fixtures", to: "azure/iothub", why: anyHub},
	{from: "fixtures", to: "azure/broker", why: anyHub},
	{from: "azure/tap", to: "azure/broker", why: "a tap stands in front of any hub"},
	{from: "azure/tap", to: "azure/localhub", why: "a tap stands in front of any hub"},
	{from: "fixtures", to: "azure/localhub", why: anyHub},
	{from: "azure/iothub", to: "azure/localhub", why: otherEnd},
	{from: "azure/localhub", to: "azure/iothub", why: otherEnd},
	{from: "azure/iothub/access", to: "azure/iothub/registry", why: "access knows no requests"},
	{from: "azure/hub", to: "azure/localhub", why: "what a hub saw does not know how any kind of hub works"},
	{from: "hw/emulator", to: "hw/console", why: otherSide},
	{from: "hw/emulator", to: "hw/port", why: otherSide},
	{from: "hw/emulator", to: "azure", why: otherSide},
	{from: "hw/console", to: "hw/emulator", why: otherSide},
	{from: "hw/port", to: "hw/emulator", why: otherSide},
}

const anyHub = "specs and benches know azure/hub, and never one kind of hub"

const otherEnd = "the local hub stands in for IoT Hub in tests: a mistake must not cancel itself out"

const otherSide = "the emulator is the other side of the wire: a mistake must not cancel itself out"

// Rooms of verbs, which cli alone puts together: what two of them need lies in a
// room below both.
var verbRooms = []string{"cli/azure", "cli/devices", "cli/gate", "cli/history", "cli/hub"}

// Rooms that return errors: only fixtures and suites fail a spec. Their tests
// may use what they like.
var (
	errorRooms    = []string{"hw", "certs", "azure", "record", "reports"}
	specLibraries = []string{"github.com/onsi/ginkgo", "github.com/onsi/gomega"}
)

// Names that say nothing about what is inside.
var emptyNames = []string{"util", "utils", "common", "helper", "helpers", "misc"}

// Strings that belong to one machine or one network, cut in two so that this
// file may stand in the tree that it reads.
var localNames = regexp.MustCompile(`(?:^|[^\w.~/-])/(?:wo` + `rk|ro` + `ot)/|(?i:` + strings.Join([]string{
	`proxy\.gol` + `ang\.org`, `sum\.gol` + `ang\.org`, `gopr` + `oxy\.(?:io|cn)`,
	`registry\.np` + `mjs\.org`, `registry\.ya` + `rnpkg\.com`,
	`pythonho` + `sted\.org`, `py` + `pi\.org`, `cra` + `tes\.io`,
	`dock` + `er\.io`, `gh` + `cr\.io`, `qu` + `ay\.io`,
	`deb\.deb` + `ian\.org`, `artif` + `actory`,
}, "|") + `)`)

func TestImportsRunDownwards(t *testing.T) {
	h := readHouse(t)
	for _, f := range h.files {
		if _, known := floors[room(f.dir)]; !known {
			t.Errorf("%s: no room %q in the house: give it a floor in this test, or put it elsewhere", f.path, room(f.dir))
			continue
		}
		for _, to := range f.ours(h.module) {
			if why := forbidden(f, to); why != "" {
				t.Errorf("%s: %s imports %s: %s", f.path, name(f.dir), name(to), why)
			}
		}
	}
}

// The ban on sharing holds by any way round, also through a third package.
func TestEmulatorSharesNoCodeWithTheOtherSide(t *testing.T) {
	h := readHouse(t)
	for _, way := range h.reach("hw/emulator") {
		to := way[len(way)-1]
		for _, b := range bans {
			if b.from == "hw/emulator" && below(to, b.to) {
				t.Errorf("%s: %s", strings.Join(way, " imports "), b.why)
			}
		}
	}
}

func TestOnlyFixturesAndSuitesFailSpecs(t *testing.T) {
	for _, f := range readHouse(t).files {
		if f.test || !slices.Contains(errorRooms, room(f.dir)) {
			continue
		}
		for _, to := range f.imports {
			for _, lib := range specLibraries {
				if below(to, lib) {
					t.Errorf("%s imports %s: %s returns errors, it does not fail specs", f.path, to, room(f.dir))
				}
			}
		}
	}
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	h := readHouse(t)
	said := map[string]string{}
	for _, f := range h.files {
		if _, seen := said[f.dir]; !seen && !f.test {
			said[f.dir] = ""
		}
		if base := path.Base(f.path); base == "doc.go" || f.dir == "" && base == "main.go" {
			said[f.dir] = f.doc
		}
	}
	for dir, doc := range said {
		start := "Package " + path.Base(dir) + " "
		if dir == "" {
			start = "Command hilrig "
		}
		if !strings.HasPrefix(doc, start) {
			t.Errorf("%s: no doc.go with a package comment that begins %q", name(dir), start)
		}
	}
}

func TestNamesSaySomething(t *testing.T) {
	for _, f := range readHouse(t).files {
		stem := strings.TrimSuffix(path.Base(f.path), ".go")
		for _, word := range append(strings.Split(f.dir, "/"), strings.Split(stem, "_")...) {
			if slices.Contains(emptyNames, word) {
				t.Errorf("%s: %q says nothing about what is inside", f.path, word)
			}
		}
	}
}

func TestNothingOfOneMachineInTheTree(t *testing.T) {
	walk(t, func(p string, data []byte) {
		if bytes.IndexByte(data[:min(len(data), 8000)], 0) >= 0 {
			return // not text
		}
		for i, line := range bytes.Split(data, []byte("\n")) {
			if found := localNames.Find(line); found != nil {
				t.Errorf("%s:%d: %q belongs to one machine or network", p, i+1, found)
			}
		}
	})
}

// The rules themselves, tried on imports that the tree does not (yet) hold.
func TestForbidden(t *testing.T) {
	const source, test = false, true
	for _, c := range []struct {
		from string
		test bool
		to   string
		want bool // forbidden
	}{
		{"", source, "cli", false},
		{"cli", source, "reports/junit", false},
		{"cli", source, "", true},
		{"cli", source, "cli/terminal", false},
		{"cli/view", source, "cli/terminal", false},
		{"cli/terminal", source, "runner", true},
		{"cli/terminal", source, "cli/view", true},
		{"cli/verb", source, "cli/terminal", false},
		{"cli/verb", source, "cli/named", true},
		{"cli/signing", source, "cli/named", false},
		{"cli/past", source, "reports/history", false},
		{"cli/past", source, "cli", true},
		{"cli", source, "cli/gate", false},
		{"cli/gate", source, "cli/named", false},
		{"cli/gate", source, "cli/history", true},
		{"cli/gate", test, "cli/history", true},
		{"cli/view", source, "cli/gate", true},
		{"cli/hub", source, "cli/azure", true},
		{"cli/hub", source, "azure/localhub", false},
		{"cli/gate", source, "cli", true},
		{"runner", source, "suites", false},
		{"runner", source, "cli", true},
		{"cli", source, "doctor", false},
		{"doctor", source, "hw/port", false},
		{"doctor", source, "runner", true},
		{"doctor", source, "onboard", true},
		{"onboard", source, "doctor", true},
		{"onboard", source, "azure/localhub", false},
		{"onboard/probe", source, "hw/console", false},
		{"doctor", source, "cli", true},
		{"runner", source, "reports/junit", true},
		{"runner", test, "reports/junit", true},
		{"suites/session", source, "fixtures", false},
		{"suites", source, "suites/session", false},
		{"selftest", source, "suites", true},
		{"suites", test, "selftest", false},
		{"fixtures/rigfile", source, "record", false},
		{"fixtures", source, "suites", true},
		{"fixtures", test, "suites", true},
		{"fixtures", source, "reports/junit", true},
		{"azure/localhub", source, "azure", false},
		{"azure/localhub", source, "certs", true},
		{"azure/localhub", test, "certs", false},
		{"azure", source, "hw/console", true},
		{"certs", source, "record", false},
		{"certs", source, "fixtures/rigfile", true},
		{"hw/console", source, "hw/port", false},
		{"hw/console", source, "hw/emulator", true},
		{"hw/emulator", source, "record", false},
		{"hw/emulator", source, "hw/console", true},
		{"hw/emulator", source, "hw/port", true},
		{"hw/emulator", source, "azure/localhub", true},
		{"hw/emulator", test, "azure/localhub", false},
		{"record", source, "certs", true},
		{"record", test, "certs", true},
		{"reports/html", source, "record", false},
		{"reports/html", source, "hw", true},
		{"reports/html", source, "reports/junit", true},
		{"reports/html", test, "reports/junit", false},
	} {
		why := forbidden(goFile{dir: c.from, test: c.test}, c.to)
		if (why != "") != c.want {
			t.Errorf("%s (test file: %v) imports %s: forbidden %q, want forbidden %v", name(c.from), c.test, name(c.to), why, c.want)
		}
	}
}

func TestLocalNames(t *testing.T) {
	for line, want := range map[string]bool{
		"cd /wo" + "rk/main":                       true,
		`"/ro` + `ot/go"`:                          true,
		"/home/runner/wo" + "rk/x":                 false,
		"./wo" + "rk/x":                            false,
		"https://example.org/ro" + "ot/ca.pem":     false,
		"GOPROXY=https://proxy.gol" + "ang.org":    true,
		"the IoT hub's device registry over HTTPS": false,
		"docker compose up":                        false,
	} {
		if got := localNames.MatchString(line); got != want {
			t.Errorf("%q: belongs to one machine: %v, want %v", line, got, want)
		}
	}
}

// forbidden says why a file may not import a folder of ours; empty: it may.
func forbidden(f goFile, to string) string {
	if f.dir == to {
		return "" // an external test imports what it tests
	}
	for _, b := range bans {
		allowed := b.except != "" && below(to, b.except)
		if below(f.dir, b.from) && below(to, b.to) && !allowed && (b.alsoTests || !f.test) {
			return b.why
		}
	}
	from, down := room(f.dir), room(to)
	if f.dir != "cli" && slices.Contains(verbRooms, to) {
		return "cli alone puts verbs together"
	}
	if to == "cli" && from == "cli" {
		return "cli stands above its rooms"
	}
	switch {
	case from == down || floors[down] < floors[from]:
		return ""
	case floors[down] == floors[from] && f.test:
		return ""
	case floors[down] == floors[from]:
		return from + " and " + down + " do not know each other"
	}
	return "imports run downwards"
}

// goFile is one Go file as these rules see it.
type goFile struct {
	path, dir string // from the module's root, with slashes; the root is ""
	test      bool
	doc       string   // comment above the package clause
	imports   []string // import paths
}

// ours is the folders of this module that the file imports.
func (f goFile) ours(module string) []string {
	var dirs []string
	for _, p := range f.imports {
		if below(p, module) {
			dirs = append(dirs, strings.TrimPrefix(strings.TrimPrefix(p, module), "/"))
		}
	}
	return dirs
}

// house is every Go file of the module, for every system it is built for.
type house struct {
	module string
	files  []goFile
}

// readHouse parses imports only: it needs no package to build, and sees the
// files of other systems, which go list would leave out.
func readHouse(t *testing.T) house {
	t.Helper()
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(mod), "\n")
	h := house{module: strings.TrimSpace(strings.TrimPrefix(first, "module "))}
	walk(t, func(p string, data []byte) {
		if path.Ext(p) != ".go" || slices.Contains(strings.Split(p, "/"), "testdata") {
			return
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), p, data, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			t.Error(err)
			return
		}
		f := goFile{path: p, dir: strings.TrimPrefix(path.Dir("/"+p), "/"), test: strings.HasSuffix(p, "_test.go"), doc: parsed.Doc.Text()}
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatalf("%s: import %s: %v", p, spec.Path.Value, err)
			}
			f.imports = append(f.imports, imported)
		}
		h.files = append(h.files, f)
	})
	if len(h.files) == 0 {
		t.Fatal("no Go file found")
	}
	return h
}

// reach is a shortest way from a folder, or one below it, to each folder that
// its code ends up with, test files left out.
func (h house) reach(from string) [][]string {
	next := map[string][]string{}
	var queue [][]string
	seen := map[string]bool{}
	for _, f := range h.files {
		if f.test {
			continue
		}
		next[f.dir] = append(next[f.dir], f.ours(h.module)...)
		if below(f.dir, from) && !seen[f.dir] {
			seen[f.dir] = true
			queue = append(queue, []string{f.dir})
		}
	}
	var ways [][]string
	for len(queue) > 0 {
		way := queue[0]
		queue = queue[1:]
		for _, to := range next[way[len(way)-1]] {
			if !seen[to] {
				seen[to] = true
				longer := append(slices.Clone(way), to)
				ways, queue = append(ways, longer), append(queue, longer)
			}
		}
	}
	return ways
}

// made is what is not source: git's own, builds, and what runs leave.
var made = []string{".git", "dist", "hilrig", "reports/out"}

// walk shows every file of the tree that is source.
func walk(t *testing.T, see func(path string, data []byte)) {
	t.Helper()
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		slashed := filepath.ToSlash(p)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // gone while we walked
		case err != nil:
			return err
		case slices.Contains(made, slashed) && d.IsDir():
			return fs.SkipDir
		case slices.Contains(made, slashed) || !d.Type().IsRegular():
			return nil
		}
		data, err := os.ReadFile(p)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			see(slashed, data)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// room is the top folder; the root has the empty name.
func room(dir string) string {
	top, _, _ := strings.Cut(dir, "/")
	return top
}

// below: p is top or something inside it; everything is inside "".
func below(p, top string) bool {
	return top == "" || p == top || strings.HasPrefix(p, top+"/")
}

func name(dir string) string {
	if dir == "" {
		return "main"
	}
	return dir
}
