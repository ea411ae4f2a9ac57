package seal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"hilrig/record"
	"hilrig/record/dsse"
)

// FileName is the name of the seal in a run folder.
const FileName = "seal.dsse"

// payloadType is what a seal's envelope holds.
const payloadType = "application/vnd.hilrig.seal+json"

// most bounds a seal that is read: some hundred bytes for each file.
const most = 16 << 20

// Seal is the list of a run's files that is signed.
type Seal struct {
	Schema int               `json:"schema"`
	Run    string            `json:"run"`
	Hilrig string            `json:"hilrig"` // version of the binary that sealed
	Sealed time.Time         `json:"sealed"`
	Files  map[string]string `json:"files"` // SHA-256 of each, by its path with slashes
}

// Put signs the list of a run's files and puts it into its folder.
func (s Seal) Put(dir string, sign dsse.Signer) error {
	s.Schema = 1
	payload, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode seal: %w", err)
	}
	text, err := dsse.Sign(payloadType, payload, sign)
	if err != nil {
		return err
	}
	return record.WriteFile(filepath.Join(dir, FileName), text, 0o644)
}

// Held is what a seal says of a run folder.
type Held struct {
	*Seal         // nil: there is none, or it cannot be read
	By     bool   // one of the keys has signed it
	Damage string // why it says nothing; empty: there is none, or it does
	Found         // of its files
}

// Broken is what is wrong with a seal, whoever made it; empty: nothing, or there
// is none.
func (h Held) Broken() string {
	if h.Damage == "" && len(h.Edited) > 0 {
		return "changed since it was sealed: " + strings.Join(h.Edited, ", ")
	}
	return h.Damage
}

// Lack is why a folder is not proved to be what one of the keys has sealed;
// empty: it is.
func (h Held) Lack() string {
	switch {
	case h.Broken() != "":
		return h.Broken()
	case h.Seal == nil:
		return "it is not sealed"
	case !h.By:
		return "its seal is of another key"
	}
	return ""
}

// Check holds the folder against its seal and its seal against keys; it asks
// nobody. Its error is the context's or the host's: a seal that is damaged is
// told.
func (f *Folder) Check(ctx context.Context, run string, keys ...dsse.Key) (h Held, err error) {
	s, by, err := read(f.dir, keys)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return h, nil
	case err != nil:
		h.Damage = "its seal cannot be read: " + err.Error()
		return h, nil
	}
	h.Seal, h.By = s, by
	switch {
	case s.Run != run:
		h.Damage = "its seal is of run " + s.Run
	case s.Files[record.RecordFile] == "":
		h.Damage = "its seal does not name its record"
	default:
		h.Found, err = f.Hold(ctx, s.Files)
	}
	return h, err
}

func read(dir string, keys []dsse.Key) (*Seal, bool, error) {
	name := filepath.Join(dir, FileName)
	st, err := os.Lstat(name)
	if err != nil {
		return nil, false, err
	}
	if !st.Mode().IsRegular() || st.Size() > most {
		return nil, false, record.ErrNoFile
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = f.Close() }() // only read
	text, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return nil, false, err
	}
	e, err := dsse.Read(payloadType, text)
	if err != nil {
		return nil, false, err
	}
	var s Seal
	if err := json.Unmarshal(e.Payload, &s); err != nil {
		return nil, false, fmt.Errorf("its payload is no seal: %w", err)
	}
	if s.Schema != 1 {
		return nil, false, fmt.Errorf("schema %d; this hilrig knows 1", s.Schema)
	}
	return &s, e.SignedBy(keys...), nil
}
