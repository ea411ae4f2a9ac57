package certs_test

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"hilrig/certs"
	"hilrig/record"
)

// childStore makes this test binary open a store and print its root: another
// process for TestTwoProcessesGetTheSameRoot.
const childStore = "HILRIG_TEST_OPEN_STORE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childStore); dir != "" {
		s, err := certs.OpenStore(dir)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Print(string(s.Root().PEM))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func open(t testing.TB, dir string) *certs.Store {
	t.Helper()
	return openAt(t, dir, time.Now())
}

func openAt(t testing.TB, dir string, now time.Time) *certs.Store {
	t.Helper()
	s, err := certs.OpenStoreAt(dir, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// files are a folder's, by name.
func files(t testing.TB, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = string(data)
	}
	return all
}

// preparedStore is a made store that tests copy: its keys cost half a second.
var preparedStore = sync.OnceValues(func() (map[string]string, error) {
	dir, err := os.MkdirTemp("", "certs")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	s, err := certs.OpenStore(dir)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	for _, p := range []certs.Profile{certs.UnknownRoot, certs.SecondRoot} { // these make every file there is
		if _, err := s.WrongServer(ctx, "localhost", p); err != nil {
			return nil, err
		}
	}
	all := map[string]string{}
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		data, readErr := os.ReadFile(filepath.Join(dir, e.Name()))
		all[e.Name()], err = string(data), errors.Join(err, readErr)
	}
	return all, err
})

// madeStore is a folder with a whole store in it.
func madeStore(t testing.TB) folder {
	t.Helper()
	all, err := preparedStore()
	if err != nil {
		t.Fatal(err)
	}
	f := folder{t, filepath.Join(t.TempDir(), "pki")}
	if err := os.Mkdir(f.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, data := range all {
		f.put(name, []byte(data))
	}
	return f
}

func TestStoreIsMadeOnceAndKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state", "pki")
	first := open(t, dir)
	server, err := first.Server(t.Context(), "hub.rig.lan")
	if err != nil {
		t.Fatal(err)
	}
	before := files(t, dir)
	second := open(t, dir)
	again, err := second.Server(t.Context(), "hub.rig.lan")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Root().PEM, second.Root().PEM) || !bytes.Equal(server.Certificate[0], again.Certificate[0]) {
		t.Error("another root or server certificate")
	}
	for name, data := range files(t, dir) {
		if before[name] != data {
			t.Errorf("%s was written again", name)
		}
		if info, _ := os.Stat(filepath.Join(dir, name)); info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
	if info, _ := os.Stat(dir); info.Mode().Perm() != 0o700 {
		t.Errorf("folder has mode %v", info.Mode())
	}
	if notes := second.Notes(); len(notes) > 0 {
		t.Errorf("notes %q", notes)
	}
	if f := certs.CheckPEM(certs.KindCertificate, second.Root().PEM, 0); len(f) > 0 {
		t.Errorf("what goes into slot 10: %v", f)
	}
}

func TestTwoProcessesGetTheSameRoot(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pki")
	roots, errs := make([][]byte, 4), make([]error, 4)
	var wg sync.WaitGroup
	for i := range roots {
		wg.Go(func() {
			cmd := exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // this test
			cmd.Env = append(os.Environ(), childStore+"="+dir)
			roots[i], errs[i] = cmd.Output()
		})
	}
	wg.Wait()
	for i := range roots {
		if errs[i] != nil || len(roots[i]) == 0 || !bytes.Equal(roots[i], roots[0]) {
			t.Errorf("process %d: %v, %d bytes, the same as the first: %v", i, errs[i], len(roots[i]), bytes.Equal(roots[i], roots[0]))
		}
	}
}

// Whoever loads waits for nobody: a run must not hang on another's lock.
func TestLoadingTakesNoLock(t *testing.T) {
	f := madeStore(t)
	l := flock.New(f.path(".lock"))
	if err := l.Lock(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Unlock() }()
	start := time.Now()
	s := open(t, f.dir)
	if _, err := s.Server(t.Context(), "localhost"); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %s", took)
	}
}

