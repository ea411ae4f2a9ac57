package emulator

import (
	"bytes"
	"crypto/x509"
	"net"
	"strings"
	"time"
)

// inventedFaults are in nobody's tracker that we know of: what a firmware
// engineer could do on a long day. Each has to be caught all the same.
func inventedFaults() []Fault {
	return []Fault{
		{
			Name: "leaks-per-file", Doc: "takes five files, and then says that it is out of memory",
			Stands:   "a buffer that is not freed after each file",
			CaughtBy: specs("provisioning/back-to-back"), Words: []string{"six files"},
			apply: func(b *behaviour) { b.filesPerBoot = 5 },
		},
		{
			Name: "ok-in-lower-case", Doc: "says command processed ok",
			Stands:   "a text that was tidied up, and breaks every script on a line",
			CaughtBy: specs("provisioning/root provisioning/certificate provisioning/key"), Words: []string{"COMMAND PROCESSED OK"},
			apply: func(b *behaviour) { b.okText = strings.ToLower(okText) },
		},
		{
			Name: "trailing-nul", Doc: "publishes the NUL behind its text too",
			Stands:   "sizeof where strlen belongs: half of the readers stop there, the others refuse the message",
			CaughtBy: specs("delivery/payload"), Words: specs("NUL behind"),
			apply: func(b *behaviour) {
				b.payload = func(m *modem, r reading) []byte { return append(m.asJSON(r), 0) }
			},
		},
		{
			Name: "puback-wrong-id", Doc: "acknowledges messages of the hub with the bytes of their packet id the wrong way round",
			Stands:   "a 16-bit number that is copied in the order of the processor",
			CaughtBy: specs("delivery/cloud-to-device"), Words: []string{"no PUBACK for packet id", "256 came"},
			apply: sends(swapAckID),
		},
		{
			Name: "crashes-on-message", Doc: "crashes and boots anew over each message of the hub",
			Stands:   "a stack that overflows in the handler: the message waits for it, and it boots for ever",
			CaughtBy: specs("delivery/cloud-to-device"), Words: []string{"Guru Meditation"},
			apply: func(b *behaviour) {
				b.boot, b.banner = ms(300), []string{"", "Guru Meditation Error: Core 0 panic'ed (LoadProhibited)"}
				b.in = append(b.in, crashOnMessage)
			},
		},
		{
			Name: "watchdog-resets", Doc: "is reset by its watchdog after every third message, and comes back",
			Stands:   "a task that blocks longer than its watchdog allows: what had not been sent is lost each time",
			CaughtBy: specs("delivery/no-loss"), Words: specs("nobody asked for"),
			apply: func(b *behaviour) { b.resetAfter = 3 },
		},
		{
			Name: "caches-key", Doc: "uses a new certificate at once, and its new key after a restart only",
			Stands:   "a key that was handed to the TLS stack at boot",
			CaughtBy: specs("provisioning/replace"), Words: []string{"the key does not belong to the certificate"},
			apply: func(b *behaviour) { b.cachesKey = true },
		},
		{
			Name: "sockets-run-out", Doc: "has eight sockets, and gives none of them back until it restarts",
			Stands:   "a connection that is ended and not closed",
			CaughtBy: specs("tls/handshakes"), Words: []string{"and then none within"},
			apply: func(b *behaviour) { b.sockets = 8 },
		},
		{
			Name: "lookalike-host", Doc: "takes a certificate whose name begins or ends with the hub's",
			Stands:   "strstr and strncmp where the whole name must be compared",
			CaughtBy: specs("tls/wrong-name"), Words: []string{"looks like"},
			apply: func(b *behaviour) { b.namesHub = resembles },
		},
		{
			Name: "common-name-host", Doc: "looks for the hub's name in the subject, whatever the certificate's names are",
			Stands:   "RFC 6125 6.4.4: code of before there were alternative names",
			CaughtBy: specs("tls/wrong-name"), Words: []string{"looks like"},
			apply: func(b *behaviour) {
				b.namesHub = func(c *x509.Certificate, host string) bool { return c.Subject.CommonName == host }
			},
		},
		{
			Name: "falls-back-unverified", Doc: "verifies nothing any more once it has refused a hub",
			Stands:   "a retry with the check switched off, so that support is not called",
			CaughtBy: specs("tls/unknown-root"), Words: []string{"completed with a certificate of an unknown root"},
			apply: func(b *behaviour) { b.fallsBack = true },
		},
		{
			Name: "plain-first", Doc: "speaks MQTT without TLS before it tries with it",
			Stands:   "one code path for both ports: the user name is on the wire in the clear",
			CaughtBy: specs("tls/client-hello"), Words: []string{"without TLS"},
			apply: func(b *behaviour) { b.preface = speakPlain },
		},
		{
			Name: "trailing-space", Doc: "keeps the space behind its client id",
			Stands:   "a parameter that was typed at a terminal and not trimmed",
			CaughtBy: specs("session/client-id"), Words: []string{"client id"},
			apply: func(b *behaviour) { b.clientID = "{id} " },
		},
		{
			Name: "other-devices-topic", Doc: "publishes to the topic of another device",
			Stands:   "an image made from a device that was onboarded before",
			CaughtBy: specs("delivery/topic"), Words: []string{"topic"},
			apply: func(b *behaviour) { b.topic = "devices/Another/messages/events/" },
		},
		{
			Name: "empty-payload", Doc: "publishes messages without a payload",
			Stands:   "a sensor task that is slower than the one that publishes",
			CaughtBy: specs("delivery/payload"), Words: []string{"empty"},
			apply: func(b *behaviour) { b.payload = func(*modem, reading) []byte { return nil } },
		},
		{
			Name: "bursts", Doc: "publishes five messages at once every fifth interval",
			Stands:   "a queue that is sent when the radio wakes up",
			CaughtBy: specs("delivery/interval"), Words: []string{"interval"},
			apply: func(b *behaviour) { b.numbers = fiveAtOnce() },
		},
	}
}

// resembles is a comparison that stops at the shorter of the two names.
func resembles(c *x509.Certificate, host string) bool {
	for _, n := range c.DNSNames {
		if strings.HasPrefix(n, host) || strings.HasSuffix(n, host) {
			return true
		}
	}
	return false
}

// speakPlain sends a CONNECT (MQTT 3.1.1 section 3.1) where TLS belongs.
func speakPlain(c net.Conn) {
	if c.SetDeadline(time.Now().Add(2*time.Second)) != nil {
		return
	}
	if _, err := c.Write([]byte("\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00")); err != nil {
		return
	}
	_, _ = c.Read(make([]byte, 64))
}

// fiveAtOnce counts intervals, and sends on every fifth what had gathered.
func fiveAtOnce() func(int64) ([]int64, int64) {
	intervals := 0
	return func(next int64) ([]int64, int64) {
		if intervals++; intervals%5 != 0 {
			return nil, next
		}
		return []int64{next, next + 1, next + 2, next + 3, next + 4}, next + 5
	}
}

// swapAckID turns the packet id of a PUBACK round.
func swapAckID(_ *packetConn, p *packet) bool {
	if p.kind() == kindPuback {
		id := p.id()
		id[0], id[1] = id[1], id[0]
	}
	return true
}

// crashOnMessage ends this boot when the hub sends a message to the device.
func crashOnMessage(w *packetConn, p *packet) bool {
	if p.kind() == kindPublish && bytes.Contains(p.body, []byte("/messages/devicebound")) {
		w.m.crash()
		return false
	}
	return true
}
