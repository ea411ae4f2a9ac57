package console

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"hilrig/record"
)

// memory is a line in memory. What is sent arrives at the device at the wire's
// rate; what the device says arrives here at once, one read for each saying.
type memory struct {
	perByte time.Duration

	mu      sync.Mutex
	cond    *sync.Cond
	up      [][]byte // to us
	down    []arriving
	sent    []byte // all that was ever sent
	free    time.Time
	readErr error
	deaf    bool // writes block until Close
	closed  bool
}

type arriving struct {
	b  byte
	at time.Time
}

func newMemory(baud int) *memory {
	m := &memory{}
	if baud > 0 {
		m.perByte = 10 * time.Second / time.Duration(baud)
	}
	m.cond = sync.NewCond(&m.mu)
	return m
}

func (m *memory) Read(b []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.up) == 0 && m.readErr == nil && !m.closed {
		m.cond.Wait()
	}
	switch {
	case len(m.up) > 0:
		n := copy(b, m.up[0])
		if m.up[0] = m.up[0][n:]; len(m.up[0]) == 0 {
			m.up = m.up[1:]
		}
		return n, nil
	case m.closed:
		return 0, io.ErrClosedPipe
	}
	return 0, m.readErr
}

func (m *memory) Write(b []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for m.deaf && !m.closed {
		m.cond.Wait()
	}
	switch {
	case m.closed:
		return 0, io.ErrClosedPipe
	case m.readErr != nil:
		return 0, m.readErr
	}
	if now := time.Now(); m.free.Before(now) {
		m.free = now
	}
	for _, c := range b {
		m.free = m.free.Add(m.perByte)
		m.down = append(m.down, arriving{c, m.free})
	}
	m.sent = append(m.sent, b...)
	m.cond.Broadcast()
	return len(b), nil
}

func (m *memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	m.cond.Broadcast()
	return nil
}

// unplug ends the line from the other side.
func (m *memory) unplug(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.readErr = err
	m.cond.Broadcast()
}

func (m *memory) wasSent() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return string(m.sent)
}

// say is the device printing; each text is a read of its own.
func (m *memory) say(texts ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range texts {
		if t != "" {
			m.up = append(m.up, []byte(t))
		}
	}
	m.cond.Broadcast()
}

// hear is the device's next byte, when it has arrived; false when the line is
// closed.
func (m *memory) hear() (byte, bool) {
	m.mu.Lock()
	for len(m.down) == 0 && !m.closed {
		m.cond.Wait()
	}
	if len(m.down) == 0 {
		m.mu.Unlock()
		return 0, false
	}
	next := m.down[0]
	m.down = m.down[1:]
	m.mu.Unlock()
	time.Sleep(time.Until(next.at))
	return next.b, true
}

// device is a scripted terminal on a line.
type device struct {
	say      func(texts ...string)
	hear     func() (byte, bool)
	echo     bool
	noPrompt bool
	unknown  string                     // to a line that it does not know
	onlyStar bool                       // says that to a `*` alone
	thinks   func() time.Duration       // before that, and reads nothing meanwhile
	stalls   func() time.Duration       // before it reads a line
	prompt   string                     // other than the guide's
	deaf     int                        // to every so-manieth byte of a file; 0: to none
	leaves   int                        // its file by itself after so many bytes; 0: never
	before   func(d *device)            // its prompt
	during   func(d *device, n int)     // after n bytes of a file
	answer   func(d *device, of string) // after the `*`

	mu    sync.Mutex
	files []string // all that it took, by the `*`
	lines []string
}

const okText = "COMMAND PROCESSED OK"

func sayOK(d *device, _ string) { d.say("\r\n" + okText + "\r\n") }

// run is the device until its line ends.
func (d *device) run() {
	var line []byte
	for {
		c, ok := d.hear()
		if !ok {
			return
		}
		if len(line) == 0 && d.stalls != nil {
			time.Sleep(d.stalls())
		}
		if d.echo {
			d.say(string(c))
		}
		if c != '\r' && c != '\n' {
			line = append(line, c)
			continue
		}
		command := string(line)
		line = line[:0]
		d.mu.Lock()
		d.lines = append(d.lines, command)
		d.mu.Unlock()
		if !strings.HasPrefix(command, "9270") {
			if d.thinks != nil {
				time.Sleep(d.thinks())
			}
			if d.unknown != "" && (!d.onlyStar || command == "*") {
				d.say("\r\n" + d.unknown + "\r\n")
			}
			continue
		}
		if d.before != nil {
			d.before(d)
		}
		if !d.noPrompt {
			if d.prompt == "" {
				d.prompt = "SEND FILE..."
			}
			d.say("\r\n\r\n" + d.prompt + "\r\n")
		}
		if !d.take() {
			return
		}
	}
}

func (d *device) take() bool {
	var file []byte
	for heard := 1; ; heard++ {
		c, ok := d.hear()
		if !ok {
			return false
		}
		if d.deaf > 0 && heard%d.deaf == 0 && c != '*' {
			continue
		}
		if d.echo {
			d.say(string(c))
		}
		if c == '*' {
			break
		}
		file = append(file, c)
		if d.during != nil {
			d.during(d, len(file))
		}
		if len(file) == d.leaves {
			return true
		}
	}
	d.mu.Lock()
	d.files = append(d.files, string(file))
	d.mu.Unlock()
	if d.answer == nil {
		d.answer = sayOK
	}
	d.answer(d, string(file))
	return true
}

func (d *device) took() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.files...)
}

// paper is where a test's transcript goes.
type paper struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (p *paper) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.Write(b)
}

func (p *paper) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.String()
}

// bench is a console on a line in memory with a scripted device behind it.
type bench struct {
	*Console
	line  *memory
	dev   *device
	paper *paper
	shown strings.Builder // what OnLine got
	ended sync.WaitGroup  // of the device
}

func newBench(t *testing.T, s Settings, d *device) *bench {
	t.Helper()
	if s.Baud == 0 {
		s.Baud = 115200
	}
	b := &bench{line: newMemory(s.Baud), dev: d, paper: &paper{}}
	if d != nil {
		d.say, d.hear = b.line.say, b.line.hear
		b.ended.Go(d.run)
	}
	b.Console = Open(b.line, s, Options{
		Transcript: NewTranscript(b.paper, record.ClockAt(time.Now())),
		OnLine:     func(_ Direction, text string, _ time.Time) { b.shown.WriteString(text + "\n") },
	})
	return b
}

func (b *bench) close(t *testing.T) {
	t.Helper()
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	b.ended.Wait()
}

// guide is the guide's type.
func guide() Settings {
	return Settings{Baud: 115200, Prompt: "SEND FILE...", Failed: []string{"ERROR", "FAIL"}}
}

func wantClass(t *testing.T, err error, class record.Class, is error) {
	t.Helper()
	if record.ClassOf(err) != class || !errors.Is(err, is) {
		t.Errorf("got %v (class %s), want class %s and %v", err, record.ClassOf(err), class, is)
	}
}
