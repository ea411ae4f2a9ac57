package hub

import (
	"bytes"
	"unsafe"
)

// bound keeps the record within its bounds now that e is its last: the oldest
// payloads are shortened first, and where that is not enough the oldest events
// go, a tenth at a time. It reports whether any went. With mu held.
func (v *Events) bound(e Event) (trimmed bool) {
	v.bytes += e.size()
	for v.bytes > v.most && v.short < v.base+len(v.list) {
		v.shorten(&v.list[v.short-v.base])
		v.short++
	}
	for len(v.list) > keepEvents || v.bytes > v.most && len(v.list) > 1 {
		v.drop(max(1, len(v.list)/10))
		trimmed = true
	}
	return trimmed
}

// drop lets the oldest events go, in place: nobody else holds the list.
func (v *Events) drop(cut int) {
	for i := range cut {
		v.bytes -= v.list[i].size()
	}
	n := copy(v.list, v.list[cut:])
	clear(v.list[n:])
	v.list, v.base = v.list[:n], v.base+cut
	v.short = max(v.short, v.base)
}

// shorten cuts an event's payload. Who was given the event before has it whole:
// what it points to is replaced, not changed.
func (v *Events) shorten(e *Event) {
	v.bytes -= e.size()
	switch {
	case e.Message != nil && len(e.Message.Payload) > keepPayload:
		m := *e.Message
		m.Payload, m.Cut = cut(m.Payload), true
		e.Message = &m
	case e.Twin != nil && len(e.Twin.Payload) > keepPayload:
		x := *e.Twin
		x.Payload, x.Cut = cut(x.Payload), true
		e.Twin = &x
	case e.Method != nil && len(e.Method.Payload) > keepPayload:
		m := *e.Method
		m.Payload, m.Cut = cut(m.Payload), true
		e.Method = &m
	}
	v.bytes += e.size()
}

// cut has its own memory: what it is of must be free to go.
func cut(payload []byte) []byte { return bytes.Clone(payload[:keepPayload]) }

const (
	aMap         = 400     // bytes of a map of a few entries
	aHandshake   = 2 << 10 // of a hello, read and as it came, and of what is known of the rest
	aCertificate = 4 << 10
)

// size is about how many bytes an event holds in memory.
func (e *Event) size() int {
	n := int(unsafe.Sizeof(*e)) + len(e.Text) + len(e.Remote)
	if p := e.Packet; p != nil {
		n += int(unsafe.Sizeof(*p)) + len(p.Malformed) + len(p.Topic)
	}
	if m := e.Message; m != nil {
		n += int(unsafe.Sizeof(*m)) + 2*aMap + 3*len(m.Topic) + cap(m.Payload)
	}
	if x := e.Twin; x != nil {
		n += int(unsafe.Sizeof(*x)) + cap(x.Payload)
	}
	if m := e.Method; m != nil {
		n += int(unsafe.Sizeof(*m)) + cap(m.Payload)
	}
	if h := e.Handshake; h != nil {
		n += aHandshake + len(h.Certificates)*aCertificate
		if h.Hello != nil {
			n += 2 * len(h.Hello.Raw)
		}
	}
	if c := e.Connect; c != nil {
		n += int(unsafe.Sizeof(*c)) + len(c.ClientID) + len(c.UserName) + len(c.Reason)
	}
	for _, f := range e.Filters {
		n += int(unsafe.Sizeof(f)) + len(f.Topic)
	}
	return n
}
