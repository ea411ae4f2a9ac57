package emulator

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

func rootPEM(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("testdata/root.pem")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The guide's screen (section 4), byte for byte, at the guide's rate.
func TestTheGuidesScreen(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"\r", "\n", "\r\n"} {
		b := start(t, Config{Baud: DefaultBaud})
		b.send("9270,10" + end)
		screen := b.expect("SEND FILE...\r\n")
		b.send(rootPEM(t) + "*")
		screen += b.expect(okText + "\r\n")
		golden(t, "screen.golden", screen)
		b.silent(50 * time.Millisecond)
	}
}

var logLine = regexp.MustCompile(`(?m)^\[\d+\.\d{3}\] GSM: rssi=-\d+\n`)

// Without echo, with other line ends, and with log lines in between, which
// never tear an answer.
func TestChattyProfile(t *testing.T) {
	t.Parallel()
	b := start(t, Config{Baud: DefaultBaud, Profile: "chatty"})
	b.expect("GSM")
	b.expect("\n")
	b.send("9270,10\r")
	screen := b.expect("SEND FILE...\n")
	for rest := rootPEM(t); rest != ""; {
		n := min(len(rest), 300)
		b.send(rest[:n])
		rest = rest[n:]
		time.Sleep(50 * time.Millisecond) // so that log lines fall into the transfer
	}
	b.send("*")
	screen += b.expect(okText + "\n")
	if !logLine.MatchString(screen) {
		t.Error("no log line in between")
	}
	golden(t, "screen-chatty.golden", logLine.ReplaceAllString(screen, ""))
}

func TestCommands(t *testing.T) {
	t.Parallel()
	b := start(t, Config{})
	for _, tc := range []struct{ send, want string }{
		{"VERSION\r", "VERSION\r\n" + Version + "\r\n"},
		{"VERSION\n", "VERSION\r\n" + Version + "\r\n"},
		{"VERSION\r\n", "VERSION\r\n" + Version + "\r\n"},
		{"SERIAL\r", "SERIAL\r\nserial EMU-NewDevice\r\n"},
		{"VERX\x7fSION\r", "VERX\b \bSION\r\n" + Version + "\r\n"},
		{"\r", "\r\n"},
		{"nonsense\r", "nonsense\r\nERROR\r\n"},
		{"9270,40\r", "9270,40\r\nERROR\r\n"},
		{"9270\r", "9270\r\nERROR\r\n"},
		{"9270,x\r", "9270,x\r\nERROR\r\n"},
		{"9270,\r", "9270,\r\nERROR\r\n"},
		{"*\r", "*\r\nERROR\r\n"},
		{"CONNECT\r", "CONNECT\r\nERROR: no identity\r\n"},
		{strings.Repeat("x", 300) + "\r", strings.Repeat("x", maxCommand) + "\r\nERROR\r\n"},
	} {
		b.send(tc.send)
		got := b.expect("\r\n")
		if rest := strings.TrimPrefix(tc.want, got); rest != "" {
			got += b.expect("\r\n")
		}
		if got != tc.want {
			t.Errorf("%q: got %q, want %q", tc.send, got, tc.want)
		}
		b.silent(10 * time.Millisecond)
	}
}

// Sound firmware checks what it is given before it says OK, and keeps what it
// had.
func TestRefusals(t *testing.T) {
	t.Parallel()
	one, other := newIdentity(t, "one", rsaKeys()[0]), newIdentity(t, "other", rsaKeys()[1])
	cutCert, _, _ := strings.Cut(one.cert, "-----END")
	for name, tc := range map[string]struct{ slot, data, want string }{
		"nothing":               {"10", "", "ERROR: root certificate: not a PEM file"},
		"text":                  {"20", "this is no certificate\n", "ERROR: certificate: not a PEM file"},
		"without END":           {"20", cutCert, "ERROR: certificate: file is incomplete"},
		"a key as certificate":  {"20", one.key, "ERROR: certificate: wrong kind of file: PRIVATE KEY"},
		"a certificate as key":  {"30", one.cert, "ERROR: private key: wrong kind of file: CERTIFICATE"},
		"no certificate inside": {"10", pemOf("CERTIFICATE", []byte("nothing")), "ERROR: root certificate: cannot be read"},
		"no key inside":         {"30", pemOf("PRIVATE KEY", []byte("nothing")), "ERROR: private key: cannot be read"},
		"two keys":              {"30", one.key + other.key, "ERROR: private key: more than one key"},
		"a request":             {"20", pemOf("CERTIFICATE REQUEST", []byte("x")), "ERROR: certificate: cannot be read"},
		"half a bundle":         {"10", one.cert + cutCert, "ERROR: root certificate: file is incomplete"},
		"too long":              {"10", one.cert + strings.Repeat("x", maxFile), "ERROR: root certificate: file is too long"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := start(t, Config{})
			if got := b.load(tc.slot, tc.data); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			b.provision(one.cert, one)
		})
	}
}

func TestTakesEveryForm(t *testing.T) {
	t.Parallel()
	id := newIdentity(t, "one", rsaKeys()[0])
	for name, change := range map[string]func(string) string{
		"LF":                 func(s string) string { return s },
		"CRLF":               func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
		"CR":                 func(s string) string { return strings.ReplaceAll(s, "\n", "\r") },
		"no final newline":   strings.TrimSpace,
		"text around blocks": func(s string) string { return "subject: one\n" + s + "\n\n" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := start(t, Config{})
			b.provision(change(id.cert), identity{change(id.cert), change(id.key)})
		})
	}
}

