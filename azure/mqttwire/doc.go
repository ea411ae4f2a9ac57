// Package mqttwire reads MQTT control packets off a byte stream and judges a
// client by the normative statements of MQTT 3.1.1 that bind it. MQTT 3.1 and 5
// are recognised by their CONNECT, and not judged.
//
// It promises never to panic, block or grow without bound whatever it is fed,
// to keep a password's length and never its bytes in a [Packet], and to blame
// a client only for what the bytes prove: where a sound client could have sent
// the same, it is silent.
//
// It does not know Azure's rules, TLS, or which device speaks.
//
// Source: MQTT Version 3.1.1, OASIS Standard, 29 October 2014. Statements are
// cited by their ids, "[MQTT-2.3.1-1]"; what has none by its section.
package mqttwire
