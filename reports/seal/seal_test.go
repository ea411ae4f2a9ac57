package seal

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hilrig/record"
	"hilrig/record/dsse"
)

// bench is a key that seals.
func bench(t *testing.T) (dsse.Signer, dsse.Key) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	secret, err1 := x509.MarshalPKCS8PrivateKey(private)
	open, err2 := x509.MarshalPKIXPublicKey(public)
	sign, err3 := dsse.KeySigner("bench", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
	keys, err4 := dsse.ReadKeys(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: open}))
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	return sign, keys[0]
}

// folder is a run folder that can be changed.
type folder struct {
	t    *testing.T
	dir  string
	sign dsse.Signer
}

func (f folder) digests() map[string]string {
	f.t.Helper()
	files, err := Digests(f.t.Context(), f.dir)
	if err != nil {
		f.t.Fatal(err)
	}
	return files
}

func (f folder) seal(id string, files map[string]string) {
	f.t.Helper()
	if err := (Seal{Run: id, Hilrig: "v1.0.0", Sealed: time.Now(), Files: files}).Put(f.dir, f.sign); err != nil {
		f.t.Fatal(err)
	}
}

func (f folder) put(name, text string) {
	f.t.Helper()
	path := filepath.Join(f.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		f.t.Fatal(err)
	}
}

func (f folder) remove(name string) {
	f.t.Helper()
	if err := os.RemoveAll(filepath.Join(f.dir, name)); err != nil {
		f.t.Fatal(err)
	}
}

const (
	transcript = "devices/a/transcript.log"
	ofRound    = "round-01/devices/a/timeline.jsonl"
)

// prune takes streams out as they are now, and notes it.
func (f folder) prune(names ...string) {
	f.t.Helper()
	note, err := record.LoadPruned(f.dir)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, name := range names {
		if note.Files[name], err = record.Digest(f.t.Context(), filepath.Join(f.dir, name)); err != nil {
			f.t.Fatal(err)
		}
		f.remove(name)
	}
	if err := note.Save(f.dir); err != nil {
		f.t.Fatal(err)
	}
}

// said is a replay that says this of the whole run.
func said(text string) Replay {
	return func(string) (map[string][]byte, error) {
		return map[string][]byte{record.RecordFile: []byte(text)}, nil
	}
}

const run = "20261127T100000Z-0001"

