package console

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"hilrig/record"
)

// A console that never stops does not fill the disk: what is not kept is said,
// what is sent to it and the last lines are there all the same.
func TestAFloodIsBoundedWithAMark(t *testing.T) {
	var paper bytes.Buffer
	now := time.Now()
	tr := NewTranscript(&paper, record.ClockAt(now))
	const most = 1 << 20
	tr.most, tr.room = most, most
	said, heard := 0, 0
	tr.onLine = func(Direction, string, time.Time) { heard++ }
	flood := func(mb int) {
		line := append(bytes.Repeat([]byte{'x'}, longest-2), '\r', '\n')
		for range mb << 20 / len(line) {
			tr.Add(Received, line, now)
			said++
		}
	}
	flood(3)
	tr.Add(Sent, []byte("9270,10\r"), now)
	tr.Flush()
	if n := paper.Len(); n > most+4096 || n < most-2*longest {
		t.Errorf("%d bytes are kept of %d", n, most)
	}
	if n := strings.Count(paper.String(), "! the console floods: more than 1 MB are in this transcript"); n != 1 {
		t.Errorf("it is said %d times", n)
	}
	if !strings.HasSuffix(paper.String(), `> 9270,10\r`+"\n") {
		t.Error("what is sent is not kept")
	}
	if int64(paper.Len()) != tr.Offset() {
		t.Errorf("offset %d of %d", tr.Offset(), paper.Len())
	}
	before := paper.Len()
	tr.Renew(now)
	flood(1)
	tr.Add(Received, []byte("the last words\r\n"), now)
	if n := paper.Len() - before; n > mostMore+4096 || n < mostMore/2 {
		t.Errorf("%d bytes more for the next spec", n)
	}
	if tail := tr.Tail(1); !strings.HasSuffix(tail[0], `the last words\r\n`) {
		t.Errorf("the tail is %q", tail)
	}
	if said += 2; heard != said { // with the command, and the last words
		t.Errorf("%d lines were heard of %d", heard, said)
	}
	tr.End(now)
	if all := paper.String(); !strings.HasSuffix(all, " bytes received were not kept\n") {
		t.Errorf("at its end: %q", all[len(all)-80:])
	}
}
