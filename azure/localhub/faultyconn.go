package localhub

import (
	"hilrig/azure/hub"
	"net"
	"time"

	"hilrig/azure/tlswire"
)

// faultyConn is a connection on which the hub's side of the handshake is cut,
// chopped up or slowed down.
type faultyConn struct {
	net.Conn
	fault hub.Fault
	o     *tlswire.Observer
	met   func()
}

// Read cuts after a message of the device.
func (s *faultyConn) Read(b []byte) (int, error) {
	n, err := s.Conn.Read(b)
	if s.cut() {
		_ = s.Conn.Close()
		return 0, net.ErrClosed
	}
	return n, err
}

// Write sends TLS records: chopped up inside, if the fault says so, and cut
// after a message of the hub.
func (s *faultyConn) Write(b []byte) (int, error) {
	out := b
	if s.fault.RecordSize > 0 && s.o.ChangeCipherSpec(false).IsZero() {
		out = chop(b, s.fault.RecordSize)
	}
	if err := s.send(out); err != nil {
		return 0, err
	}
	if s.cut() {
		_ = s.Conn.Close()
		return 0, net.ErrClosed
	}
	return len(b), nil
}

func (s *faultyConn) send(b []byte) error {
	if s.fault.ByteEvery == 0 || !s.o.ChangeCipherSpec(false).IsZero() {
		_, err := s.Conn.Write(b)
		return err
	}
	due := time.Now()
	for i := range b {
		if _, err := s.Conn.Write(b[i : i+1]); err != nil {
			return err
		}
		due = due.Add(s.fault.ByteEvery) // and not from now: a host that was late makes up for it
		time.Sleep(time.Until(due))
	}
	return nil
}

func (s *faultyConn) cut() bool {
	if s.fault.CutAfter == 0 {
		return false
	}
	for _, m := range s.o.Messages() {
		if m.Type == s.fault.CutAfter {
			s.met()
			return true
		}
	}
	return false
}

const (
	recordHeader           = 5
	recordChangeCipherSpec = 20
	recordHandshake        = 22
)

// chop splits handshake records into records of at most size bytes, which TLS
// allows (RFC 5246 section 6.2.1). Other records stay as they are.
func chop(b []byte, size int) []byte {
	var out []byte
	for len(b) >= recordHeader {
		n := int(b[3])<<8 | int(b[4])
		if len(b) < recordHeader+n {
			break
		}
		head, body := b[:recordHeader], b[recordHeader:recordHeader+n]
		b = b[recordHeader+n:]
		if head[0] == recordChangeCipherSpec {
			return append(append(append(out, head...), body...), b...) // what follows is encrypted: a record is whole or nothing
		}
		if head[0] != recordHandshake {
			out = append(append(out, head...), body...)
			continue
		}
		for len(body) > 0 {
			k := min(size, len(body))
			out = append(out, head[0], head[1], head[2], byte(k>>8), byte(k))
			out = append(out, body[:k]...)
			body = body[k:]
		}
	}
	return append(out, b...)
}
