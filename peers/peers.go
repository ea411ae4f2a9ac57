package peers

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
)

// Test is what a test does that lacks its peer.
type Test interface {
	Helper()
	Fatal(args ...any)
	Skip(args ...any)
}

// Find is the path of a program.
func Find(t Test, name string) string {
	t.Helper()
	for _, at := range []string{name, filepath.Join("/usr/sbin", name)} { // not everybody has the latter in PATH
		if path, err := exec.LookPath(at); err == nil {
			return path
		}
	}
	Missing(t, name)
	return ""
}

// Missing ends a test without its peer.
func Missing(t Test, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal("peer not installed:", what)
	}
	t.Skip("peer not installed:", what)
}

// Node is the program, with the folder in which scripts/peers.sh puts the npm
// packages of a folder of testdata. What says which they are.
func Node(t Test, testdata, what string) (program, modules string) {
	t.Helper()
	lock, err := os.ReadFile(filepath.Join(testdata, "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	return NodeOf(t, filepath.Base(testdata), lock, what)
}

// NodeOf is [Node] where the folder is known by its name and its lock file.
func NodeOf(t Test, folder string, lock []byte, what string) (program, modules string) {
	t.Helper()
	program = Find(t, "node")
	cache, err := os.UserCacheDir()
	if err != nil {
		Missing(t, what+": no cache folder for npm's packages: "+err.Error())
	}
	sum := sha256.Sum256(lock)
	modules = filepath.Join(cache, "hilrig", folder+"-"+hex.EncodeToString(sum[:6]))
	if _, err := os.Stat(filepath.Join(modules, "installed")); err != nil {
		Missing(t, what+"; scripts/peers.sh installs it")
	}
	return program, modules
}
