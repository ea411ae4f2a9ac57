package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// PrunedFile is the name of the note that pruning leaves in a run folder.
const PrunedFile = "pruned.json"

// Pruned is what pruning took out of a run folder: the SHA-256 of each file as
// it was then, by its path with slashes.
type Pruned struct {
	Schema int               `json:"schema"`
	Files  map[string]string `json:"files"`
}

// LoadPruned reads the note of a run folder; without one nothing was pruned.
func LoadPruned(dir string) (*Pruned, error) {
	p := &Pruned{Schema: 1, Files: map[string]string{}}
	name := filepath.Join(dir, PrunedFile)
	switch st, err := os.Lstat(name); {
	case errors.Is(err, fs.ErrNotExist):
		return p, nil
	case err != nil:
		return nil, NewFailure(RigHost, "read", "", err)
	case !st.Mode().IsRegular():
		return nil, NewFailure(Usage, "read", name, errors.New("it is no file"))
	}
	text, err := readBounded(name)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, p); err != nil {
		return nil, NewFailure(Usage, "read", name, err)
	}
	return p, nil
}

// Save puts the note into a run folder.
func (p *Pruned) Save(dir string) error {
	text, err := json.MarshalIndent(p, "", " ")
	if err != nil {
		return fmt.Errorf("encode what is pruned: %w", err)
	}
	return WriteFile(filepath.Join(dir, PrunedFile), append(text, '\n'), 0o644)
}