// A process that dies between two files leaves what the next one finishes.
func TestStoreIsFinishedAfterACrash(t *testing.T) {
	for _, lost := range [][]string{
		{"root.pem"}, {"intermediate.pem"}, {"root.pem", "intermediate.pem"}, {"root.pem", "intermediate.pem", "intermediate.key"},
		{"server-localhost.pem"}, {"server-localhost.pem", "server-localhost.key"}, {"spare.key"}, {"second-root.pem"},
	} {
		t.Run(strings.Join(lost, "+"), func(t *testing.T) {
			f := madeStore(t)
			before := files(t, f.dir)
			for _, name := range lost {
				if err := os.Remove(f.path(name)); err != nil {
					t.Fatal(err)
				}
			}
			s := open(t, f.dir)
			for _, p := range []certs.Profile{certs.UnknownRoot, certs.SecondRoot} {
				if _, err := s.WrongServer(t.Context(), "localhost", p); err != nil {
					t.Fatal(err)
				}
			}
			for name, data := range files(t, f.dir) {
				if strings.HasSuffix(name, ".key") && before[name] != data && !strings.Contains(strings.Join(lost, " "), name) {
					t.Errorf("%s is another key", name)
				}
			}
			mustVerify(t, s.Root(), s, "localhost", time.Now())
		})
	}
}

// mustVerify holds the good server certificate against a root at a moment.
func mustVerify(t *testing.T, root certs.Root, s *certs.Store, host string, at time.Time) {
	t.Helper()
	c, err := s.Server(t.Context(), host)
	if err != nil {
		t.Fatal(err)
	}
	if err := verify(c, root.Certificate, x509.VerifyOptions{DNSName: host, CurrentTime: at}); err != nil {
		t.Errorf("at %s: %v", at.Format(time.DateOnly), err)
	}
}

// Devices hold the root: whatever is wrong with it is said, with the file, and
// nothing is touched.
func TestADamagedRootIsReported(t *testing.T) {
	for name, c := range map[string]struct {
		file string
		data func(before map[string]string) string
		says string
	}{
		"certificate is garbage":         {"root.pem", func(map[string]string) string { return "damaged" }, "not PEM"},
		"certificate is empty":           {"root.pem", func(map[string]string) string { return "" }, "empty"},
		"certificate is cut":             {"root.pem", func(b map[string]string) string { return b["root.pem"][:300] }, "cut short"},
		"key is cut":                     {"root.key", func(b map[string]string) string { return b["root.key"][:300] }, "cut short"},
		"another's key":                  {"root.key", func(b map[string]string) string { return b["spare.key"] }, "does not belong"},
		"the intermediate's":             {"root.pem", func(b map[string]string) string { return b["intermediate.pem"] }, "does not belong"},
		"a key in a certificate's place": {"root.pem", func(b map[string]string) string { return b["root.key"] }, "private key"},
		"the key is gone":                {"root.key", nil, "missing"},
	} {
		t.Run(name, func(t *testing.T) {
			f := madeStore(t)
			before := files(t, f.dir)
			if c.data == nil {
				if err := os.Remove(f.path(c.file)); err != nil {
					t.Fatal(err)
				}
			} else {
				f.put(c.file, []byte(c.data(before)))
			}
			damaged := files(t, f.dir)
			_, err := certs.OpenStore(f.dir)
			if record.ClassOf(err) != record.RigHost || !strings.Contains(err.Error(), filepath.Join(f.dir, "root.")) ||
				!strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "backup") {
				t.Errorf("error %v", err)
			}
			if err != nil && (holdsKeyText(err.Error(), []byte(before["root.key"])) || strings.Contains(err.Error(), "\n")) {
				t.Errorf("key text, or more than a line: %v", err)
			}
			for name, data := range files(t, f.dir) {
				if name != ".lock" && damaged[name] != data {
					t.Errorf("%s was changed", name)
				}
			}
		})
	}
}

