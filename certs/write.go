package certs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"hilrig/record"
)

// Write puts device.crt, device.pem (the same certificate, as the guide names
// it) and device.key (mode 0600) into dir, which is made 0700 if it is not
// there. It never overwrites: a file in the way is a usage failure, and then
// none is written. Each file appears complete or not at all.
func (id *Identity) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return record.NewFailure(record.RigHost, "make", dir, err)
	}
	files := []struct {
		name string
		data []byte
		mode fs.FileMode
	}{{"device.crt", id.CertificatePEM, 0o644}, {"device.pem", id.CertificatePEM, 0o644}, {"device.key", id.KeyPEM, 0o600}}
	var written []string
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		if err := writeNew(path, f.data, f.mode); err != nil {
			for _, w := range written {
				err = errors.Join(err, os.Remove(w))
			}
			return err
		}
		written = append(written, path)
	}
	return nil
}

// writeNew writes a file whole under a name of its own and then gives it its
// real one, unless that is taken: a link, unlike a rename, never replaces.
func writeNew(path string, data []byte, mode fs.FileMode) error {
	staged := filepath.Join(filepath.Dir(path), fmt.Sprintf(".%s.%d", filepath.Base(path), os.Getpid()))
	if err := record.WriteFile(staged, data, mode); err != nil {
		return err
	}
	defer func() { _ = os.Remove(staged) }() // gone already where it was renamed
	err := os.Link(staged, path)
	if err != nil && !errors.Is(err, fs.ErrExist) { // a file system without links, FAT on a stick
		if _, err = os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			err = os.Rename(staged, path)
		} else if err == nil {
			err = fs.ErrExist
		}
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return record.NewFailure(record.Usage, "write", path, fs.ErrExist).WithCure("name another folder, or move the old identity away")
	case err != nil:
		return record.NewFailure(record.RigHost, "write", path, err)
	}
	return nil
}
