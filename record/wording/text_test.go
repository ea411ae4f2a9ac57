package wording_test

import (
	"testing"

	"hilrig/record/wording"
)

func TestClipKeepsCharactersWhole(t *testing.T) {
	if got := wording.Clip("größer als gedacht", 5); got != "größ…" {
		t.Errorf("%q", got)
	}
}

func TestAFilesNameIsOneWordOfAShell(t *testing.T) {
	for name, want := range map[string]string{
		"rig.yaml":       "rig.yaml",
		"it's a type":    `'it'\''s a type'`,
		"-rf":            "'./-rf'",
		"":               "''",
		"a;b $(c) `d`\n": "'a;b $(c) `d`\n'",
	} {
		if got := wording.ShellWord(name); got != want {
			t.Errorf("%q becomes %s, want %s", name, got, want)
		}
	}
}