func TestASealIsOfTheFolderAsItWas(t *testing.T) {
	for _, c := range []struct {
		what   string
		change func(folder)
		want   string // of why it is not proved; empty: it is
	}{
		{"nothing", func(folder) {}, ""},
		{"reports made anew", func(f folder) { f.put("report.html", "another") }, ""},
		{"a file that came later", func(f folder) { f.put("statements/x.dsse", "{}") }, ""},
		{"a record that is kept compressed", func(f folder) {
			if err := record.Pack(filepath.Join(f.dir, record.RecordFile)); err != nil {
				f.t.Fatal(err)
			}
		}, ""},
		{"streams that were pruned", func(f folder) { f.prune(transcript, ofRound, record.EventsFile) }, ""},
		{"streams that were pruned in two goes", func(f folder) { f.prune(transcript); f.prune(ofRound) }, ""},
		{"a stream that was edited, then pruned", func(f folder) { f.put(transcript, "nicer"); f.prune(transcript) }, "changed since it was sealed: " + transcript},
		{"a stream that nobody pruned", func(f folder) { f.remove(transcript) }, "changed since it was sealed: " + transcript},
		{"a record that is noted as pruned", func(f folder) { f.prune(record.RecordFile) }, "changed since it was sealed: run.json"},
		{"a record", func(f folder) { f.put(record.RecordFile, "green") }, "changed since it was sealed: run.json"},
		{"a record that its events say", func(f folder) { f.put(record.RecordFile, "anew") }, ""},
		{"a record that its events say, which were edited too", func(f folder) { f.put(record.RecordFile, "anew"); f.put(record.EventsFile, "nicer") }, "changed since it was sealed: events.jsonl, run.json"},
		{"a record of which the events are pruned", func(f folder) { f.put(record.RecordFile, "anew"); f.prune(record.EventsFile) }, "changed since it was sealed: run.json"},
		{"a record beside the compressed one", func(f folder) {
			if err := record.Pack(filepath.Join(f.dir, record.RecordFile)); err != nil {
				f.t.Fatal(err)
			}
			f.put(record.RecordFile, "green")
		}, "changed since it was sealed: run.json"},
		{"a transcript of a round", func(f folder) { f.put(ofRound, "nicer") }, "changed since it was sealed: " + ofRound},
		{"a link in place of a transcript", func(f folder) {
			f.remove(transcript)
			f.put("elsewhere", "transcript")
			if err := os.Symlink(filepath.Join(f.dir, "elsewhere"), filepath.Join(f.dir, transcript)); err != nil {
				f.t.Fatal(err)
			}
		}, "changed since it was sealed: " + transcript},
		{"a folder in place of a transcript", func(f folder) { f.remove(transcript); f.put(transcript+"/x", "") }, "changed since it was sealed: " + transcript},
		{"the seal", func(f folder) { f.remove(FileName) }, "it is not sealed"},
		{"a seal that is no envelope", func(f folder) { f.put(FileName, "{") }, "its seal cannot be read: it is no envelope"},
		{"a seal of another run", func(f folder) { f.seal("20261127T110000Z-0002", f.digests()) }, "its seal is of run 20261127T110000Z-0002"},
		{"a seal of no record", func(f folder) { f.seal(run, map[string]string{transcript: "x"}) }, "its seal does not name its record"},
		{"a seal by another key", func(f folder) {
			f.sign, _ = bench(f.t)
			f.put(transcript, "nicer")
			f.seal(run, f.digests())
		}, "its seal is of another key"},
		{"a note that is damaged", func(f folder) { f.put(record.PrunedFile, "{") }, "error"},
	} {
		t.Run(c.what, func(t *testing.T) {
			f := folder{t: t, dir: t.TempDir()}
			f.put(record.RecordFile, "red")
			f.put(record.EventsFile, "events")
			f.put(transcript, "transcript")
			f.put("round-01/run.json", "round")
			f.put(ofRound, "timeline")
			f.put("report.html", "report")
			sign, key := bench(t)
			f.sign = sign
			f.seal(run, f.digests())
			c.change(f)
			held, err := Open(f.dir, said("anew")).Check(t.Context(), run, key)
			got := held.Lack()
			if err != nil {
				got = "error: " + err.Error()
			}
			if (c.want == "") != (got == "") || !strings.HasPrefix(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// A record that was judged, and put back before its digest was taken, is edited.
func TestWhatIsJudgedIsWhatWasRead(t *testing.T) {
	sign, key := bench(t)
	f := folder{t, t.TempDir(), sign}
	f.put(record.RecordFile, "as it ended")
	f.put(record.EventsFile, "events")
	f.seal(run, f.digests())
	for read, want := range map[string]string{f.digests()[record.RecordFile]: "", "a greener one": "changed since it was sealed: " + record.RecordFile} {
		h, err := Open(f.dir, said("as it ended")).Knows(record.RecordFile, read).Check(t.Context(), run, key)
		if err != nil || h.Lack() != want {
			t.Errorf("%q, want %q (%v)", h.Lack(), want, err)
		}
	}
}

func TestDigestsEndWithTheirContext(t *testing.T) {
	f := folder{t: t, dir: t.TempDir()}
	f.put(record.RecordFile, "red")
	f.put(transcript, strings.Repeat("x", 1<<20))
	files, err := Digests(t.Context(), f.dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Digests(ctx, f.dir); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := Open(f.dir, said("")).Hold(ctx, files); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A file that two lists name is read once, so that one answer is about one file.
func TestAFileIsReadOnceWhateverItIsHeldAgainst(t *testing.T) {
	f := folder{t: t, dir: t.TempDir()}
	f.put(record.RecordFile, "red")
	f.put(transcript, "transcript")
	files := f.digests()
	opened := Open(f.dir, said(""))
	for range 2 {
		found, err := opened.Hold(t.Context(), files)
		if err != nil || len(found.Edited) > 0 {
			t.Errorf("%v %v", found, err)
		}
		f.put(transcript, "nicer")
	}
	if found, err := Open(f.dir, said("")).Hold(t.Context(), files); err != nil || len(found.Edited) != 1 {
		t.Errorf("opened anew: %v %v", found, err)
	}
}
