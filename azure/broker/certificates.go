package broker

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"hilrig/azure/journal"
	"hilrig/record"
)

// entry is a certificate that the broker was made to know.
type entry struct {
	DeviceID    string   `json:"device_id"`
	Thumbprint  string   `json:"thumbprint"`  // SHA-256
	Certificate []byte   `json:"certificate"` // PEM
	Remove      []string `json:"remove"`      // what makes the broker forget it, as it was when it was added
	added       bool     // this process has; else it only tried
}

func (e entry) same(x entry) bool { return x.DeviceID == e.DeviceID && x.Thumbprint == e.Thumbprint }

// made says which certificates this process has added at a broker.
type made = journal.Journal[entry]

// allFile has every certificate of a broker, for those that read one file.
const allFile = "all.pem"

// put has a certificate in the folder that brokers read, take takes it out.
func put(folder string, e entry) error {
	if err := record.WriteFile(filepath.Join(folder, e.Thumbprint+".pem"), e.Certificate, 0o644); err != nil {
		return err
	}
	return gatherAll(folder)
}

func take(folder string, e entry) error {
	err := os.Remove(filepath.Join(folder, e.Thumbprint+".pem"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return record.NewFailure(record.RigHost, "remove certificate from", folder, err)
	}
	return gatherAll(folder)
}

func gatherAll(folder string) error {
	var all []byte
	for _, name := range record.Found(folder, "*.pem") {
		if filepath.Base(name) == allFile {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return record.NewFailure(record.RigHost, "read", name, err)
		}
		all = append(all, text...)
	}
	return record.WriteFile(filepath.Join(folder, allFile), all, 0o644)
}
