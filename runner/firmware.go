package runner

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"

	"hilrig/record"
)

// describeFirmware hashes the firmware file, streamed: an image may be bigger
// than what a child may use of memory.
func describeFirmware(f record.Firmware) (record.Firmware, error) {
	if f.File == "" {
		return f, nil
	}
	file, err := os.Open(f.File)
	if err != nil {
		return f, record.NewFailure(record.Usage, "read firmware file", "", err)
	}
	defer file.Close() // only read
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return f, record.NewFailure(record.Usage, "read firmware file", "", err)
	}
	f.File, f.SHA256 = filepath.Base(f.File), hex.EncodeToString(sum.Sum(nil))
	return f, nil
}
