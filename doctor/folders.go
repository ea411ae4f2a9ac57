package doctor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"hilrig/hw/port"
)

// checkLockDir: locks count only in a folder that all users of the host share.
func checkLockDir(_ context.Context, h *Host) []Result {
	info, err := os.Stat(h.LockDir)
	share := "sudo install -d -m 1777 /run/lock/hilrig"
	switch {
	case err != nil:
		return []Result{bad(share, "%s", err)}
	case port.LockFolder(h.LockDir) != nil:
		return []Result{bad(share, "%s: %s", h.LockDir, port.LockFolder(h.LockDir))}
	case len(port.StrangeLocks(h.LockDir)) > 0:
		var found []Result
		for _, s := range port.StrangeLocks(h.LockDir) {
			found = append(found, bad("somebody has put it there: look at it, and remove it", "%s", s))
		}
		return found
	case mayWriteIn(h.LockDir) != nil:
		return []Result{bad("sudo chmod 1777 "+h.LockDir, "%s cannot be written by you", h.LockDir)}
	case h.LockDir != "/run/lock/hilrig":
		return []Result{warn(share, "%s stands in for /run/lock/hilrig, which cannot be made", h.LockDir)}
	case info.Mode().Perm()&0o002 == 0 || info.Mode()&os.ModeSticky == 0:
		return []Result{warn("sudo chmod 1777 "+h.LockDir, "%s is not shared by all users (%s)", h.LockDir, info.Mode())}
	}
	if other := port.FolderOwner(h.LockDir); other != "" {
		return []Result{warn("sudo chown root "+h.LockDir, "%s is shared by all users, and of user %s, who can take away anybody's lock", h.LockDir, other)}
	}
	return []Result{fine("%s is shared by all users", h.LockDir)}
}

// checkStateDir makes nothing: a folder that is still to be made is judged by
// the nearest one above it.
func checkStateDir(_ context.Context, h *Host) []Result {
	const cure = "HILRIG_STATE names another folder"
	if h.NoState != nil {
		return []Result{bad(cure, "%s", h.NoState)}
	}
	at := nearestFolder(h.StateDir)
	if err := mayWriteIn(at); err != nil {
		return []Result{bad(cure, "%s: %s cannot be written: %s", h.StateDir, at, err)}
	}
	if at != h.StateDir {
		return []Result{fine("%s will be made by the first run", h.StateDir)}
	}
	return []Result{fine("%s", h.StateDir)}
}

// nearestFolder is the folder itself, or the first one above that is there.
func nearestFolder(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	for dir != filepath.Dir(dir) {
		if _, err := os.Stat(dir); err == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	return dir
}

// What a run leaves is a few MB; a soak leaves hundreds.
const (
	leastFree  = 50 << 20
	enoughFree = 1 << 30
)

func checkDisk(_ context.Context, h *Host) []Result {
	dir := nearestFolder(h.Out)
	free, known := h.FreeBytes(dir)
	size := fmt.Sprintf("%d MB free for reports in %s", free>>20, dir)
	switch {
	case !known:
		return nil
	case free < leastFree:
		return []Result{bad("make room, or --out names another disk", "%s", size)}
	case free < enoughFree:
		return []Result{warn("enough for runs, not for a soak: make room", "%s", size)}
	}
	return []Result{fine("%s", size)}
}
