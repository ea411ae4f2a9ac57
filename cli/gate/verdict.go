package gate

import (
	"encoding/json"
	"fmt"
	"strings"

	"hilrig/cli/terminal"
	"hilrig/record"
	"hilrig/reports/gate"
	"hilrig/reports/interchange"
)

// annotate are the remarks on a verdict: every rule that is not PASS, what is
// red first, then the warnings.
func annotate(v *gate.Verdict) (all []interchange.Annotation) {
	for _, word := range []gate.Word{gate.Fail, gate.Inconclusive} {
		for _, r := range v.Rules {
			if r.Verdict == word {
				all = append(all, interchange.Annotation{Error: true, Title: fmt.Sprintf("%s: %s", word, r.Name), Text: terminal.OneLine(r.Text)})
			}
		}
	}
	for _, w := range v.Warnings {
		all = append(all, interchange.Annotation{Title: "gate", Text: terminal.OneLine(w)})
	}
	return all
}

// write writes what CI reads.
func (f *flags) write(v *gate.Verdict) error {
	for _, w := range []struct {
		file   string
		render func() ([]byte, error)
	}{
		{f.verdict, func() ([]byte, error) { return json.MarshalIndent(v, "", " ") }},
		{f.junit, v.JUnit},
		{f.markdown, func() ([]byte, error) { return v.Markdown(), nil }},
	} {
		if w.file == "" {
			continue
		}
		text, err := w.render()
		if err != nil {
			return fmt.Errorf("render %s: %w", w.file, err)
		}
		if err := record.WriteFile(w.file, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// show shows a verdict at a terminal: the rules, what is wrong below
// each, and the answer last.
func (a verbs) show(v *gate.Verdict) {
	ink, width := terminal.PaletteOf(a.Out), terminal.Width(a.Out)
	styles := map[gate.Word]terminal.Style{gate.Pass: terminal.Green, gate.Fail: terminal.Red, gate.Inconclusive: terminal.Cyan}
	const most = 10 // lines below a rule; --json has all
	for _, r := range v.Rules {
		word := ink.Paint(styles[r.Verdict], fmt.Sprintf("%-12s", r.Verdict))
		if len(r.Details) == 0 {
			fmt.Fprintf(a.Out, "%s  %s: %s\n", word, r.Name, terminal.OneLine(r.Text))
			continue
		}
		fmt.Fprintf(a.Out, "%s  %s\n", word, r.Name)
		for i, d := range r.Details {
			if i == most {
				fmt.Fprintf(a.Out, "    and %d more\n", len(r.Details)-most)
				break
			}
			fmt.Fprint(a.Out, terminal.Wrap(terminal.OneLine(d), "    ", width))
		}
	}
	for _, w := range v.Warnings {
		fmt.Fprint(a.Out, terminal.Wrap(ink.Paint(terminal.Yellow, "warning")+"  "+terminal.OneLine(w), "", width))
	}
	for _, w := range v.Waived {
		fmt.Fprint(a.Out, terminal.Wrap(terminal.OneLine(fmt.Sprintf("waived  %s by %s until %s: %s (%s)", w.Spec, w.Owner, w.Expires, w.Reason, w.Issue)), "", width))
	}
	fmt.Fprintf(a.Out, "\n%s\n", strings.TrimSuffix(terminal.Wrap(v.Sentence(), "", width), "\n"))
}
