//go:build !linux

package emulator

import "os"

func flush(*os.File) {}
