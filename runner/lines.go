package runner

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"hilrig/record"
)

// maxLine bounds a line of a child's output. The longest event is a result
// with its transcript lines, some tens of kilobytes.
const maxLine = 1 << 20

// readLines hands over each line of r without its end, the last one also when
// it has none (whole is false then). Of a line longer than max only the
// beginning is handed over, and whole is false. It returns when r ends.
func readLines(r io.Reader, max int, line func(b []byte, whole bool)) {
	br := bufio.NewReaderSize(r, 64<<10)
	var buf []byte
	cut := false
	for {
		part, err := br.ReadSlice('\n')
		if room := max - len(buf); len(part) > room {
			part, cut = part[:room], true
		}
		buf = append(buf, part...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		ended := bytes.HasSuffix(buf, []byte("\n"))
		if len(buf) > 0 {
			line(bytes.TrimRight(buf, "\r\n"), ended && !cut)
		}
		buf, cut = buf[:0], false
		if err != nil {
			return
		}
	}
}

// parseEvent reads a line of a child's stream. Unknown keys are let through: a
// newer child may say more.
func parseEvent(b []byte) (record.Event, error) {
	var e record.Event
	if err := json.Unmarshal(b, &e); err != nil {
		return e, fmt.Errorf("no event: %w", err)
	}
	if e.Kind == "" || e.Source == "" {
		return e, errors.New("no event: kind or source is missing")
	}
	if len(e.Data) > 0 && !json.Valid(e.Data) {
		return e, errors.New("no event: data is not JSON")
	}
	return e, nil
}

// clip shortens a line of a child for a message; what cannot be printed shows
// as an escape.
func clip(b []byte, n int) string {
	if len(b) > n {
		return fmt.Sprintf("%.*q… (%d bytes)", n, b[:n], len(b))
	}
	return fmt.Sprintf("%q", b)
}
