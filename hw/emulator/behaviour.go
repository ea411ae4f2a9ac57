package emulator

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"time"
)

// behaviour is what the firmware does. Without a fault it is sound; a fault
// changes a field or two, or adds something of its own to the connection.
type behaviour struct {
	terminalBehaviour
	storageBehaviour
	tlsBehaviour
	mqttBehaviour
	retry retry
}

// terminalBehaviour is how the 9270 terminal works.
type terminalBehaviour struct {
	otherRate   bool          // the line is not at the rate that the other side has
	boot        time.Duration // from power-on to the console
	banner      []string      // said meanwhile, a line each
	bootsOnOpen bool          // begins anew whenever its port is opened
	think       span          // before an answer to a command
	store       span          // to check and store a file
	fileTimeout time.Duration // a file that pauses for so long is given up; 0: never
	applyAfter  time.Duration // of silence, until a partly replaced set is used

	echo           bool
	newline        string
	prompt         string
	chatter        time.Duration // between log lines; 0: none
	log            []string      // those lines, in turn; none: the radio's
	xoff           int           // bytes that wait for the firmware when it asks for a pause; 0: it never does
	rxRing, txRing int
	perByte        time.Duration // spent on a received byte
	keepsStar      bool          // whatever else is lost of a file
	echoGaps       int           // every so-manieth byte of a file is not echoed; 0: all are

	okText        string
	okTwice       bool                    // says it once more
	filesPerBoot  int                     // that it takes; 0: all
	silentOK      []int                   // slots whose files it stores without a word
	earlyOK       int                     // says OK after so many bytes of a file; 0: after its end
	falseOK       int                     // says OK in a log line after so many bytes; 0: never
	shows         func(key string) string // prints this of a key once it has it
	showsLater    bool                    // not then, but whenever it connects again
	anySlot       bool                    // says OK to slots that do not exist
	diesRefusing  bool                    // never answers again once a file is no good
	diesWaiting   bool                    // leaves no file that it waited for in vain
	wipesWaiting  bool                    // loses its identity with a file that it gives up
	busyAfterCut  bool                    // refuses one file of a boot while its key cannot be read
	hangsOnSet    bool                    // wholly, once its three files are there, until its power is cut
	stuckByCut    bool                    // never leaves a file that was cut short
	diesUnplugged bool                    // its console never comes back once its line was taken away
	inOrder       bool                    // takes only 10, 20, 30
	rebootsOnSet  bool                    // once its three files are there
	rebootAfter   time.Duration           // of the command
}

// storageBehaviour is what it takes, and what becomes of it.
type storageBehaviour struct {
	accepts    map[string]bool // what it says OK to though it is wrong: the reasons of check
	anyRoot    bool            // says OK to whatever it gets for a root
	keepBytes  int             // of a file; 0: all
	firstOnly  bool            // keeps its first identity whatever it is given
	firstRoot  bool            // keeps its first root
	keepsRoots bool            // keeps the root before beside a new one
	swaps      bool            // presents what is in slot 10
	wipesByCut bool            // a file that was cut short costs the whole identity
	forgets    bool            // without power
	inPlace    bool            // writes a file while it comes, over the one before
	read       func(slot int, stored string) string
}

// tlsBehaviour is the TLS client.
type tlsBehaviour struct {
	minVersion, maxVersion uint16
	suites                 []uint16
	noSNI, noCertificate   bool
	cachesKey              bool            // signs with the first key of a boot, whatever is loaded
	skip                   map[string]bool // checks of the hub's certificate that it lacks
	trustsAfterBadRoot     bool
	hello                  *hello // of a stack that is not Go's; nil: Go's
	skipsSignature         bool   // the hub need not prove that its certificate is its own
	now                    func() time.Time
	fallsBack              bool                                        // verifies nothing after its first refusal
	namesHub               func(c *x509.Certificate, host string) bool // its own check of the hub's name
	handshakeWithin        time.Duration                               // for the whole
	silenceWithin          time.Duration                               // between two bytes of it
	records                []recordEdit                                // on what it gets
	mute                   bool                                        // sends no alerts
	preface                func(net.Conn)                              // on a connection of its own before the real one
	flakyEvery             int                                         // every so-many-th handshake fails
}

