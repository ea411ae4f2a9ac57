package emulator

import "time"

// behaviour is what the firmware does. Its zero-fault form is sound; a fault
// changes a field or two.
type behaviour struct {
	// timing
	boot        time.Duration // from power-on to the console
	think       time.Duration // before an answer to a command
	store       time.Duration // to check and store a file
	applyAfter  time.Duration // quiet console before a partly replaced set is used
	connectWait time.Duration // before the first connection after boot

	// console
	echo           bool
	newline        string
	chatter        time.Duration // between log lines; 0: none
	rxRing         int           // bytes of the UART's receive buffer
	perByte        time.Duration // the firmware spends on a received byte, beyond the line
	silentOK       bool
	okBeforeEnd    bool
	acceptGarbage  bool
	acceptCut      bool
	acceptKind     bool
	acceptSlot     bool
	acceptPair     bool
	firstOnly      bool // stores the first complete identity, none after it
	swapSlots      bool
	stuckAfterStop bool
	abortWipes     bool
	printsKey      bool
	falseOK        bool
	inOrder        bool
	keepBytes      int    // silently truncates a file; 0: whole
	needs          string // "lf", "final-newline", "newlines": OK, but unusable without
	noPKCS8        bool
	forgets        bool // identity lost at power-off
	halfWrites     bool // storage is written in place, slowly

	// tls
	minVersion, maxVersion                       uint16
	suites                                       []uint16
	noSNI, noClientCert, mute, trustAfterBadRoot bool
	skipAll, skipHost, skipExpiry, skipNotBefore bool
	skipPurpose, skipCA                          bool
	handshakeWithin                              time.Duration
	flaky                                        int // one handshake in so many fails

	// mqtt
	level                        byte // 3, 4 or 5
	clientIDSuffix               string
	userName                     string // with {hub} and {id}
	password                     string
	keepAlive                    *time.Duration
	willTopic                    string
	topic                        string // with {id}
	filters                      []string
	qos                          byte
	retain                       bool
	pad                          int // bytes added to a payload
	corrupt                      bool
	neverPublishes               bool
	loseEvery, doubleEvery       int64
	swapEvery                    int64
	stallAfter                   int64
	stretch                      int // times the interval that was asked for
	selfTakeover                 bool
	retry                        retry
	neverBack, giveUpWhenRefused bool
	withoutConnack               bool
}

// retry is how the firmware waits between connections.
type retry struct {
	first, most time.Duration
	growth      float64 // 1: constant
	jitter      float64 // share of the gap that is random
	afterKick   *time.Duration
}

// sound is the firmware without a fault, in one of its profiles.
func sound(profile string) behaviour {
	b := behaviour{
		think: 2 * time.Millisecond, store: 5 * time.Millisecond, applyAfter: 150 * time.Millisecond,
		echo: true, newline: "\r\n", rxRing: 1024,
		minVersion: 0x0303, maxVersion: 0x0303, suites: []uint16{0xc02f, 0xc030, 0xc027},
		handshakeWithin: 20 * time.Second,
		stretch:         1, level: 4, userName: "{hub}/{id}/?api-version=2021-04-12", topic: "devices/{id}/messages/events/",
		filters: []string{"devices/{id}/messages/devicebound/#"}, qos: 1,
		retry: retry{first: 1100 * time.Millisecond, most: 30 * time.Second, growth: 2, jitter: 0.3},
	}
	switch profile {
	case "slow":
		b.boot, b.think, b.store = 1500*time.Millisecond, 300*time.Millisecond, 900*time.Millisecond
		b.connectWait = 700 * time.Millisecond
	case "chatty":
		b.echo, b.newline, b.chatter = false, "\n", 120*time.Millisecond
	}
	return b
}