// What no device holds is set aside, made anew, and said.
func TestOtherDamageIsSetAside(t *testing.T) {
	for _, file := range []string{"intermediate.pem", "intermediate.key", "server-localhost.pem", "server-localhost.key", "spare.key"} {
		t.Run(file, func(t *testing.T) {
			f := madeStore(t)
			root := f.read("root.pem")
			f.put(file, []byte("damaged"))
			s := open(t, f.dir)
			if _, err := s.WrongServer(t.Context(), "localhost", certs.UnknownRoot); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(s.Root().PEM, root) {
				t.Error("another root")
			}
			mustVerify(t, s.Root(), s, "localhost", time.Now())
			aside, _ := filepath.Glob(f.path(file + ".damaged-*"))
			if len(aside) != 1 {
				t.Errorf("set aside: %q", aside)
			}
			if notes := strings.Join(s.Notes(), "\n"); !strings.Contains(notes, file+": not PEM") {
				t.Errorf("notes %q", notes)
			}
		})
	}
}

// Renewed means: another certificate for the same key, so a device that holds
// the old root goes on.
func TestStoreIsRenewedBeforeItRunsOut(t *testing.T) {
	f := madeStore(t)
	now := time.Now()
	first := openAt(t, f.dir, now)
	end := first.Root().Certificate.NotAfter
	if kept := openAt(t, f.dir, end.AddDate(0, 0, -31)); !bytes.Equal(kept.Root().PEM, first.Root().PEM) {
		t.Error("renewed 31 days before its end")
	}
	later := end.AddDate(0, 0, -29)
	renewed := openAt(t, f.dir, later)
	if bytes.Equal(renewed.Root().PEM, first.Root().PEM) || !renewed.Root().Certificate.NotAfter.After(end.AddDate(5, 0, 0)) {
		t.Errorf("not renewed: ends %s", renewed.Root().Certificate.NotAfter)
	}
	if !renewed.Root().Certificate.PublicKey.(*rsa.PublicKey).Equal(first.Root().Certificate.PublicKey) {
		t.Error("the renewed root has another key")
	}
	mustVerify(t, first.Root(), renewed, "localhost", later)
	mustVerify(t, renewed.Root(), renewed, "localhost", end.AddDate(1, 0, 0))
	if notes := strings.Join(renewed.Notes(), "\n"); !strings.Contains(notes, "root: to be renewed") {
		t.Errorf("notes %q", notes)
	}
	if third := openAt(t, f.dir, later); !bytes.Equal(third.Root().PEM, renewed.Root().PEM) {
		t.Error("renewed once more")
	}
}

// A host whose clock was wrong when the store was made: it mends itself.
func TestStoreMadeWithAWrongClock(t *testing.T) {
	for _, wrong := range []time.Time{time.Unix(0, 0), time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)} {
		dir := filepath.Join(t.TempDir(), "pki")
		_ = openAt(t, dir, wrong)
		s := open(t, dir)
		mustVerify(t, s.Root(), s, "localhost", time.Now())
	}
}

func TestStoreIsMadePrivate(t *testing.T) {
	f := madeStore(t)
	for path, mode := range map[string]fs.FileMode{f.dir: 0o755, f.path("root.key"): 0o644} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, f.dir)
	dir, _ := os.Stat(f.dir)
	key, _ := os.Stat(f.path("root.key"))
	if dir.Mode().Perm() != 0o700 || key.Mode().Perm() != 0o600 || len(s.Notes()) != 2 {
		t.Errorf("modes %v and %v, notes %q", dir.Mode(), key.Mode(), s.Notes())
	}
}

func TestAFolderThatCannotBe(t *testing.T) {
	f := newFolder(t)
	f.put("file", nil)
	if _, err := certs.OpenStore(f.path("file/pki")); record.ClassOf(err) != record.RigHost || !strings.Contains(err.Error(), "HILRIG_STATE") {
		t.Errorf("error %v", err)
	}
}
