package port

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// The com port option's commands (RFC 2217, section 3). A server answers each
// with 100 more.
const (
	setBaudrate  = 1
	setDatasize  = 2
	setParity    = 3
	setStopsize  = 4
	setControl   = 5
	answerOffset = 100

	noFlowOut = 1 // values of setControl
	dtrOn     = 8
	rtsOn     = 11
	noFlowIn  = 14
)

// telnetWire is a line behind a server that speaks RFC 2217: Telnet, with the
// line's mode as an option. After it was opened the mode is not touched again.
type telnetWire struct {
	raw    *networkWire
	reader telnetReader
	left   []byte // received with the answers, and not yet read
	buffer []byte
	early  []telnetCommand // said by the server before it was asked

	writing sync.Mutex    // WriteBy, and Read's answers to the server
	told    map[byte]bool // options that were refused: said once
}

// openTelnet sets the line to 8N1 at the rate, without flow control, and
// raises DTR and RTS as opening a line of this machine does. It waits until
// the server has said that it did so.
func openTelnet(ctx context.Context, raw *networkWire, baud int) (*telnetWire, error) {
	w := &telnetWire{raw: raw, buffer: make([]byte, 4096), told: map[byte]bool{}}
	deadline := time.Now().Add(setUpWithin)
	defer context.AfterFunc(ctx, func() { _ = raw.conn.Close() })()
	for _, step := range []func() error{
		func() error { return w.listen(deadline) },
		func() error { return w.agree(deadline) },
		func() error { return w.setMode(baud, deadline) },
	} {
		if err := step(); err != nil {
			if ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			return nil, err
		}
	}
	return w, raw.conn.SetReadDeadline(time.Time{})
}

// firstWord is how long the server is listened to before anything is said to
// it. One that is taken says so and hangs up: what it said is lost if it then
// gets bytes that it does not want.
const firstWord = 200 * time.Millisecond

func (w *telnetWire) listen(deadline time.Time) error {
	if err := w.raw.conn.SetReadDeadline(time.Now().Add(firstWord)); err != nil {
		return w.raw.ended(err)
	}
	for {
		said, err := w.hear()
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		w.early = append(w.early, said...)
		if err != nil || len(said) > 0 {
			break
		}
	}
	if err := w.raw.conn.SetReadDeadline(deadline); err != nil {
		return w.raw.ended(err)
	}
	return nil
}

// agree asks for eight clean bits both ways and for the com port option.
func (w *telnetWire) agree(deadline time.Time) error {
	ask := []byte{
		iac, will, optComPort, iac, will, optBinary, iac, do, optBinary, iac, will, optSGA, iac, do, optSGA,
	}
	if err := w.say(ask, deadline); err != nil {
		return err
	}
	type reply struct{ verb, option byte }
	open := map[reply]bool{{do, optComPort}: true, {do, optBinary}: true, {will, optBinary}: true}
	for len(open) > 0 {
		said, err := w.early, error(nil)
		if w.early = nil; len(said) == 0 {
			said, err = w.hear()
		}
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return because(ErrNoControl, fmt.Errorf("no RFC 2217 within %s: is it a raw port?", setUpWithin))
		case err != nil:
			return err
		}
		for _, c := range said {
			switch {
			case c.verb == dont && c.option == optComPort:
				return because(ErrNoControl, errors.New("it speaks Telnet without RFC 2217"))
			case (c.verb == dont || c.verb == wont) && c.option == optBinary:
				return because(ErrNoControl, errors.New("it does not carry all bytes (Telnet option BINARY refused)"))
			}
			delete(open, reply{c.verb, c.option})
		}
		if err := w.refuse(said, deadline); err != nil {
			return err
		}
	}
	return nil
}

