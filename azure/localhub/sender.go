package localhub

import (
	"errors"
	"hilrig/azure/hub"
	"os"
	"slices"
	"sync"
	"time"

	"hilrig/azure/mqttwire"
)

const (
	writeWithin = 30 * time.Second // of a device that does not read
	sentAtOnce  = 8 << 10          // bytes that are gathered before they go
	keptBuffer  = 32 << 10         // no buffer over that is kept for the next
)

// outgoing are the buffers of what is gathered for a device. A connection has
// one only while there is something in it.
type outgoing struct{ pool sync.Pool }

func (o *outgoing) get() *[]byte {
	if b, ok := o.pool.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, 0, 1<<10)
	return &b
}

func (o *outgoing) put(b *[]byte) {
	if cap(*b) <= keptBuffer {
		*b = (*b)[:0]
		o.pool.Put(b)
	}
}

// send takes a packet towards the device, unless a fault keeps it back. It goes
// with the next flush.
func (c *conn) send(p mqttwire.Packet) {
	c.sendFor(p, nil)
}

// sendFor is send for a SUBACK of these filters.
func (c *conn) sendFor(p mqttwire.Packet, filters []mqttwire.Filter) {
	p.Name, p.At = mqttwire.TypeName(p.Type), time.Now()
	c.sending.Lock()
	defer c.sending.Unlock()
	fault, kept := c.hub.faults.Use(c.id, func(x hub.Fault) bool {
		return slices.Contains(x.Withhold, p.Type) && (x.Filter == "" || slices.ContainsFunc(filters, func(f mqttwire.Filter) bool { return f.Topic == x.Filter }))
	})
	if p.Type == mqttwire.SUBACK {
		c.serve(filters)
	}
	if kept {
		p.Size = len(p.AppendTo(nil))
		c.packet(p, false, true)
		c.hub.log.Debug("withheld", "packet", p.Name, "fault", fault.Name)
		return
	}
	if fault, ok := c.hub.faults.Use(c.id, func(x hub.Fault) bool { return slices.Contains(x.Late, p.Type) }); ok {
		late := p
		c.later(fault.LateBy, func() {
			c.sending.Lock()
			defer c.sending.Unlock()
			late.At = time.Now()
			c.transmit(late)
			c.flushed()
		})
		return
	}
	c.transmit(p)
}

// later does something after a while, unless the connection ends before.
func (c *conn) later(after time.Duration, do func()) {
	c.hub.running.Go(func() {
		select {
		case <-time.After(after):
			do()
		case <-c.gone:
		}
	})
}

// transmit records a packet and puts it to what goes next, in this order: the
// device's answer must not be recorded before it. The caller holds sending.
func (c *conn) transmit(p mqttwire.Packet) {
	if c.silent.Load() || c.over {
		return
	}
	if c.out == nil {
		c.out = c.hub.outgoing.get()
	}
	before := len(*c.out)
	*c.out = p.AppendTo(*c.out)
	p.Size = len(*c.out) - before
	c.check.Sent(p)
	c.packet(p, false, false)
	if len(*c.out) >= sentAtOnce {
		c.flushed()
	}
}

// flush sends what was gathered.
func (c *conn) flush() {
	c.sending.Lock()
	defer c.sending.Unlock()
	c.flushed()
}

// flushed is flush for who holds sending. Where nothing can be written any more
// the reader learns of it, behind what the device has sent before; a device
// that does not read is cut.
func (c *conn) flushed() {
	if c.out == nil {
		return
	}
	b := c.out
	c.out = nil
	defer c.hub.outgoing.put(b)
	if c.silent.Load() {
		return
	}
	if now := time.Now(); c.writeUntil.Sub(now) < writeWithin {
		c.writeUntil = now.Add(writeWithin + writeWithin/2)
		_ = c.raw.SetWriteDeadline(c.writeUntil)
	}
	if _, err := c.Conn.Write(*b); errors.Is(err, os.ErrDeadlineExceeded) {
		c.cut("the device does not read what it is sent", "")
	}
}
