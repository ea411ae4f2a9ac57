package record

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/moby/sys/atomicwriter"
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

// Load reads a run.json. A schema newer than this binary's is refused.
func Load(path string) (*Record, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, NewFailure(Usage, "read record", "", err)
	}
	var r Record
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, NewFailure(Usage, "read record", path, err)
	}
	if r.Schema < 1 || r.Schema > Schema {
		return nil, NewFailure(Usage, "read record", path, fmt.Errorf("schema %d; this hilrig knows up to %d", r.Schema, Schema))
	}
	return &r, nil
}
