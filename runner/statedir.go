package runner

import (
	"os"
	"path/filepath"

	"hilrig/record"
)

// StateDir finds the folder for what outlives a run: $HILRIG_STATE, else
// /var/lib/hilrig if it is writable, else the user's own. It is made if it is
// missing, for the owner alone.
func StateDir() (string, error) {
	dir, err := StateDirName()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", record.NewFailure(record.RigHost, "make state folder", "", err).WithCure("HILRIG_STATE names another")
	}
	if dir, err = filepath.Abs(dir); err != nil { // children and emulated devices must not depend on the working folder
		return "", record.NewFailure(record.RigHost, "find state folder", dir, err)
	}
	return dir, nil
}

// StateDirName is the path of [StateDir], which may be still to be made; it
// makes nothing.
func StateDirName() (string, error) {
	if dir := os.Getenv("HILRIG_STATE"); dir != "" {
		return dir, nil
	}
	const shared = "/var/lib/hilrig"
	if writable(shared) {
		return shared, nil
	}
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) { // the XDG specification: a relative one is ignored
		return filepath.Join(dir, "hilrig"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", record.NewFailure(record.RigHost, "find state folder", "", err).WithCure("HILRIG_STATE names one")
	}
	return filepath.Join(home, ".local", "state", "hilrig"), nil
}
