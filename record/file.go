package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/moby/sys/atomicwriter"
)

// The names in a run folder of the record, and of the event stream that it can be
// made of anew.
const (
	RecordFile = "run.json"
	EventsFile = "events.jsonl"
)

// WriteFile writes data to path so that a reader finds the old file, the new
// one, or none, whatever happens meanwhile. Errors are of class rig:host: a
// full disk or a folder that cannot be written is the host's.
func WriteFile(path string, data []byte, mode os.FileMode) error {
	if err := atomicwriter.WriteFile(path, data, mode); err != nil {
		return NewFailure(RigHost, "write", path, err).WithCure("is the disk full, or the folder not yours?")
	}
	return nil
}

// Save writes r to path as run.json. Run it through Conclude first.
func (r *Record) Save(path string) error {
	b, err := r.Encode()
	if err != nil {
		return err
	}
	return WriteFile(path, b, 0o644)
}

// Encode is r as it stands in run.json.
func (r *Record) Encode() ([]byte, error) {
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return nil, fmt.Errorf("encode record %s: %w", r.Run.ID, err)
	}
	return append(b, '\n'), nil
}

// MaxRecord is the most bytes of a run.json that is read: some fifty times what
// a hundred devices leave of all specs.
const MaxRecord = 128 << 20

// Load reads a run.json, also one that is kept compressed. A file beyond
// [MaxRecord] is refused.
func Load(path string) (*Record, error) {
	b, err := Read(path)
	if err != nil {
		return nil, err
	}
	return Decode(path, b)
}

// Decode is the record that b, read from path, holds. A schema newer than this
// binary's is refused. What has no end, because its run was killed, is
// concluded anew: an older hilrig may have written a verdict into it.
func Decode(path string, b []byte) (*Record, error) {
	var r Record
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, NewFailure(Usage, "read record", path, damage(b, err)).
			WithCure("hilrig report --rebuild " + filepath.Dir(path) + " makes it anew from the events beside it")
	}
	if r.Schema < 1 || r.Schema > Schema {
		return nil, NewFailure(Usage, "read record", path, fmt.Errorf("schema %d; this hilrig knows up to %d", r.Schema, Schema))
	}
	if r.Unended() != "" {
		r.Conclude()
	}
	r.nameHubs()
	return &r, nil
}

// nameHubs says of each device at which hub it was tested, where an older
// hilrig's record has its address alone: a run had one hub.
func (r *Record) nameHubs() {
	for i := range r.Devices {
		if d := &r.Devices[i]; d.Hub.Kind == "" {
			d.Hub = Hub{Name: r.Run.Hub, Kind: r.Run.Hub, Address: d.HubAddress}
		}
		r.Devices[i].HubAddress = ""
	}
}

// readBounded reads a file that is no longer than a record may be, also where
// it grows while it is read.
func readBounded(path string) ([]byte, error) {
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() { // a pipe would keep whoever opens it
		return nil, NewFailure(Usage, "read record", path, ErrNoFile)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, NewFailure(Usage, "read record", "", err)
	}
	defer func() { _ = f.Close() }() // only read
	st, err := f.Stat()
	if err != nil {
		return nil, NewFailure(Usage, "read record", "", err)
	}
	var b bytes.Buffer
	if st.Size() <= MaxRecord {
		b.Grow(int(st.Size()) + bytes.MinRead)
		if _, err := b.ReadFrom(io.LimitReader(f, MaxRecord+1)); err != nil {
			return nil, NewFailure(Usage, "read record", "", err)
		}
	}
	if st.Size() > MaxRecord || b.Len() > MaxRecord {
		return nil, NewFailure(Usage, "read record", path, fmt.Errorf("%d bytes; a record has at most %d", max(st.Size(), int64(b.Len())), MaxRecord)).
			WithCure("fewer devices or rounds in one run; devices/ and events.jsonl beside it have the evidence")
	}
	return b.Bytes(), nil
}
