package runner

import (
	"os"
	"syscall"
)

// mountSmall mounts a file system of 256 kB.
func mountSmall(dir string) error { return syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k") }

func unmount(dir string) error { return syscall.Unmount(dir, syscall.MNT_DETACH) }

// fill writes until nothing more goes in, and returns that error.
func fill(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, block := range [][]byte{make([]byte, 4096), {0}} {
		for range 1 << 16 {
			if _, err = f.Write(block); err != nil {
				break
			}
		}
	}
	return err
}
