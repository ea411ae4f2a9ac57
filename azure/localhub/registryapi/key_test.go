package registryapi_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"

	"hilrig/azure/localhub/registryapi"
	"hilrig/record"
)

// The key is made once, whoever asks first, and its files are private.
func TestKeyIsMadeOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "registry")
	strings8 := make([]string, 8)
	var wg sync.WaitGroup
	for i := range strings8 {
		wg.Go(func() {
			k, err := registryapi.OpenKey(t.Context(), dir)
			if err != nil {
				t.Error(err)
				return
			}
			path, err := k.WriteConnectionString(dir, "localhost", &net.TCPAddr{Port: 8000 + i})
			if err != nil {
				t.Error(err)
				return
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Error(err)
			}
			_, strings8[i], _ = strings.Cut(string(data), ";")
			if info, err := os.Stat(path); err == nil && runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %v", path, info.Mode())
			}
		})
	}
	wg.Wait()
	for _, s := range strings8 {
		if s != strings8[0] {
			t.Fatal("two keys")
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "key")); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file: %v, %v", info, err)
	}
}

func TestConnectionString(t *testing.T) {
	dir := t.TempDir()
	k, err := registryapi.OpenKey(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	for port, host := range map[int]string{443: "hub.rig.lan", 8443: "hub.rig.lan:8443"} {
		path, err := k.WriteConnectionString(dir, "hub.rig.lan", &net.TCPAddr{Port: port})
		if err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		want := regexp.MustCompile(`^HostName=` + host + `;SharedAccessKeyName=iothubowner;SharedAccessKey=[A-Za-z0-9+/]{43}=\n$`)
		if err != nil || !want.Match(data) {
			t.Errorf("port %d: %v", port, err)
		}
	}
}

// However a key is printed, it is not there.
func TestKeyIsMasked(t *testing.T) {
	dir := t.TempDir()
	k, err := registryapi.OpenKey(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	c := registryapi.Config{Host: "localhost", Key: k}
	for _, s := range []string{fmt.Sprint(k), fmt.Sprintf("%+v", k), fmt.Sprintf("%#v", k), k.String(), fmt.Sprintf("%x", k), fmt.Sprintf("%+v", c)} {
		if !strings.Contains(s, "(key)") && !strings.Contains(s, fmt.Sprintf("%x", "(key)")) {
			t.Errorf("printed %q", s)
		}
	}
}

func TestKeyThatIsNone(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "key"), []byte("c2hvcnQ=\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := registryapi.OpenKey(t.Context(), dir); record.ClassOf(err) != record.RigHost || strings.Contains(err.Error(), "c2hvcnQ") {
		t.Errorf("got %v", err)
	}
}

// One that others could read is taken back.
func TestKeyIsMadePrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows keeps no such modes")
	}
	dir := t.TempDir()
	if _, err := registryapi.OpenKey(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "key")
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := registryapi.OpenKey(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}