// mqttBehaviour is the MQTT client.
type mqttBehaviour struct {
	oneWay         time.Duration // to the hub and back from it; 0: the host's network alone
	connectWait    time.Duration // from boot to the first connection
	rejoin         time.Duration // on top of it, once there is an identity
	settle         time.Duration // from an answer at the terminal to the connection it causes
	level          byte          // 3 or 4; paho has no other
	olderOnce      bool          // tries level 3, at once, when its level was refused
	renamesRefused string        // the client id from CONNACK 2 on; empty: the same
	clientID       string        // with {hub} and {id}, as the texts below
	userName       string
	password       string
	keepAlive      func(time.Duration) time.Duration
	will           string
	topic          string
	filters        []string
	subscribesOnce bool // per boot
	subscribesNew  bool // to a session that is new, or was not acknowledged
	ignoresSuback  bool // does not miss the answer to a SUBSCRIBE
	qos            byte
	payload        func(m *modem, r reading) []byte
	sockets        int                                         // connections of a boot; 0: as many as it likes
	numbers        func(next int64) (send []int64, then int64) // of the messages to send now
	noPublish      bool
	periodic       bool // says good-bye after each message, and comes back for the next
	stretch        int  // times the interval that was asked for
	resetAfter     int  // messages of a boot, which they end; 0: never
	stallAfter     int  // messages of a session; 0: never
	takesOver      bool
	forgetsUnacked bool
	repeatsLast    bool                       // says in a new session what it said last in the one before
	ignoresTwin    bool                       // subscribes, and that is all
	reports        func(patch string) string  // what it reports in place of a patch; nil: that
	answers        func(answer string) string // the same of an answer to a method
	ignoresMethods bool
	crashesCalled  bool          // by a direct method, and boots
	losesTask      bool          // when a direct method is called, says so, and goes on
	crashesCut     bool          // and boots, when its connection is cut
	slowLimit      time.Duration // CONNACK later than this: never publishes; 0: none
	out, in        []edit        // on what it sends and gets
	pings          pinger
	patience       func(keepAlive time.Duration) time.Duration // for CONNACK and PUBACK; 0: for ever
	assumesConnack time.Duration                               // goes on without a CONNACK after so long; 0: never
}

// retry is how the firmware waits between connections.
type retry struct {
	first, most  time.Duration                                          // before jitter
	growth       float64                                                // 1: constant
	jitter       float64                                                // share of the gap that is random, on top
	afterSession time.Duration                                          // instead, when a session was lost that had its CONNACK; 0: no difference
	never        bool                                                   // after a session
	notRefused   bool                                                   // never again after a CONNACK that refused
	notDown      bool                                                   // never again after a hub that was down
	notCut       bool                                                   // never again after a handshake that was cut
	neverOver    bool                                                   // the gaps start over with a restart alone
	stable       time.Duration                                          // that a session must have stood before the gaps start over
	draw         func(failures int, before time.Duration) time.Duration // in place of first, most, growth and jitter
	leak         time.Duration                                          // slower by this with every connection
}

// span is a duration between two bounds.
type span struct{ least, most time.Duration }

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

func exactly(d time.Duration) span { return span{d, d} }

// IoT Hub's suites that Go has; it has no AES-256-CBC with SHA-384.
func hubSuites() []uint16 {
	return []uint16{
		tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
	}
}

// sound is the firmware without a fault, as fast as it can be.
func sound() behaviour {
	return behaviour{
		terminalBehaviour: terminalBehaviour{
			okText: okText,
			think:  exactly(ms(2)), store: exactly(ms(5)), fileTimeout: 28 * time.Second, applyAfter: ms(150),
			echo: true, newline: "\r\n", prompt: "SEND FILE...", rxRing: 512, txRing: 512,
		},
		storageBehaviour: storageBehaviour{accepts: map[string]bool{}},
		tlsBehaviour: tlsBehaviour{
			minVersion: tls.VersionTLS12, maxVersion: tls.VersionTLS12, suites: hubSuites(), skip: map[string]bool{}, now: time.Now,
			handshakeWithin: 2 * time.Minute, silenceWithin: 15 * time.Second,
		},
		mqttBehaviour: mqttBehaviour{
			settle: ms(30), level: 4, clientID: "{id}", userName: "{hub}/{id}/?api-version=2021-04-12",
			numbers: oneByOne, stretch: 1, payload: (*modem).asJSON,
			keepAlive: func(d time.Duration) time.Duration { return d },
			topic:     "devices/{id}/messages/events/", filters: []string{"devices/{id}/messages/devicebound/#"}, qos: 1,
			pings: pinger{idle: 0.5, answer: 1.1},
			patience: func(keepAlive time.Duration) time.Duration {
				return min(10*time.Second, max(2*time.Second, keepAlive/2))
			},
		},
		// One second and a little, so that nobody's clock says less.
		retry: retry{first: ms(1050), most: 24 * time.Second, growth: 1.5, jitter: 0.25},
	}
}
