package emulator

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/moby/sys/atomicwriter"

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

// storage is the device's flash: the set in use, and files of a new set that
// is not whole yet.
type storage struct {
	path   string // empty: nothing survives
	behave *behaviour

	Used   files `json:"used"`
	Staged files `json:"staged"`
	Seq    int64 `json:"seq"` // not restored: a counter starts over at boot
}

func openStorage(path string, b *behaviour) (*storage, error) {
	s := &storage{path: path, behave: b, Used: files{}, Staged: files{}}
	if path == "" || b.forgets {
		return s, nil
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		err = json.Unmarshal(data, s)
	}
	if err != nil && !b.halfWrites {
		return nil, record.NewFailure(record.RigHost, "read state", path, err)
	}
	if s.Used == nil {
		s.Used = files{}
	}
	if s.Staged == nil {
		s.Staged = files{}
	}
	return s, nil
}

// save writes everything, old or new, never half.
func (s *storage) save() error {
	if s.path == "" {
		return nil
	}
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if s.behave.halfWrites {
		return os.WriteFile(s.path, data[:len(data)/2], 0o600)
	}
	return atomicwriter.WriteFile(s.path, data, 0o600)
}

// stage keeps a checked file until its set is whole.
func (s *storage) stage(slot int, data string) error {
	if s.behave.firstOnly && s.Used.complete() {
		return nil
	}
	s.Staged[slot] = data
	if s.behave.forgets {
		return nil
	}
	return s.save()
}

// effective is the set that would be used if the staged files took effect.
func (s *storage) effective() files {
	e := files{}
	for slot, d := range s.Used {
		e[slot] = d
	}
	for slot, d := range s.Staged {
		e[slot] = d
	}
	return e
}

// commit uses the effective set if it is whole and its key fits, and reports
// whether it does.
func (s *storage) commit() (bool, error) {
	e := s.effective()
	if !e.complete() || len(s.Staged) == 0 {
		return false, nil
	}
	if !s.behave.acceptPair && !s.behave.acceptGarbage && !s.behave.acceptCut && !s.behave.acceptKind && !fits(e) {
		return false, nil
	}
	s.Used, s.Staged = e, files{}
	return true, s.save()
}

// fits reports whether the key belongs to the certificate.
func fits(f files) bool {
	_, err := tls.X509KeyPair([]byte(f[slotCertificate]), []byte(f[slotKey]))
	return err == nil
}

// drop forgets a staged file that turned out not to fit.
func (s *storage) drop(slot int) error {
	delete(s.Staged, slot)
	return s.save()
}

func (s *storage) wipe() error {
	s.Used, s.Staged = files{}, files{}
	return s.save()
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
	return fmt.Sprintf("slot %d", slot)
}
