package suites_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"hilrig/azure/hub"
	"hilrig/fixtures"
	"hilrig/hw/emulator"
	"hilrig/suites"
)

var update = flag.Bool("update", false, "write docs/specs.md anew")

// docs/specs.md is made of the catalogue itself: every spec, why it is there,
// and the faults that turn it red.
func TestSpecsDocument(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("# The specs\n\n" +
		"What each spec checks of the device, why it matters in the field, where it comes from\n" +
		"(G the manufacturer's guide, A Azure's documentation, M MQTT 3.1.1, T TLS practice, DA AWS Device Advisor)\n" +
		"and the faults of the emulated firmware that turn it red, or to the warn it names:\n" +
		"try one with `hilrig run --fault NAME --spec ID`. Specs in **bold** are `core`.\n" +
		"*Needs* are letters, of those with a bar between them any one (`hilrig list --help` has what they mean).\n" +
		"The identity specs judge the rig before the device is touched; they are turned red by tests.\n")
	area := ""
	b.WriteString("\n## At which hub\n\n" +
		"Where a hub has not got what a spec needs, the spec is not applicable; `hilrig list --hub broker --tap` says which and why.\n\n" +
		"| hub | core | without soak | all |\n|---|---|---|---|\n")
	for _, kind := range hub.Kinds() {
		for _, tap := range []bool{false, true} {
			letters, _ := hub.OfKind(kind, tap)
			name, n := kind, suites.CountAt(suites.All(), letters)
			if tap {
				name += " behind a tap"
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", name, n.Core, n.Default, n.All)
		}
	}
	for _, s := range byArea(suites.All()) {
		if s.Area() != area {
			area = s.Area()
			fmt.Fprintf(&b, "\n## %s\n\n| spec | the device | why | source | needs | turned red by |\n|---|---|---|---|---|---|\n", area)
		}
		id := s.ID
		if s.Has("core") {
			id = "**" + id + "**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", id, s.Text, s.Why, s.Source, strings.ReplaceAll(s.Needs.String(), "|", `\|`), strings.Join(faultsOf(s.ID), ", "))
	}
	name := filepath.Join("..", "docs", "specs.md")
	if *update {
		if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, b.Bytes()) {
		t.Errorf("%s is not what the catalogue says; go test ./suites -run TestSpecsDocument -update writes it anew", name)
	}
}

// docs/coverage.md names specs that exist.
func TestCoverageDocument(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "docs", "coverage.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`([a-z]+/[a-z0-9*-]+)`").FindAllSubmatch(page, -1)
	if len(named) < 30 {
		t.Fatalf("%d specs are named", len(named))
	}
	for _, m := range named {
		if _, err := suites.Select(suites.All(), "", []string{string(m[1])}); err != nil {
			t.Error(err)
		}
	}
}

// The default selection stays under 40 loads: flash wears out.
func TestCosts(t *testing.T) {
	total := fixtures.Cost{}
	for _, s := range suites.All() {
		if !s.Has("soak") {
			total = total.Plus(s.Cost)
		}
	}
	if total.Loads >= 40 {
		t.Errorf("%d loads by default", total.Loads)
	}
}

// byArea keeps the order in which specs run, but for those of an area that run
// last.
func byArea(specs []fixtures.Spec) []fixtures.Spec {
	var areas []string
	for _, s := range specs {
		if !slices.Contains(areas, s.Area()) {
			areas = append(areas, s.Area())
		}
	}
	slices.SortStableFunc(specs, func(a, b fixtures.Spec) int {
		return slices.Index(areas, a.Area()) - slices.Index(areas, b.Area())
	})
	return specs
}

func faultsOf(id string) []string {
	var names []string
	for _, f := range emulator.Faults() {
		if slices.Contains(f.CaughtBy, id) {
			names = append(names, f.Name)
		}
	}
	return names
}

// A spec that no fault can turn red does not belong in the catalogue. The
// identity specs, and how a message was authenticated, judge the rig.
func TestEverySpecHasAFault(t *testing.T) {
	for _, s := range suites.All() {
		if s.Area() == "identity" || s.ID == "delivery/auth-method" {
			continue
		}
		if len(faultsOf(s.ID)) == 0 {
			t.Errorf("no fault turns %s red", s.ID)
		}
	}
}
