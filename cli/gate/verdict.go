package gate

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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

// write writes what CI reads, and the statement with its copies beside the runs
// that it names: all of it, or none where one cannot be written. A verdict
// without its statement would be taken for one that nobody asked to have signed.
func (f *flags) write(v *gate.Verdict, runs []gate.Run, statement []byte) error {
	var made []string
	put := func(file string, text []byte) error {
		if err := record.WriteFile(file, text, 0o644); err != nil {
			return err
		}
		made = append(made, file)
		return nil
	}
	err := f.render(v, put)
	if statement != nil {
		for _, file := range besideRuns(v, runs, statement) {
			if err == nil {
				if err = os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					err = record.NewFailure(record.RigHost, "make", filepath.Dir(file), err)
				}
			}
			if err == nil {
				err = put(file, statement)
			}
		}
		if err == nil {
			err = put(f.statement, statement)
		}
	}
	if err == nil {
		return nil
	}
	return errors.Join(err, takeBack(made))
}

// takeBack removes files that were made; what is none to be removed, a terminal
// for one, has it already.
func takeBack(files []string) error {
	var errs []error
	for _, file := range files {
		if st, err := os.Lstat(file); err != nil || !st.Mode().IsRegular() {
			continue
		}
		if err := os.Remove(file); err != nil {
			errs = append(errs, record.NewFailure(record.RigHost, "take back", file, err))
		}
	}
	return errors.Join(errs...)
}

// render makes what CI reads.
func (f *flags) render(v *gate.Verdict, put func(file string, text []byte) error) error {
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
		if err := put(w.file, text); err != nil {
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
