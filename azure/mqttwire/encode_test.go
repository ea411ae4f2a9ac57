package mqttwire

// Packets of a server, as tests write them.

func Pingresp() []byte { return Packet{Type: PINGRESP}.AppendTo(nil) }

func Puback(id uint16) []byte { return Packet{Type: PUBACK, ID: id}.AppendTo(nil) }

func Suback(id uint16, returnCodes ...byte) []byte {
	return Packet{Type: SUBACK, ID: id, ReturnCodes: returnCodes}.AppendTo(nil)
}

func Publish(p Packet) []byte {
	p.Type = PUBLISH
	return p.AppendTo(nil)
}
