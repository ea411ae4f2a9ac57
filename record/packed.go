package record

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Packed ends the name of a record that is kept compressed.
const Packed = ".gz"

// Statements is the folder of a run in which each statement that names it lies:
// what a statement stands on is never pruned.
const Statements = "statements"

// There reports whether a record is at path, compressed or not.
func There(path string) bool {
	for _, name := range []string{path, path + Packed} {
		if st, err := os.Stat(name); err == nil && st.Mode().IsRegular() {
			return true
		}
	}
	return false
}

// Read is the text of a record, also of one that is kept compressed.
func Read(path string) ([]byte, error) {
	b, err := readBounded(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return b, err
	}
	packed, missing := readBounded(path + Packed)
	if errors.Is(missing, fs.ErrNotExist) {
		return nil, err
	}
	if missing != nil {
		return nil, missing
	}
	b, err = unpack(packed)
	if err != nil {
		return nil, NewFailure(Usage, "read record", path+Packed, err)
	}
	return b, nil
}

func unpack(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(r, MaxRecord+1))
	if err == nil && len(b) > MaxRecord {
		err = fmt.Errorf("a record has at most %d bytes", MaxRecord)
	}
	return b, err
}

// Pack keeps a record compressed from here on. One that is already is left.
func Pack(path string) error {
	text, err := readBounded(path)
	if errors.Is(err, fs.ErrNotExist) && There(path) {
		return nil
	}
	if err != nil {
		return err
	}
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(text)
		err = errors.Join(err, w.Close())
	}
	if err != nil {
		return fmt.Errorf("compress %s: %w", path, err)
	}
	if err := WriteFile(path+Packed, b.Bytes(), 0o644); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil {
		return NewFailure(RigHost, "remove", "", err)
	}
	return nil
}
