package console

import (
	"bytes"
	"strings"
	"sync"
)

// gram is how many characters of a key's base64 text are enough to know it by.
// Shorter pieces give nothing away and occur by chance.
const gram = 12

// secrets are the private keys that this console sends, as the set of all
// pieces of their base64 text.
type secrets struct {
	mu    sync.RWMutex
	grams map[string]struct{}
	text  []string
}

// add makes the key in this PEM text known.
func (s *secrets) add(pem []byte) {
	var lines []string
	for line := range strings.Lines(string(pem)) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.Contains(line, "-----") && !strings.Contains(line, ":") {
			lines = append(lines, line)
		}
	}
	body := strings.Join(lines, "")
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.grams == nil {
		s.grams = map[string]struct{}{}
	}
	for i := 0; i+gram <= len(body); i++ {
		s.grams[body[i:i+gram]] = struct{}{}
	}
	s.text = append(s.text, body)
}

func (s *secrets) has(piece []byte) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, ok := s.grams[string(piece)]
	return ok
}

// within reports whether a short piece occurs in a key: what is left over when
// the line falls silent in the middle of one.
func (s *secrets) within(piece []byte) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, t := range s.text {
		if strings.Contains(t, string(piece)) {
			return true
		}
	}
	return false
}

// masker finds private keys in one direction's bytes as they come. A key is
// known by its BEGIN line, or, where the header is damaged, missing or cut up,
// by any piece of gram characters of a key that was made known.
type masker struct {
	known  *secrets
	emit   func(b byte, masked bool)
	run    []byte // pending characters of the current base64 run, at most gram
	hide   []bool // which of them are a key's
	length int    // of the whole run
	recent []byte // the last bytes, to see BEGIN and END lines
	inside int    // bytes since a key began; 0: not inside one
}

// maxKey bounds how long a key without an END line hides what follows.
const maxKey = 16 << 10

func isBase64(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/' || c == '='
}

func (m *masker) feed(b []byte) {
	for _, c := range b {
		if isBase64(c) {
			m.push(c)
		} else {
			m.release()
			m.emit(c, false)
		}
		m.watch(c)
	}
}

// push takes a base64 character. It stays pending until no piece that begins
// before it can still reach it.
func (m *masker) push(c byte) {
	m.length++
	if len(m.run) == gram {
		m.emit(m.run[0], m.hide[0])
		m.run, m.hide = append(m.run[:0], m.run[1:]...), append(m.hide[:0], m.hide[1:]...)
	}
	m.run, m.hide = append(m.run, c), append(m.hide, false)
	if len(m.run) < gram {
		return
	}
	if m.inside > 0 || m.known.has(m.run) {
		for i := range m.hide {
			m.hide[i] = true
		}
	}
}

// release lets the pending characters go: the run has ended.
func (m *masker) release() {
	for i, c := range m.run {
		m.emit(c, m.hide[i])
	}
	m.run, m.hide, m.length = m.run[:0], m.hide[:0], 0
}

// pause is release where the line fell silent: what is pending may be the
// beginning of a piece whose rest comes later.
func (m *masker) pause() {
	if len(m.run) >= 4 && (m.inside > 0 || m.known.within(m.run)) {
		for i := range m.hide {
			m.hide[i] = true
		}
	}
	m.release()
}

// watch follows BEGIN and END lines of private keys, which may have lost their
// line ends.
func (m *masker) watch(c byte) {
	if m.inside > 0 {
		if m.inside++; m.inside > maxKey {
			m.inside = 0
		}
	}
	m.recent = append(m.recent, c)
	if len(m.recent) > 64 {
		m.recent = append(m.recent[:0], m.recent[len(m.recent)-48:]...)
	}
	if c != '-' || !bytes.HasSuffix(m.recent, []byte("PRIVATE KEY-----")) {
		return
	}
	begin, end := bytes.LastIndex(m.recent, []byte("-----BEGIN ")), bytes.LastIndex(m.recent, []byte("-----END "))
	m.inside = 0
	if begin > end {
		m.inside = 1
	}
}
