package sdkpeer

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// Script is a command that runs a script of azure/localhub/testdata/sdk with
// the SDKs. Where Node or they are missing the test is skipped with the reason,
// with CI=true it fails.
func Script(t *testing.T, name string, env ...string) *exec.Cmd {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "node is not installed")
	}
	_, here, _, _ := runtime.Caller(0)
	dir := filepath.Join(filepath.Dir(here), "..", "testdata", "sdk")
	modules, err := installed(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		missing(t, "Microsoft's SDKs are not installed; scripts/peers.sh does it: "+err.Error())
	}
	cmd := exec.CommandContext(t.Context(), node, filepath.Join(dir, name))
	cmd.Env = append(append(os.Environ(), "NODE_PATH="+modules), env...)
	return cmd
}

// installed is the folder of modules that fits the lock file; scripts/peers.sh
// names it in the same way.
func installed(lock string) (string, error) {
	data, err := os.ReadFile(lock)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	modules := filepath.Join(cache, "hilrig", "sdk-"+hex.EncodeToString(sum[:6]), "node_modules")
	if _, err := os.Stat(filepath.Join(modules, "azure-iothub")); err != nil {
		return "", fmt.Errorf("no %s", modules)
	}
	return modules, nil
}

func missing(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}
