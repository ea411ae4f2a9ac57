// Package tap stands in front of any hub as a TCP pass-through: it dials the hub
// for each connection that the device makes and carries the bytes of both
// directions as they are. From a copy it reads the plain part of a TLS
// handshake, so that a hub which shows no handshakes has them in its record, and
// it can make the link a bad one.
//
// It promises that no byte is changed, lost, reordered or held up by what reads
// the copy, that the end of a direction travels as it came (FIN as FIN, RST as
// RST), and that once a handshake is over the bytes are the kernel's to carry.
//
// It has no key: of what is encrypted it knows that it was there. The hub behind
// it sees the tap's address in place of the device's.
package tap