// refuse answers what the server wants beyond what it was asked for: no.
func (w *telnetWire) refuse(said []telnetCommand, deadline time.Time) error {
	var answer []byte
	for _, c := range said {
		known := c.option == optBinary || c.option == optSGA || c.option == optComPort
		key := c.option
		switch {
		case known || c.verb != do && c.verb != will || w.told[key]:
			continue
		case c.verb == do:
			answer = append(answer, iac, wont, c.option)
		default:
			answer = append(answer, iac, dont, c.option)
		}
		w.told[key] = true
	}
	if len(answer) == 0 {
		return nil
	}
	return w.say(answer, deadline)
}

// setting is a part of the line's mode and how the server must answer.
type setting struct {
	name    string
	command byte
	value   []byte
}

func (w *telnetWire) setMode(baud int, deadline time.Time) error {
	rate := binary.BigEndian.AppendUint32(nil, uint32(baud))
	mode := []setting{
		{fmt.Sprintf("rate of %d", baud), setBaudrate, rate},
		{"8 data bits", setDatasize, []byte{8}},
		{"no parity", setParity, []byte{1}},
		{"1 stop bit", setStopsize, []byte{1}},
	}
	var ask []byte
	open := map[byte]setting{}
	for _, s := range mode {
		ask = append(ask, parameters(s.command, s.value...)...)
		open[s.command+answerOffset] = s
	}
	// Servers answer these with what they like (sredird: always 1), and those
	// whose line has no such wires not at all: not waited for.
	for _, v := range []byte{noFlowOut, noFlowIn, dtrOn, rtsOn} {
		ask = append(ask, parameters(setControl, v)...)
	}
	if err := w.say(ask, deadline); err != nil {
		return err
	}
	for len(open) > 0 {
		said, err := w.hear()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return because(ErrNoControl, fmt.Errorf("it has not set the line within %s", setUpWithin))
		}
		if err != nil {
			return err
		}
		for _, c := range said {
			if err := settled(open, c); err != nil {
				return err
			}
		}
	}
	return nil
}

// settled takes a server's answer off what is open.
func settled(open map[byte]setting, c telnetCommand) error {
	if c.verb != sb || c.option != optComPort || len(c.data) == 0 {
		return nil
	}
	s, waited := open[c.data[0]]
	got := c.data[1:]
	if !waited || len(got) < len(s.value) {
		return nil
	}
	for i := range s.value { // sredird's answers have zeros behind them
		if got[i] != s.value[i] {
			return because(ErrNoControl, fmt.Errorf("asked for a %s it answers %v", s.name, number(got[:len(s.value)])))
		}
	}
	delete(open, c.data[0])
	return nil
}

func number(b []byte) (n uint64) {
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}

func parameters(command byte, value ...byte) []byte {
	out := append([]byte{iac, sb, optComPort, command}, escaped(value)...)
	return append(out, iac, se)
}

// say sends what is Telnet already.
func (w *telnetWire) say(b []byte, deadline time.Time) error {
	w.writing.Lock()
	defer w.writing.Unlock()
	_, err := w.raw.WriteBy(b, deadline)
	return err
}

// hear reads until there is something: the line's bytes are kept for Read.
func (w *telnetWire) hear() ([]telnetCommand, error) {
	n, err := w.raw.Read(w.buffer)
	if err != nil {
		return nil, err
	}
	data, said, err := w.reader.parse(w.buffer[:n])
	w.left = append(w.left, data...)
	return said, err
}

func (w *telnetWire) Read(b []byte) (int, error) {
	for len(w.left) == 0 {
		said, err := w.hear()
		if err == nil {
			err = w.refuse(said, time.Now().Add(setUpWithin))
		}
		if err != nil {
			return 0, err
		}
	}
	n := copy(b, w.left)
	w.left = w.left[n:]
	return n, nil
}

func (w *telnetWire) WriteBy(b []byte, deadline time.Time) (int, error) {
	w.writing.Lock()
	defer w.writing.Unlock()
	n, err := w.raw.WriteBy(escaped(b), deadline)
	return unescapedLen(b, n), err
}

func (w *telnetWire) Close() error { return w.raw.Close() }
