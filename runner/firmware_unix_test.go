//go:build unix

package runner

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"hilrig/record"
)

// A verdict on the hash of what is no image would be one on nothing.
func TestWhatIsNoImageIsRefused(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	pipe, link := filepath.Join(dir, "pipe"), filepath.Join(dir, "link.bin")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../.git/annex/objects/x", link); err != nil {
		t.Fatal(err)
	}
	for says, file := range map[string]string{
		"it is empty": put("empty.bin", ""),
		"a pointer of Git LFS, not the image (git lfs pull": put("lfs.bin", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"),
		"a pointer of git-annex":                            put("annex.bin", "/annex/objects/SHA256E-s1--ab.bin\n"),
		"a web page":                                        put("page.bin", "<!DOCTYPE html><html></html>"),
		"no regular file":                                   pipe,
		"it is a folder":                                    dir,
		"a link to ../.git/annex/objects/x":                 link,
		"no such file":                                      filepath.Join(dir, "nope.bin"),
	} {
		done := make(chan error, 1)
		go func() { _, err := DescribeFirmware(record.Firmware{File: file}); done <- err }()
		select {
		case err := <-done:
			if record.ClassOf(err) != record.Usage || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), filepath.Base(file)) {
				t.Errorf("%s: %v", says, err)
			}
		case <-time.After(10 * time.Second):
			t.Errorf("%s: it hangs", says)
		}
	}
	for _, sound := range []string{"a", "version 1.2", strings.Repeat("x", 5000)} {
		if f, err := DescribeFirmware(record.Firmware{File: put("fw.bin", sound)}); err != nil || f.SHA256 == "" {
			t.Errorf("%.10q: %v", sound, err)
		}
	}
}
