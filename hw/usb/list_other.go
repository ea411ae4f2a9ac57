//go:build !linux

package usb

import (
	"errors"
	"runtime"

	"hilrig/record"
)

// List needs sysfs, which only Linux has.
func List(string) ([]Port, error) {
	return nil, record.NewFailure(record.RigHost, "list serial ports", "on "+runtime.GOOS, errors.ErrUnsupported).
		WithCure("name the port by path in the rig file, as COM3")
}
