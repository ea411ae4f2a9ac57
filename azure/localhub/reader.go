package localhub

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"hilrig/azure/mqttwire"
)

// readAtOnce is how many bytes of the device are taken at once. A connection
// that waits holds no more than that.
const readAtOnce = 512

// run reads the device's packets until the connection ends.
func (c *conn) run() {
	defer c.ended()
	b := make([]byte, readAtOnce)
	for {
		n, err := c.Conn.Read(b)
		if c.silent.Load() {
			if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
				continue
			}
			n = 0
		}
		if !c.feed(b[:n]) {
			break
		}
		if err != nil {
			c.readEnded(err)
			break
		}
	}
	c.flush() // what it was answered last; it may be gone
}

// turn comes before each wait for the device: what it is answered goes first,
// all in one piece.
func (c *conn) turn() error {
	c.flush()
	if c.left {
		return io.EOF
	}
	until := c.since.Add(c.timeout)
	if c.connect != nil || c.silent.Load() {
		until = time.Now().Add(c.timeout)
	}
	return c.raw.SetReadDeadline(until)
}

// feed takes the next bytes; false ends the connection.
func (c *conn) feed(b []byte) bool {
	for len(b) > 0 {
		f, rest, ok := c.in.Next(b)
		if ok && !c.receive(f) {
			return false
		}
		if broken := c.in.Err(); broken != nil {
			c.violations(c.check.Broken(broken, time.Now()))
			c.refuseOn("malformed: " + broken.Error())
			return false
		}
		b = rest
	}
	if c.connect == nil && c.in.Pending() > maxBeforeConnect {
		c.refuseOn("more than 8 kB without a CONNECT")
		return false
	}
	return true
}

func (c *conn) readEnded(err error) {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded) && c.deaf:
		c.cut("", "") // why was said when it was refused
	case errors.Is(err, os.ErrDeadlineExceeded) && c.connect == nil:
		c.cut(fmt.Sprintf("no CONNECT within %s", c.timeout), "")
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.cut(fmt.Sprintf("nothing within 1.5 × keep-alive, %s", c.timeout), "")
	case errors.Is(err, io.EOF):
		c.endedByDevice("closed by the device")
	default:
		c.endedByDevice("connection lost: " + reason(err).Error())
	}
}

// receive records a packet of the device and answers it by the hub's rules;
// false ends the connection.
func (c *conn) receive(f mqttwire.Frame) bool {
	p, bad := c.check.Feed(f, true)
	c.packet(p, true, false)
	c.violations(bad)
	switch {
	case c.deaf && p.Type == mqttwire.DISCONNECT:
		c.leaves()
		return true
	case c.deaf || c.left:
		return true // it is in the record; nobody answers
	case p.Type == mqttwire.CONNECT && c.connect == nil:
		return c.receiveConnect(p)
	case p.Malformed != "" && p.Type != mqttwire.CONNECT:
		c.refuseOn("malformed " + p.Name + ": " + p.Malformed)
		return false
	case c.connect == nil || p.Type == mqttwire.CONNECT:
		c.refuseOn("the first packet must be CONNECT, and the only one; this is " + p.Name)
		return false
	case p.Illegal != "":
		c.refuseOn("illegal packet: " + p.Illegal)
		return false
	}
	return c.answer(f, p)
}

// answer is what a session does with a packet.
func (c *conn) answer(f mqttwire.Frame, p mqttwire.Packet) bool {
	switch p.Type {
	case mqttwire.PUBLISH:
		return c.receivePublish(f, p)
	case mqttwire.PUBACK:
		c.receivePuback(p)
	case mqttwire.PUBREC, mqttwire.PUBCOMP: // of nothing: the hub sends no QoS 2
	case mqttwire.SUBSCRIBE:
		return c.receiveSubscribe(p)
	case mqttwire.UNSUBSCRIBE:
		c.hub.subs.remove(c.deviceID, p.Filters)
		c.send(mqttwire.Packet{Type: mqttwire.UNSUBACK, ID: p.ID})
	case mqttwire.PINGREQ:
		c.send(mqttwire.Packet{Type: mqttwire.PINGRESP})
	case mqttwire.DISCONNECT:
		c.leaves()
	default:
		c.refuseOn(p.Name + ": a device has no use for it here")
		return false
	}
	return true
}

// leaves is a DISCONNECT. What the device has sent behind it is recorded, and
// no more is waited for.
func (c *conn) leaves() {
	c.left = true
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bye = true
	if c.why == "" {
		c.why, c.byDevice = "DISCONNECT by the device", true
	}
}
