package runner

import (
	"encoding/json"
	"os"
	"path/filepath"

	"hilrig/record"
)

// diary appends events to events.jsonl, which is valid at every line end. It is
// not safe for concurrent use.
type diary struct {
	file    *os.File
	written int64 // length up to the last whole line
}

func openDiary(dir string) (*diary, error) {
	name := filepath.Join(dir, record.EventsFile)
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, hostFailure("open", name, err)
	}
	return &diary{file: f}, nil
}

func (d *diary) write(e record.Event) error {
	line, err := json.Marshal(e)
	if err != nil {
		return record.NewFailure(record.Harness, "encode event", e.Kind, err)
	}
	n, err := d.file.Write(append(line, '\n'))
	if err != nil {
		_ = d.file.Truncate(d.written) // half a line must not stay; the write's own error is the one to report
		return hostFailure("write", d.file.Name(), err)
	}
	d.written += int64(n)
	return nil
}

func (d *diary) close() error {
	if err := d.file.Close(); err != nil {
		return hostFailure("close", d.file.Name(), err)
	}
	return nil
}

// opening are the events that say of a run that has not begun what its record
// says: whoever makes the record anew begins with them.
func opening(clock func(device, kind, text string, data any) record.Event, rec *record.Record) []record.Event {
	all := []record.Event{clock("", KindRunFirmware, "", rec.Firmware)}
	for _, d := range rec.Devices {
		all = append(all, clock(d.Name, KindDeviceExpected, "", d))
	}
	return all
}
