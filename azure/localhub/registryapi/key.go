package registryapi

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"hilrig/record"
)

const (
	keyBytes   = 32 // as Azure makes them
	lockWithin = 10 * time.Second
)

// Key signs tokens. Printed in any way it is masked.
type Key struct{ secret []byte }

// String is a mask.
func (Key) String() string { return "(key)" }

// GoString is a mask.
func (Key) GoString() string { return "(key)" }

// OpenKey is the key of the folder, made at the first call (folder 0700, file
// 0600). Failures are of class rig:host.
func OpenKey(ctx context.Context, dir string) (Key, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Key{}, record.NewFailure(record.RigHost, "make", dir, err).WithCure("set HILRIG_STATE to a folder you may write")
	}
	within, cancel := context.WithTimeout(ctx, lockWithin)
	defer cancel()
	lock := flock.New(filepath.Join(dir, ".lock"), flock.SetPermissions(0o600)) // two hubs that start at once have one key
	if _, err := lock.TryLockContext(within, 5*time.Millisecond); err != nil {
		return Key{}, record.NewFailure(record.RigHost, "lock", dir, err).WithCure("is the folder yours?")
	}
	defer func() { _ = lock.Unlock() }()
	path := filepath.Join(dir, "key")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeKey(path)
	}
	if err != nil {
		return Key{}, record.NewFailure(record.RigHost, "read", path, err).WithCure("is the file yours?")
	}
	secret, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(secret) != keyBytes {
		return Key{}, record.NewFailure(record.RigHost, "read", path, fmt.Errorf("not %d bytes of base64", keyBytes)).
			WithCure("remove it: a new one is made, and connection strings change")
	}
	return Key{secret}, keepPrivate(path)
}

func makeKey(path string) (Key, error) {
	secret := make([]byte, keyBytes)
	_, _ = rand.Read(secret) // never fails
	return Key{secret}, record.WriteFile(path, []byte(base64.StdEncoding.EncodeToString(secret)+"\n"), 0o600)
}

// keepPrivate takes others' access to a file away.
func keepPrivate(path string) error {
	if err := os.Chmod(path, 0o600); err != nil {
		return record.NewFailure(record.RigHost, "make private", path, err).WithCure("is the file yours?")
	}
	return nil
}

// WriteConnectionString writes what an SDK or a tool takes to one file of the
// folder (0600), and returns its path. There is one for each address. host is
// the hub's name; the port stands in it unless it is HTTPS's own, which is the
// only one that Microsoft's SDKs dial.
func (k Key) WriteConnectionString(dir, host string, addr net.Addr) (string, error) {
	_, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return "", record.NewFailure(record.Harness, "name the address of", "device registry", err)
	}
	at := host
	if port != "443" {
		at = net.JoinHostPort(host, port)
	}
	path := filepath.Join(dir, host+"-"+port+".connection")
	text := fmt.Sprintf("HostName=%s;SharedAccessKeyName=%s;SharedAccessKey=%s\n", at, policy, base64.StdEncoding.EncodeToString(k.secret))
	if err := record.WriteFile(path, []byte(text), 0o600); err != nil {
		return "", err
	}
	return path, nil
}
