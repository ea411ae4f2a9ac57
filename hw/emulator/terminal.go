package emulator

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/creack/pty"
	"golang.org/x/term"

	"hilrig/record"
)

// terminal is the device's end of a pseudo-terminal.
type terminal struct {
	master *os.File
	slave  *os.File // held open, so that the master never sees a hang-up; nil where the parent holds it
	name   string
	link   string
}

// openTerminal takes the given master, or makes a pseudo-terminal and links it
// at the path of the configuration.
func openTerminal(c Config) (*terminal, error) {
	if c.Terminal != nil {
		t := &terminal{master: c.Terminal, name: c.Terminal.Name()}
		return t, t.prepare(c.Terminal)
	}
	master, slave, err := pty.Open()
	if err != nil {
		return nil, record.NewFailure(record.RigHost, "open", "pseudo-terminal", err)
	}
	t := &terminal{master: master, slave: slave, name: slave.Name()}
	err = t.prepare(slave)
	if err == nil && c.Link != "" {
		err = t.makeLink(c.Link)
	}
	if err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

// prepare makes the line raw before anybody types: else it would echo by
// itself. What a dead predecessor left in it is flushed.
func (t *terminal) prepare(f *os.File) error {
	if _, err := term.MakeRaw(int(f.Fd())); err != nil {
		return record.NewFailure(record.RigHost, "make raw", t.name, err)
	}
	flush(f)
	return nil
}

// makeLink puts a symbolic link to the slave at path. It replaces a link that
// leads nowhere, as a killed emulator leaves it, and nothing else.
func (t *terminal) makeLink(path string) error {
	if info, err := os.Lstat(path); err == nil {
		_, gone := os.Stat(path)
		if info.Mode()&fs.ModeSymlink == 0 || !errors.Is(gone, fs.ErrNotExist) {
			return record.NewFailure(record.Usage, "link", path, fs.ErrExist).WithCure("name another --link, or remove it if nothing uses it")
		}
	}
	next := filepath.Join(filepath.Dir(path), fmt.Sprintf(".%s.%d", filepath.Base(path), os.Getpid()))
	if err := os.Symlink(t.name, next); err != nil {
		return record.NewFailure(record.RigHost, "link", path, err)
	}
	if err := os.Rename(next, path); err != nil {
		_ = os.Remove(next)
		return record.NewFailure(record.RigHost, "link", path, err)
	}
	t.link = path
	return nil
}

func (t *terminal) close() {
	if t.link != "" {
		if to, err := os.Readlink(t.link); err == nil && to == t.name {
			_ = os.Remove(t.link)
		}
	}
	if t.slave != nil {
		_ = t.slave.Close()
	}
	_ = t.master.Close()
}

// port is the name by which others open the line.
func (t *terminal) port() string {
	if t.link != "" {
		return t.link
	}
	return t.name
}
