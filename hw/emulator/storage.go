package emulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"hilrig/record"
)

// The slots of command 9270 (guide section 4).
const (
	slotRoot        = 10
	slotCertificate = 20
	slotKey         = 30
)

// files are the three files by slot, as they came.
type files map[int]string

func (f files) complete() bool {
	return f[slotRoot] != "" && f[slotCertificate] != "" && f[slotKey] != ""
}

// storage is the device's flash: the set in use, and loaded files that wait for
// the rest of theirs. Power may go at any moment: what is on disk is one state
// or the next. One goroutine uses it.
type storage struct {
	path string // empty: nothing survives
	b    *behaviour
	flash
}

// flash is what is on disk.
type flash struct {
	Used   files `json:"used"`
	Staged files `json:"staged"`
	Boots  int   `json:"boots,omitempty"` // so far, where that decides which firmware runs
}

func openStorage(path string, b *behaviour) (*storage, error) {
	s := &storage{path: path, b: b}
	if path != "" && !b.forgets {
		data, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(data, &s.flash)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, record.NewFailure(record.Usage, "read state", path, err).WithCure("it is no file of an emulated device")
		}
	}
	if s.Used == nil {
		s.Used = files{}
	}
	if s.Staged == nil {
		s.Staged = files{}
	}
	return s, nil
}

// version is what the device says of itself in this boot, the number of which
// since its power came is boots, from 0.
func (s *storage) version(of []string, boots int) (string, error) {
	switch len(of) {
	case 0:
		return Version, nil
	case 1:
		return versionWord + of[0], nil
	}
	if s.path != "" {
		boots = s.Boots
	}
	s.Boots++
	return versionWord + of[min(boots, len(of)-1)], s.save()
}

// load takes a file. A *refusal says why not; what was stored then stays.
// Once all three have come, they are the set in use in the same write.
func (s *storage) load(slot int, data string) error {
	if r := check(slot, data); r != nil && !s.b.accepts[r.reason] && (slot != slotRoot || !s.b.anyRoot) {
		return r
	}
	s.Staged[slot] = s.kept(slot, data)
	if slot != slotRoot && s.Staged[slotCertificate] != "" && s.Staged[slotKey] != "" && s.wrongPair(s.Staged) {
		// Which of the two is wrong, nobody can know. With either kept, a
		// leftover of an interrupted load would be in the way for ever.
		delete(s.Staged, slotCertificate)
		delete(s.Staged, slotKey)
		if err := s.save(); err != nil {
			return err
		}
		return &refusal{noPair, "key does not fit certificate, send both again"}
	}
	if len(s.Staged) == 3 {
		s.use()
	}
	return s.save()
}

// kept is what a fault makes of a file on its way into storage.
func (s *storage) kept(slot int, data string) string {
	switch {
	case s.b.firstOnly && s.Used.complete(), s.b.firstRoot && slot == slotRoot && s.Used[slot] != "":
		return s.Used[slot]
	case s.b.keepsRoots && slot == slotRoot && !strings.Contains(s.Used[slot], data):
		return data + s.Used[slot]
	case s.b.keepBytes > 0 && len(data) > s.b.keepBytes:
		return data[:s.b.keepBytes]
	}
	return data
}

func (s *storage) wrongPair(f files) bool { return mismatched(f) && !s.b.accepts[noPair] }

// commit makes loaded files the set in use if with them the set is whole and
// its key fits, and reports whether.
func (s *storage) commit() (bool, error) {
	if len(s.Staged) == 0 || !s.next().complete() || s.wrongPair(s.next()) {
		return false, nil
	}
	s.use()
	return true, s.save()
}

// next is the set in use overlaid by what was loaded.
func (s *storage) next() files {
	n := maps.Clone(s.Used)
	maps.Copy(n, s.Staged)
	return n
}

func (s *storage) use() { s.Used, s.Staged = s.next(), files{} }

func (s *storage) wipe() error {
	s.Used, s.Staged = files{}, files{}
	return s.save()
}

// overwrite puts what has come of a file in the place of the one before: the
// fault of firmware without a second place. In memory it still has the old.
func (s *storage) overwrite(slot int, part string) error {
	f := flash{Used: maps.Clone(s.Used), Staged: s.Staged}
	f.Used[slot] = part
	return s.write(f)
}

func (s *storage) save() error { return s.write(s.flash) }

func (s *storage) write(f flash) error {
	if s.path == "" || s.b.forgets {
		return nil
	}
	data, err := json.Marshal(f)
	if err == nil {
		err = replaceFile(s.path, data)
	}
	if err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	return nil
}

// replaceFile puts data in path's place so that a cut of power at any moment
// leaves the old or the new.
func replaceFile(path string, data []byte) error {
	next := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new")
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(next, path)
	}
	if err != nil {
		_ = os.Remove(next)
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes a rename durable; file systems that cannot are as durable
// as they are.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	_ = d.Sync()
	return d.Close()
}

func slotName(slot int) string {
	switch slot {
	case slotRoot:
		return "root certificate"
	case slotCertificate:
		return "certificate"
	case slotKey:
		return "private key"
	}
	return "file"
}
