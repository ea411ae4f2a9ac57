// Package tlswire watches a TLS connection from outside: it is given the bytes
// of both directions as they pass on TCP and says what they were — the
// ClientHello with everything in it, the handshake messages in clear, alerts
// by number. crypto/tls hides compression methods, extension bodies, the number
// of an alert and how messages were split over records; this shows them.
//
// It promises never to panic, block or grow without bound whatever it is fed,
// in pieces of any size. It keeps no key and decrypts nothing: of what comes
// after a direction's ChangeCipherSpec it knows that it was there.
//
// It does not know what an Azure IoT Hub is, which device speaks, or whether a
// finding fails a spec. In TLS 1.3 everything behind the ServerHello, alerts
// included, travels as application data and is not seen.
//
// Sources: RFC 5246 (TLS 1.2), RFC 8446 (1.3), RFC 6066 and 8422 (extensions),
// RFC 5746 (renegotiation), RFC 8701 (GREASE), RFC 9325 (recommendations), and
// the IANA TLS registries.
package tlswire
