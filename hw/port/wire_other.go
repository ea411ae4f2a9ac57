//go:build !linux

package port

import (
	"os"
	"runtime"

	"go.bug.st/serial"
)

// portNamesAreNoFiles: COM3 is not.
const portNamesAreNoFiles = runtime.GOOS == "windows"

const noFollow = 0

func openWire(path string, baud int) (wire, error) {
	line, err := serial.Open(path, &serial.Mode{BaudRate: baud, DataBits: 8, Parity: serial.NoParity, StopBits: serial.OneStopBit})
	if err != nil {
		return nil, err
	}
	return newLibraryWire(line)
}

// processAlive cannot be said everywhere; the lock itself is what counts.
func processAlive(pid int) bool {
	_, err := os.FindProcess(pid)
	return pid > 0 && err == nil
}
