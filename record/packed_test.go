package record_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"hilrig/record"
)

// A record that is kept compressed is the record.
func TestPackedRecord(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.json")
	if _, err := record.Read(path); !errors.Is(err, fs.ErrNotExist) || record.There(path) {
		t.Errorf("of none: %v", err)
	}
	r := &record.Record{Schema: record.Schema, Run: record.Run{ID: "x"}}
	if err := r.Save(path); err != nil {
		t.Fatal(err)
	}
	before, err := record.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // also one that is packed already
		if err := record.Pack(path); err != nil {
			t.Fatal(err)
		}
	}
	after, err := record.Read(path)
	if err != nil || !bytes.Equal(before, after) || !record.There(path) {
		t.Errorf("%v: %q, before %q", err, after, before)
	}
	if got, err := record.Load(path); err != nil || got.Run.ID != "x" {
		t.Errorf("%v %v", got, err)
	}
	if err := os.Truncate(path+record.Packed, 20); err != nil {
		t.Fatal(err)
	}
	if _, err := record.Load(path); err == nil {
		t.Error("half of one is read")
	}
}

// What a few bytes blow up to is bounded.
func TestPackedRecordIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.json")
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	for range record.MaxRecord>>20 + 1 {
		if _, err := w.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), os.WriteFile(path+record.Packed, b.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := record.Read(path); err == nil {
		t.Error("it is read")
	}
}
