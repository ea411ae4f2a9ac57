package emulator

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func openForTest(t *testing.T, path string, names ...string) *storage {
	t.Helper()
	b, err := (Config{Faults: names}).firmware()
	if err != nil {
		t.Fatal(err)
	}
	s, err := openStorage(path, &b)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *storage) mustLoad(t *testing.T, slot int, data string) {
	t.Helper()
	if err := s.load(slot, data); err != nil {
		t.Fatalf("slot %d: %v", slot, err)
	}
}

func TestStorageTakesAWholeSetAtOnce(t *testing.T) {
	t.Parallel()
	one, other := newIdentity(t, "one", rsaKeys()[0]), newIdentity(t, "other", rsaKeys()[1])
	for _, order := range [][]int{{10, 20, 30}, {30, 20, 10}, {20, 30, 10}, {30, 10, 20}} {
		path := filepath.Join(t.TempDir(), "state.json")
		s := openForTest(t, path)
		for _, id := range []identity{one, other, other} {
			set := files{slotRoot: one.cert, slotCertificate: id.cert, slotKey: id.key}
			for i, slot := range order {
				before := s.Used[slotCertificate]
				s.mustLoad(t, slot, set[slot])
				if i < 2 && s.Used[slotCertificate] != before {
					t.Errorf("%v: in use before it was whole", order)
				}
				s = openForTest(t, path) // power off and on
			}
			if len(s.Staged) != 0 || s.Used[slotKey] != id.key {
				t.Errorf("%v: not in use after the third", order)
			}
		}
	}
}

func TestStorageCommitsWhatFits(t *testing.T) {
	t.Parallel()
	one, other := newIdentity(t, "one", rsaKeys()[0]), newIdentity(t, "other", rsaKeys()[1])
	s := openForTest(t, "")
	commit := func(want bool, when string) {
		t.Helper()
		if got, err := s.commit(); got != want || err != nil {
			t.Errorf("%s: committed %v, %v", when, got, err)
		}
	}
	s.mustLoad(t, slotCertificate, one.cert)
	s.mustLoad(t, slotKey, one.key)
	commit(false, "without a root")
	s.mustLoad(t, slotRoot, one.cert)
	commit(false, "already in use")
	s.mustLoad(t, slotRoot, other.cert)
	commit(true, "another root alone")
	s.mustLoad(t, slotCertificate, other.cert)
	commit(false, "another certificate without its key")
	if s.Used[slotCertificate] != one.cert {
		t.Error("the old identity is gone")
	}
	s.mustLoad(t, slotKey, other.key)
	commit(true, "both")
	var r *refusal
	s.mustLoad(t, slotKey, one.key)
	if err := s.load(slotCertificate, other.cert); !errors.As(err, &r) {
		t.Errorf("a certificate that does not fit: %v", err)
	}
	if len(s.Staged) != 0 || s.Used[slotKey] != other.key {
		t.Error("a refused pair left something behind")
	}
}

func TestStorageFaults(t *testing.T) {
	t.Parallel()
	one, other := newIdentity(t, "one", rsaKeys()[0]), newIdentity(t, "other", rsaKeys()[1])
	provision := func(s *storage, id identity) {
		s.mustLoad(t, slotRoot, id.cert)
		s.mustLoad(t, slotCertificate, id.cert)
		s.mustLoad(t, slotKey, id.key)
	}
	path := func() string { return filepath.Join(t.TempDir(), "state.json") }

	p := path()
	s := openForTest(t, p, "ok-without-storing")
	provision(s, one)
	provision(s, other)
	if s.Used[slotKey] != one.key {
		t.Error("ok-without-storing took a second identity")
	}
	s = openForTest(t, p, "forgets-identity")
	if s.Used.complete() {
		t.Error("forgets-identity remembers")
	}
	s = openForTest(t, path(), "single-root")
	provision(s, one)
	provision(s, other)
	if s.Used[slotRoot] != one.cert || s.Used[slotKey] != other.key {
		t.Error("single-root has another root")
	}
	s = openForTest(t, path(), "truncates-2k")
	s.mustLoad(t, slotRoot, one.cert+other.cert+one.cert)
	if len(s.Staged[slotRoot]) != 2000 {
		t.Error("truncates-2k keeps more")
	}
}

// Power may go at any moment, also in the middle of a write: what is there then
// is the old or the new identity.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	ids := []identity{newIdentity(t, "one", rsaKeys()[0]), newIdentity(t, "other", rsaKeys()[1])}
	dir := t.TempDir()
	state := filepath.Join(dir, "state.json")
	cuts := 20
	if testing.Short() {
		cuts = 4
	}
	for i := range cuts {
		_, off := power(t, "--link", filepath.Join(dir, "port"), "--state", state, "--baud", "0")
		b := attach(t, filepath.Join(dir, "port"))
		if i == 0 {
			b.provision(ids[0].cert, ids[0])
		}
		go func() {
			time.Sleep(rand.N(40 * time.Millisecond))
			off()
		}()
		cutWhileLoading(b, ids)
		off()
		var f flash
		data, err := os.ReadFile(state)
		if err != nil || json.Unmarshal(data, &f) != nil {
			t.Fatalf("cut %d: state is unreadable: %v", i, err)
		}
		if !f.Used.complete() || mismatched(f.Used) {
			t.Fatalf("cut %d: the identity is half one and half the other", i)
		}
	}
}

// cutWhileLoading loads one identity after the other until nobody answers.
func cutWhileLoading(b *board, ids []identity) {
	for i := 0; ; i++ {
		id := ids[i%2]
		for _, f := range []struct{ slot, data string }{{"10", id.cert}, {"20", id.cert}, {"30", id.key}} {
			if _, err := b.port.WriteString("9270," + f.slot + "\r"); err != nil {
				return
			}
			if _, ok := b.await("SEND FILE...\r\n", 100*time.Millisecond); !ok {
				return
			}
			if _, err := b.port.WriteString(f.data + "*"); err != nil {
				return
			}
			if _, ok := b.await(okText+"\r\n", 200*time.Millisecond); !ok {
				return
			}
		}
	}
}

// half-written: the same cut inside a transfer leaves half a file.
func TestHalfWrittenAfterAPowerCut(t *testing.T) {
	t.Parallel()
	one, other := newIdentity(t, "one", rsaKeys()[0]), newIdentity(t, "other", rsaKeys()[1])
	dir := t.TempDir()
	state := filepath.Join(dir, "state.json")
	port, off := power(t, "--link", filepath.Join(dir, "port"), "--state", state, "--baud", "0", "--fault", "half-written")
	b := attach(t, port)
	b.provision(one.cert, one)
	b.send("9270,20\r")
	b.expect("SEND FILE...\r\n")
	b.send(other.cert[:600])
	b.expect(other.cert[:600])
	time.Sleep(20 * time.Millisecond) // for its last block
	off()
	s := openForTest(t, state)
	if len(certificates(s.Used[slotCertificate])) != 0 {
		t.Error("the certificate is whole")
	}
}
