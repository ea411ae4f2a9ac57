package port

import "errors"

// Telnet's commands and the options that matter here (RFC 854, 856, 857, 858,
// 2217).
const (
	iac  = 255
	dont = 254
	do   = 253
	wont = 252
	will = 251
	sb   = 250
	se   = 240

	optBinary  = 0
	optEcho    = 1
	optSGA     = 3
	optComPort = 44
)

// telnetCommand is what a Telnet peer says between the data: a verb with an
// option, or (sb) an option's parameters.
type telnetCommand struct {
	verb, option byte
	data         []byte
}

// maxParameters bounds what is kept of an option's parameters: RFC 2217's
// longest, but for a signature that nobody asked for, has 5 bytes.
const maxParameters = 256

var errParameters = errors.New("a Telnet option without an end")

// telnetReader takes Telnet apart, however the stream was cut up.
type telnetReader struct {
	state func(*telnetReader, byte)
	verb  byte
	sub   []byte
	data  []byte
	said  []telnetCommand
	err   error
}

// parse reads a piece of the stream: the line's bytes, and what the peer said
// between them.
func (t *telnetReader) parse(b []byte) (data []byte, said []telnetCommand, err error) {
	if t.state == nil {
		t.state = (*telnetReader).plain
	}
	t.data, t.said = nil, nil
	for _, c := range b {
		t.state(t, c)
	}
	return t.data, t.said, t.err
}

func (t *telnetReader) plain(c byte) {
	if c == iac {
		t.state = (*telnetReader).command
		return
	}
	t.data = append(t.data, c)
}

func (t *telnetReader) command(c byte) {
	t.state = (*telnetReader).plain
	switch c {
	case iac:
		t.data = append(t.data, iac)
	case will, wont, do, dont:
		t.verb, t.state = c, (*telnetReader).option
	case sb:
		t.sub, t.state = nil, (*telnetReader).parameters
	} // the others, as NOP and BREAK, have no more bytes
}

func (t *telnetReader) option(c byte) {
	t.said = append(t.said, telnetCommand{verb: t.verb, option: c})
	t.state = (*telnetReader).plain
}

func (t *telnetReader) parameters(c byte) {
	if c == iac {
		t.state = (*telnetReader).parametersEnd
		return
	}
	t.keep(c)
}

func (t *telnetReader) parametersEnd(c byte) {
	if c == iac { // doubled: one of the parameters
		t.state = (*telnetReader).parameters
		t.keep(c)
		return
	}
	t.state = (*telnetReader).plain
	if c == se && len(t.sub) > 0 {
		t.said = append(t.said, telnetCommand{verb: sb, option: t.sub[0], data: t.sub[1:]})
	}
}

func (t *telnetReader) keep(c byte) {
	if len(t.sub) == maxParameters {
		t.err = errParameters
		return
	}
	t.sub = append(t.sub, c)
}

// escaped doubles IAC, as data and parameters have it.
func escaped(b []byte) []byte {
	out := make([]byte, 0, len(b)+8)
	for _, c := range b {
		if c == iac {
			out = append(out, iac)
		}
		out = append(out, c)
	}
	return out
}

// unescapedLen is how many of the bytes b their first n escaped ones are.
func unescapedLen(b []byte, n int) (whole int) {
	for _, c := range b {
		if n--; c == iac {
			n--
		}
		if n < 0 {
			break
		}
		whole++
	}
	return whole
}
