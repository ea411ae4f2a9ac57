package gate

import (
	"fmt"
	"slices"
	"time"

	"hilrig/record"
	"hilrig/record/wording"
)

// Word is a gate's answer, for a rule and for all of them.
type Word string

// The answers.
const (
	Pass         Word = "PASS"
	Fail         Word = "FAIL"         // an accepted result fails
	Inconclusive Word = "INCONCLUSIVE" // something lacks, is not accepted or is damaged
)

// Verdict is what the gate says, verdict.json.
type Verdict struct {
	Schema   int       `json:"schema"`
	Verdict  Word      `json:"verdict"`
	Policy   PolicyRef `json:"policy"`
	Firmware Judged    `json:"firmware"`
	Hilrig   string    `json:"hilrig"` // version of the binary that judged
	At       time.Time `json:"at"`
	Rules    []Rule    `json:"rules"`
	Runs     []RunRef  `json:"runs"`
	Boards   []Counted `json:"boards"`
	Waived   []Waiver  `json:"waived"`
	Warnings []string  `json:"warnings"`
}

// PolicyRef is the policy that was applied.
type PolicyRef struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

// Judged is the firmware that was judged, and how it is known to be on the
// boards: by the weakest way of an accepted result.
type Judged struct {
	Wanted
	Known record.Origin `json:"known,omitempty"`
}

// Rule is what became of one rule of the policy.
type Rule struct {
	Name    string   `json:"rule"`
	Verdict Word     `json:"verdict"`
	Text    string   `json:"text"`
	Details []string `json:"details,omitempty"` // one for each thing that is wrong
}

// RunRef is a run that was looked at.
type RunRef struct {
	ID       string `json:"id"`
	Given    bool   `json:"given"`
	Accepted bool   `json:"accepted"` // at least one device's results count
	SHA256   string `json:"record_sha256,omitempty"`
	Why      string `json:"why,omitempty"` // why nothing of it counts
}

// Counted is a board whose results count.
type Counted struct {
	Serial   string        `json:"serial"`
	Type     string        `json:"type"`
	Revision string        `json:"revision,omitempty"`
	Emulated bool          `json:"emulated"`
	Known    record.Origin `json:"firmware_known"`
}

// rule appends what became of a rule: FAIL with failures, INCONCLUSIVE with
// what lacks, else PASS.
func (v *Verdict) rule(name, text string, failures, lacks []string) {
	r := Rule{Name: name, Verdict: Pass, Text: text}
	switch {
	case len(failures) > 0:
		r.Verdict = Fail
	case len(lacks) > 0:
		r.Verdict = Inconclusive
	}
	r.Details = slices.Concat(failures, lacks)
	if n := len(r.Details); n > 0 {
		r.Text = r.Details[0]
		if n > 1 {
			r.Text += fmt.Sprintf(" (and %d more)", n-1)
		}
	}
	v.Rules = append(v.Rules, r)
}

func (v *Verdict) warn(format string, values ...any) {
	v.Warnings = append(v.Warnings, fmt.Sprintf(format, values...))
}

// conclude is the answer over all rules.
func (v *Verdict) conclude() {
	v.Verdict = Pass
	for _, r := range v.Rules {
		if r.Verdict == Fail || r.Verdict == Inconclusive && v.Verdict == Pass {
			v.Verdict = r.Verdict
		}
	}
}

// Sentence is the verdict in one sentence.
func (v *Verdict) Sentence() string {
	n := map[Word]int{}
	for _, r := range v.Rules {
		n[r.Verdict]++
	}
	text := fmt.Sprintf("%s: %s by policy %s, ", v.Verdict, v.Firmware, v.Policy.Name)
	switch v.Verdict {
	case Pass:
		return text + "all " + wording.Plural(len(v.Rules), "rule") + " kept on " + wording.Plural(len(v.Boards), "board")
	case Fail:
		return text + wording.Plural(n[Fail], "rule") + " broken"
	}
	return text + wording.Plural(n[Inconclusive], "rule") + " without an answer"
}

// String is the firmware as a person names it.
func (w Wanted) String() string {
	switch {
	case w.Version == "" && w.SHA256 == "":
		return "a firmware that nobody names"
	case w.Version == "":
		return "firmware sha256 " + w.SHA256[:min(12, len(w.SHA256))]
	}
	return "firmware " + w.Version
}
