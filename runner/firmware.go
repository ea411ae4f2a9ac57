package runner

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"hilrig/fixtures/rigfile"
	"hilrig/record"
)

// lfsPointer is how a file of Git LFS begins where its content was not fetched
// (git-lfs, docs/spec.md).
var lfsPointer = []byte("version https://git-lfs.github.com/spec/")

// DescribeFirmware hashes the firmware file, streamed: an image may be bigger
// than what a child may use of memory. What is no image is refused, so that no
// verdict is given on a hash of it: an empty file, a pointer of Git LFS or
// git-annex, a folder, and a pipe, which is not waited for.
func DescribeFirmware(f record.Firmware) (record.Firmware, error) {
	if f.File == "" {
		return f, nil
	}
	refuse := func(cure string, err error) error {
		return record.NewFailure(record.Usage, "read firmware file", f.File, err).WithCure(cure)
	}
	st, err := os.Stat(f.File) // before opening: opening a pipe waits for its writer
	switch {
	case err != nil:
		if target, linkErr := os.Readlink(f.File); linkErr == nil {
			return f, refuse("fetch the file itself (git annex get)", fmt.Errorf("it is a link to %s, which is not there", target))
		}
		var known *os.PathError
		if errors.As(err, &known) {
			known.Op = "open" // what was asked for
		}
		return f, record.NewFailure(record.Usage, "read firmware file", "", err)
	case st.IsDir():
		return f, refuse("name the image in it", errors.New("it is a folder"))
	case !st.Mode().IsRegular():
		return f, refuse("write what comes out of it into a file first", errors.New("it is no regular file"))
	case st.Size() == 0:
		return f, refuse("build or copy it once more", errors.New("it is empty"))
	}
	file, err := os.Open(f.File)
	if err != nil {
		return f, record.NewFailure(record.Usage, "read firmware file", "", err)
	}
	defer func() { _ = file.Close() }() // only read
	begin := make([]byte, len(lfsPointer))
	n, err := io.ReadFull(file, begin)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return f, record.NewFailure(record.Usage, "read firmware file", "", err)
	}
	begin = begin[:n]
	switch {
	case bytes.Equal(begin, lfsPointer):
		return f, refuse("git lfs pull fetches the image", errors.New("it is a pointer of Git LFS, not the image"))
	case bytes.HasPrefix(bytes.ToLower(begin), []byte("<!doctype html")), bytes.HasPrefix(bytes.ToLower(begin), []byte("<html")):
		return f, refuse("download the image itself (curl -fL)", errors.New("it is a web page, not the image"))
	case bytes.HasPrefix(begin, []byte("/annex/objects/")):
		return f, refuse("git annex get fetches the image", errors.New("it is a pointer of git-annex, not the image"))
	}
	sum := sha256.New()
	sum.Write(begin)
	if _, err := io.Copy(sum, file); err != nil {
		return f, record.NewFailure(record.Usage, "read firmware file", "", err)
	}
	f.File, f.SHA256 = filepath.Base(f.File), hex.EncodeToString(sum.Sum(nil))
	return f, nil
}

// flashable is the image's absolute path, if every device can be flashed and
// says afterwards what it runs, or need not.
func flashable(file string, devices []rigfile.Device) (string, error) {
	for _, d := range devices {
		f, asks := d.Type.Flash, d.Type.Commands.FirmwareVersion.Send != ""
		switch {
		case len(f.Command) == 0 && d.Serial.Emulated == nil:
			return "", record.NewFailure(record.Usage, "flash", d.Name, fmt.Errorf("its type %s has no flash.command", d.TypeName)).
				WithCure("flash: {command: [...]} of the type in the rig file, or --device with others")
		case f.Verify != rigfile.VerifyNone && !asks:
			return "", record.NewFailure(record.Usage, "flash", d.Name, fmt.Errorf("its type %s has no commands.firmware_version to ask afterwards whether it runs", d.TypeName)).
				WithCure("firmware_version: {send, match}, or flash: {verify: none}: the image is then only claimed to be there")
		}
	}
	path, err := filepath.Abs(file)
	if err != nil {
		return "", record.NewFailure(record.RigHost, "find image", file, err)
	}
	return path, nil
}
