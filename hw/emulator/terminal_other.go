//go:build !linux

package emulator

import (
	"errors"

	"hilrig/record"
)

// terminal needs Linux's pseudo-terminals.
type terminal struct{ dies bool }

func openTerminal(Config) (*terminal, error) {
	return nil, record.NewFailure(record.RigHost, "open", "pseudo-terminal", errors.ErrUnsupported).
		WithCure("emulated devices need Linux")
}

func (*terminal) Read([]byte, func(bool)) (int, error) { return 0, errors.ErrUnsupported }
func (*terminal) Write([]byte) (int, error)            { return 0, errors.ErrUnsupported }
func (*terminal) Waiting() bool                        { return false }
func (*terminal) Interrupt()                           {}
func (*terminal) close()                               {}
func (*terminal) port() string                         { return "" }

func (t *terminal) opens() (<-chan struct{}, func(), error) { return nil, func() {}, nil }
