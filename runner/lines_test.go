package runner

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"

	"hilrig/record"
)

func TestReadLines(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"empty":     {"", ""},
		"lines":     {"a\nb\n", "a true|b true"},
		"crlf":      {"a\r\n", "a true"},
		"no end":    {"a\nb", "a true|b false"},
		"empty one": {"\na\n", " true|a true"},
		"too long":  {"0123456789abc\nx\n", "01234567 false|x true"},
		"just fits": {"0123456\nx\n", "0123456 true|x true"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, r := range []bool{false, true} {
				var got []string
				in := strings.NewReader(c.in)
				line := func(b []byte, whole bool) { got = append(got, fmt.Sprintf("%s %t", b, whole)) }
				if r {
					readLines(iotest.OneByteReader(in), 8, line)
				} else {
					readLines(in, 8, line)
				}
				if s := strings.Join(got, "|"); s != c.want {
					t.Errorf("%q, want %q", s, c.want)
				}
			}
		})
	}
}

// Whatever a child writes, what is let through is an event that can be written
// again as one line.
func FuzzChildOutput(f *testing.F) {
	f.Add([]byte(`{"at":1,"utc":"2026-11-22T23:15:01Z","source":"spec","kind":"spec.finished","spec":"tls/version","data":{"id":"tls/version","verdict":"pass"}}` + "\n"))
	f.Add([]byte("{\"at\":1,\"source\":\"run\",\"kind\":\"x\",\"data\":[1,2\n"))
	f.Add([]byte("\x00\xff{}\n\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		readLines(bytes.NewReader(data), 1<<12, func(b []byte, whole bool) {
			if bytes.ContainsAny(b, "\n") {
				t.Fatalf("a line end inside a line: %q", b)
			}
			e, err := parseEvent(b)
			if err != nil {
				return
			}
			line, err := json.Marshal(e)
			if err != nil {
				t.Fatalf("cannot be written again: %v", err)
			}
			if bytes.ContainsAny(line, "\n") {
				t.Fatalf("more than one line: %q", line)
			}
			var res record.SpecResult
			_ = e.Decode(&res)
		})
	})
}