func TestMismatchedPair(t *testing.T) {
	t.Parallel()
	one, other := newIdentity(t, "one", rsaKeys()[0]), newIdentity(t, "other", rsaKeys()[1])
	const want = "key does not fit certificate"
	b := start(t, Config{})
	b.loadOK("20", one.cert)
	if a := b.load("30", other.key); !strings.Contains(a, want) {
		t.Errorf("key behind certificate: %q", a)
	}
	b.loadOK("30", other.key)
	if a := b.load("20", one.cert); !strings.Contains(a, want) {
		t.Errorf("certificate behind key: %q", a)
	}
	b.provision(one.cert, other) // nothing of it is in the way
}

func TestAFileThatPausesIsGivenUp(t *testing.T) {
	t.Parallel()
	if d := sound().fileTimeout; d > 30*time.Second || d < 20*time.Second {
		t.Errorf("a file is given up after %s", d)
	}
	b := startBehaving(t, Config{}, func(b *behaviour) { b.fileTimeout = ms(100) })
	b.send("9270,20\r")
	b.expect("SEND FILE...\r\n")
	b.send("-----BEGIN CERT")
	b.expect("-----BEGIN CERT\r\nERROR: file timed out\r\n")
	b.loadOK("10", rootPEM(t))
}

// What each fault of the terminal shows.
func TestConsoleFaults(t *testing.T) {
	t.Parallel()
	id := newIdentity(t, "one", rsaKeys()[0])
	half := id.cert[:len(id.cert)/2]
	for name, see := range map[string]func(t *testing.T, b *board){
		"silent-ok": func(t *testing.T, b *board) {
			b.send("9270,20\r")
			b.expect("SEND FILE...\r\n")
			b.send(id.cert + "*")
			b.expect("*")
			b.silent(100 * time.Millisecond)
		},
		"ok-before-end": func(t *testing.T, b *board) {
			b.send("9270,20\r")
			b.expect("SEND FILE...\r\n")
			b.send(half)
			b.expect(okText)
		},
		"false-ok-in-log": func(t *testing.T, b *board) {
			b.send("9270,20\r")
			b.expect("SEND FILE...\r\n")
			b.send(half)
			b.expect("[log] last command: " + okText)
			b.send(id.cert[len(half):] + "*")
			b.expect("*" + okText)
		},
		"accepts-garbage":   func(t *testing.T, b *board) { b.loadOK("20", "garbage") },
		"accepts-truncated": func(t *testing.T, b *board) { b.loadOK("20", half) },
		"accepts-wrong-kind": func(t *testing.T, b *board) {
			b.loadOK("30", id.cert)
		},
		"accepts-any-slot": func(t *testing.T, b *board) {
			for _, slot := range []string{"40", "x", ""} {
				b.loadOK(slot, id.cert)
			}
		},
		"accepts-mismatched-pair": func(t *testing.T, b *board) {
			b.loadOK("20", id.cert)
			b.loadOK("30", newIdentity(t, "other", rsaKeys()[1]).key)
		},
		"order-matters": func(t *testing.T, b *board) {
			if a := b.load("30", id.key); a == okText {
				t.Error("took the key first")
			}
			b.provision(id.cert, id)
		},
		"stuck-after-abort": func(t *testing.T, b *board) {
			b.send("9270,20\r")
			b.expect("SEND FILE...\r\n")
			b.send(half + "*\rVERSION\r")
			b.expect("*")
			b.silent(100 * time.Millisecond)
		},
		"prints-key": func(t *testing.T, b *board) {
			b.loadOK("30", id.key)
			b.expect(strings.ReplaceAll(id.key, "\n", "\r\n"))
		},
		"truncates-2k":        func(t *testing.T, b *board) { b.provision(id.cert, id) },
		"drops-newlines":      func(t *testing.T, b *board) { b.provision(id.cert, id) },
		"needs-lf":            func(t *testing.T, b *board) { b.loadOK("20", strings.ReplaceAll(id.cert, "\n", "\r\n")) },
		"needs-final-newline": func(t *testing.T, b *board) { b.loadOK("20", strings.TrimSpace(id.cert)) },
		"counts-nul":          func(t *testing.T, b *board) { b.loadOK("20", strings.TrimSpace(id.cert)) },
		"no-pkcs8":            func(t *testing.T, b *board) { b.loadOK("30", id.key) },
		"ok-without-storing":  func(t *testing.T, b *board) { b.provision(id.cert, id); b.provision(id.cert, id) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			see(t, start(t, Config{Faults: []string{name}}))
		})
	}
}

func TestOverrunsAtLineRate(t *testing.T) {
	t.Parallel()
	id := newIdentity(t, "one", rsaKeys()[0])
	b := start(t, Config{Baud: DefaultBaud, Faults: []string{"overruns"}})
	if a := b.load("20", id.cert); !strings.HasPrefix(a, "ERROR") {
		t.Errorf("a file of %d bytes was not overrun: %q", len(id.cert), a)
	}
}

// A profile that is late with its answers overruns nothing of who waits for
// them.
func TestSlowProfile(t *testing.T) {
	t.Parallel()
	b := start(t, Config{Baud: DefaultBaud, Profile: "slow"})
	time.Sleep(3200 * time.Millisecond) // it boots; what is typed before is lost
	began := time.Now()
	b.loadOK("10", rootPEM(t))
	if d := time.Since(began); d < 500*time.Millisecond || d > 4*time.Second {
		t.Errorf("a load took %s", d)
	}
}
