package onboard

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hilrig/certs"
	"hilrig/hw/emulator"
	"hilrig/hw/port"
	"hilrig/record"
)

// person answers every question alike, and hears everything.
type person struct {
	yes, script bool
	asked, said []string
}

func (p *person) contact() Contact {
	return Contact{
		Yes: p.script, Log: slog.New(slog.DiscardHandler),
		Say: func(format string, args ...any) { p.said = append(p.said, fmt.Sprintf(format, args...)) },
		Ask: func(_ context.Context, question string) bool { p.asked = append(p.asked, question); return p.yes },
	}
}

func (p *person) heard(text string) bool {
	return slices.ContainsFunc(p.said, func(s string) bool { return strings.Contains(s, text) })
}

func request(t *testing.T) Request {
	t.Helper()
	dir := t.TempDir()
	store, err := certs.OpenStore(filepath.Join(dir, "pki"))
	if err != nil {
		t.Fatal(err)
	}
	return Request{
		Baud: port.DefaultBaud, LockDir: filepath.Join(dir, "locks"), Store: store, DeviceID: "NewDevice", Host: "localhost", Listen: "127.0.0.1",
		Watch: 100 * time.Millisecond, BootWithin: time.Second, Within: 20 * time.Second,
	}
}

// learnEmulated learns an emulated device, which finds the hub where it is.
func learnEmulated(t *testing.T, r Request, p *person, networked bool, profile string) (*Result, error) {
	t.Helper()
	h, err := r.openHub(t.Context(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer h.shut()
	c := emulator.Config{DeviceID: r.DeviceID, Interval: 100 * time.Millisecond, Profile: profile, Log: slog.New(slog.DiscardHandler)}
	if networked {
		c.Hub, c.HubName = h.at.String(), r.Host
	}
	ready, done := make(chan string, 1), make(chan error, 1)
	c.Ready = func(path string) { ready <- path }
	ctx, stop := context.WithCancel(t.Context())
	go func() { done <- emulator.Run(ctx, c) }()
	defer func() { stop(); <-done }() // it was stopped
	select {
	case r.Port = <-ready:
	case err := <-done:
		done <- nil
		t.Fatalf("no emulated device: %v", err)
	}
	line, err := port.Open(t.Context(), port.Config{Path: r.Port, Baud: r.Baud, LockDir: r.LockDir, Run: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return learn(t.Context(), line, h, r, p.contact())
}

func TestABoardIsLearntAndBecomesAType(t *testing.T) {
	t.Parallel()
	p := &person{yes: true}
	result, err := learnEmulated(t, request(t), p, true, "")
	if err != nil {
		t.Fatal(err)
	}
	if !result.Loaded || !result.Seen || result.Connect <= 0 || result.Message <= 0 || result.Interval <= 0 || result.Restart != "" || len(result.Notes) > 0 {
		t.Errorf("%+v", result)
	}
	if len(p.asked) != 1 || !strings.Contains(p.asked[0], "What it holds is overwritten") || !p.heard("connected after") {
		t.Errorf("asked %q, said %q", p.asked, p.said)
	}
	text, err := result.DeviceType()
	if err != nil || !strings.Contains(text, `prompt: "SEND FILE..."`) || !strings.Contains(text, "it needs no restart") {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestWithoutAYesNothingIsLoaded(t *testing.T) {
	t.Parallel()
	p := &person{}
	result, err := learnEmulated(t, request(t), p, true, "")
	if err != nil {
		t.Fatal(err)
	}
	if result.Loaded || result.Seen || len(result.Notes) != 1 || p.heard("9270") {
		t.Errorf("%+v; said %q", result, p.said)
	}
	if text, err := result.DeviceType(); err != nil || strings.Contains(text, "prompt:") {
		t.Errorf("%v\n%s", err, text)
	}
}

// A board that does not come is restarted: by its command, else by a person. The
// type is made all the same, and says why not.
func TestABoardThatDoesNotComeIsRestartedAndToldOf(t *testing.T) {
	for name, c := range map[string]struct {
		reboot string
		person person
		said   string
		asked  int
	}{
		"by its command": {"REBOOT", person{script: true}, `restarting it with "REBOOT"`, 0},
		"by hand":        {"", person{yes: true}, "it did not connect", 2},
		"by nobody":      {"", person{script: true}, "it did not connect", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := request(t)
			r.Reboot, r.Within = c.reboot, 300*time.Millisecond
			result, err := learnEmulated(t, r, &c.person, false, "")
			if err != nil {
				t.Fatal(err)
			}
			if result.Seen || result.Restart != "" || len(result.Notes) != 1 || !strings.Contains(result.Notes[0], "no connection came to localhost:") {
				t.Errorf("%+v", result)
			}
			if len(c.person.asked) != c.asked || !c.person.heard(c.said) {
				t.Errorf("asked %q, said %q", c.person.asked, c.person.said)
			}
			if text, err := result.DeviceType(); err != nil || strings.Contains(text, "timing:") {
				t.Errorf("%v\n%s", err, text)
			}
		})
	}
}

// What is loaded may be another hub's: then what can be learnt there is.
func TestTheFilesOfAPerson(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	id, err := certs.NewIdentity(t.Context(), certs.IdentitySpec{DeviceID: "NewDevice"})
	if err != nil {
		t.Fatal(err)
	}
	if err := id.Write(dir); err != nil {
		t.Fatal(err)
	}
	r := request(t)
	r.Certificate, r.Key = filepath.Join(dir, "device.crt"), filepath.Join(dir, "device.key")
	own, err := r.openHub(t.Context(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	own.shut()
	if own.elsewhere || !strings.HasPrefix(own.what, "this machine's test root, ") || !own.identity.Certificate.Equal(id.Certificate) {
		t.Errorf("own identity: %+v", own)
	}
	r.Root = r.Certificate
	p := &person{script: true}
	result, err := learnEmulated(t, r, p, false, "")
	if err != nil {
		t.Fatal(err)
	}
	if !result.Loaded || result.Seen || len(result.Notes) != 1 || !strings.Contains(result.Notes[0], "is not this machine's test hub's") {
		t.Errorf("another hub's root: %+v", result)
	}
}

// What is wrong is found before the board is touched, and nobody is asked.
func TestWhatIsWrongBeforeTheBoardIsTouched(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, c := range map[string]struct {
		change func(*Request)
		class  record.Class
	}{
		"no such file":   {func(r *Request) { r.Certificate, r.Key = "none.crt", "none.key" }, record.Usage},
		"no such port":   {func(r *Request) { r.Port = "/dev/ttyNowhere" }, record.RigPort},
		"hub port taken": {func(r *Request) { r.HubPort = taken.Addr().(*net.TCPAddr).Port }, record.RigHub},
	} {
		r, p := request(t), &person{yes: true}
		c.change(&r)
		if _, err := Learn(t.Context(), r, p.contact()); record.ClassOf(err) != c.class || len(p.asked)+len(p.said) > 0 {
			t.Errorf("%s: %v; asked %q, said %q", name, err, p.asked, p.said)
		}
	}
	if left, err := filepath.Glob(filepath.Join(os.TempDir(), "hilrig-root-*.pem")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// Why a board does not come is told by what the hub saw, in the words of the
// flags that set what the board dials.
func TestWhyABoardDoesNotCome(t *testing.T) {
	r := request(t)
	h, err := r.openHub(t.Context(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer h.shut()
	l := &learner{Request: r}
	if why := l.whyNot(h); why != "no connection came to localhost:0: are broker, port and network set in the board?" {
		t.Errorf("nobody came: %q", why)
	}
	hear := func(what string, events int) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		for h.Events().Mark() < events {
			if ctx.Err() != nil {
				t.Fatalf("%s: %d events", what, h.Events().Mark())
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	plain, err := net.Dial("tcp", h.at.String())
	if err != nil {
		t.Fatal(err)
	}
	_ = plain.Close()
	hear("plain", 3) // accepted, handshake, disconnected
	if why := l.whyNot(h); !strings.Contains(why, "never began TLS: is Use SSL ticked") {
		t.Errorf("no TLS: %q", why)
	}
	if c, err := tls.Dial("tcp", h.at.String(), &tls.Config{ServerName: "other.lan"}); err == nil {
		_ = c.Close()
		t.Fatal("a root that nobody knows was taken")
	}
	hear("refused", 6)
	if why := l.whyNot(h); !strings.Contains(why, "refused by the device with alert") || strings.Contains(why, "timeline") || strings.Contains(why, "rig") {
		t.Errorf("refused: %q", why)
	}
}

func TestAnInterruptAtTheQuestionIsNoAnswer(t *testing.T) {
	r := request(t)
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancelCause(t.Context())
		interrupted := errors.New("interrupted")
		p := &person{}
		contact := p.contact()
		contact.Ask = func(context.Context, string) bool { stop(interrupted); return false }
		here, there := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, there) }() // a board that says nothing
		if result, err := learn(ctx, here, &watchHub{what: "x"}, r, contact); !errors.Is(err, interrupted) || result != nil {
			t.Errorf("%+v, %v", result, err)
		}
		_ = there.Close()
	})
}

func TestAScriptConfirmsWordsThatSayStoredAlone(t *testing.T) {
	l := &learner{Contact: Contact{Yes: true}}
	for said, want := range map[string]bool{"STORED": true, "file ok": true, "ENTRY 5": false, "\xa3\xf2": false} {
		if l.confirmed(t.Context(), said) != want {
			t.Errorf("%q: %v", said, !want)
		}
	}
}
