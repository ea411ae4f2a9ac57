package control_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"hilrig/azure/hub"
	"hilrig/azure/localhub"
	"hilrig/azure/localhub/control"
	"hilrig/record"
)

// TestMain is a hub that never ends by itself, where a test starts this binary
// as one.
func TestMain(m *testing.M) {
	if dir := os.Getenv("CONTROL_TEST_HUB"); dir != "" {
		h, err := localhub.New(localhub.Config{Certificate: tls.Certificate{Certificate: [][]byte{{0}}}})
		if err == nil {
			_, err = control.Listen(context.Background(), control.Config{Dir: dir, Hub: h, Address: "killed:8883"})
		}
		if err != nil {
			panic(err)
		}
		_, _ = os.Stdout.WriteString("ready\n")
		time.Sleep(time.Hour)
	}
	os.Exit(m.Run())
}

func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "hub") // a test's own folder may have too long a name for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return control.Dir(dir)
}

func start(t *testing.T, dir, address string) (*localhub.Hub, *control.Server) {
	t.Helper()
	h, err := localhub.New(localhub.Config{
		Certificate: tls.Certificate{Certificate: [][]byte{{0}}}, Devices: []hub.Device{{ID: "d1"}, {ID: "d2"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := control.Listen(t.Context(), control.Config{
		Dir: dir, Hub: h, Address: address, More: []control.Fault{{Name: "expired", Shows: "a certificate"}},
		Make: func(context.Context, string) (hub.Fault, error) {
			return hub.Fault{Name: "expired", Certificate: &tls.Certificate{}}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), h.Close(context.Background())); err != nil {
			t.Error(err)
		}
	})
	return h, s
}

func class(t *testing.T, name string, err error, want record.Class) {
	t.Helper()
	if record.ClassOf(err) != want {
		t.Errorf("%s: %q, %v", name, record.ClassOf(err), err)
	}
}

func TestOneHubIsFound(t *testing.T) {
	dir := folder(t)
	_, err := control.Find(t.Context(), dir)
	class(t, "no folder", err, record.RigHub)
	hub, s := start(t, dir, "first:8883")
	c, err := control.Find(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" {
		info, err := os.Lstat(s.Path())
		if err != nil || info.Mode() != os.ModeSocket|0o600 {
			t.Errorf("the socket: %v, %v", info.Mode(), err)
		}
	}
	sent, err := c.Send(t.Context(), control.Send{Device: "d1", ID: "m", Payload: []byte("x")})
	if err != nil || sent.ID != "m" || sent.Connected || sent.Waiting != 1 || hub.Pending("d1") != 1 {
		t.Errorf("sent %+v, %v", sent, err)
	}
	about, err := c.About(t.Context())
	if err != nil || about.Address != "first:8883" || len(about.Devices) != 2 || about.Devices[0].Waiting != 1 {
		t.Errorf("about %+v, %v", about, err)
	}
	patched, err := c.Patch(t.Context(), control.Patch{Device: "d1", Desired: []byte(`{"a":1}`)})
	if err != nil || string(patched.Desired) != `{"a":1,"$version":2}` {
		t.Errorf("patched %+v, %v", patched, err)
	}
	_, err = c.Send(t.Context(), control.Send{Device: "d3"})
	class(t, "an unknown device", err, record.Usage)
	_, err = c.Invoke(t.Context(), control.Invoke{Device: "d1", Method: "m"})
	class(t, "a device that is away", err, record.ClassDevice)
	if !strings.Contains(err.Error(), "404103") {
		t.Error(err)
	}
	_, second := start(t, dir, "second:8883")
	_, err = control.Find(t.Context(), dir)
	class(t, "two hubs", err, record.Usage)
	for _, want := range []string{"first:8883", "second:8883", s.Path(), second.Path()} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %s", err, want)
		}
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(second.Path()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket outlives its hub: %v", err)
	}
	if _, err := control.Find(t.Context(), dir); err != nil {
		t.Error(err)
	}
}

// What a killed hub leaves is no hub, and the next sweeps it.
func TestKilledHubIsSwept(t *testing.T) {
	dir := folder(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	killed := exec.CommandContext(t.Context(), exe)
	killed.Env = append(os.Environ(), "CONTROL_TEST_HUB="+dir)
	out, err := killed.StdoutPipe()
	if err := errors.Join(err, killed.Start()); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 6)); err != nil {
		t.Fatal(err)
	}
	if _, err := control.Find(t.Context(), dir); err != nil {
		t.Errorf("while it lives: %v", err)
	}
	if err := killed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = killed.Wait() // it was killed
	left, err := filepath.Glob(filepath.Join(dir, "*.sock"))
	if err != nil || len(left) != 1 {
		t.Fatalf("left behind: %v, %v", left, err)
	}
	_, err = control.Find(t.Context(), dir)
	class(t, "killed", err, record.RigHub)
	if !strings.Contains(err.Error(), "1 that ran was killed") {
		t.Error(err)
	}
	_, s := start(t, dir, "next:8883")
	if left, _ := filepath.Glob(filepath.Join(dir, "*.sock")); len(left) != 1 || left[0] != s.Path() {
		t.Errorf("not swept: %v", left)
	}
}

// A folder or a socket that others may write is not trusted, nor one of
// somebody else.
func TestOthersAreNotTrusted(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such modes")
	}
	dir := folder(t)
	_, s := start(t, dir, "a:8883")
	c, err := control.Find(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(s.Path(), 0o666); err != nil {
		t.Fatal(err)
	}
	_, err = control.Open(s.Path())
	class(t, "a socket for everybody", err, record.RigHost)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	_, err = control.Find(t.Context(), dir)
	class(t, "a folder for everybody", err, record.RigHost)
	_, err = control.Listen(t.Context(), control.Config{Dir: dir})
	class(t, "a hub in it", err, record.RigHost)
	link := filepath.Join(filepath.Dir(dir), "link.sock")
	if err := os.Symlink(s.Path(), link); err != nil {
		t.Fatal(err)
	}
	_, err = control.Open(link)
	class(t, "a link", err, record.RigHost)
	if os.Geteuid() != 0 {
		t.Log("not root: no file of another user to try")
		return
	}
	if err := errors.Join(os.Chmod(s.Path(), 0o600), os.Chown(s.Path(), 65534, 65534)); err != nil {
		t.Fatal(err)
	}
	_, err = control.Open(s.Path())
	class(t, "another user's", err, record.RigHost)
	_ = c
}

func TestTooLongAPathIsSaid(t *testing.T) {
	_, err := control.Listen(t.Context(), control.Config{Dir: filepath.Join(folder(t), strings.Repeat("x", 120))})
	class(t, "a long path", err, record.RigHost)
	if err == nil || !strings.Contains(err.Error(), "--state") {
		t.Error(err)
	}
}

// A caller that says nothing, or nonsense, holds nobody up.
func TestNonsenseIsRefused(t *testing.T) {
	dir := folder(t)
	_, s := start(t, dir, "a:8883")
	for _, say := range []string{"", "\x10\x00", "POST /send HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n{", "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"} {
		c, err := net.Dial("unix", s.Path())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write([]byte(say)); err != nil {
			t.Error(err)
		}
	}
	c, err := control.Find(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.About(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestFaultsAreShownAndLifted(t *testing.T) {
	dir := folder(t)
	start(t, dir, "a:8883")
	c, err := control.Find(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	show := func(q control.Show) []control.Shown {
		t.Helper()
		shown, err := c.Fault(t.Context(), q)
		if err != nil {
			t.Errorf("%+v: %v", q, err)
		}
		return shown
	}
	shown := 0
	for _, f := range localhub.NamedFaults() {
		if f.Now != nil {
			_, err := c.Fault(t.Context(), control.Show{Fault: f.Name})
			class(t, f.Name+" to no session", err, record.RigHub)
			continue
		}
		if f.Away {
			continue
		}
		shown++
		if got := show(control.Show{Fault: localhub.FaultName(f.Name), Device: "d1", Times: 2}); len(got) != 1 || got[0].Fault != f.Name || got[0].Count != 0 || got[0].Done {
			t.Errorf("%s: %+v", f.Name, got)
		}
	}
	show(control.Show{Fault: "Expired"})
	if now, err := c.Faults(t.Context()); err != nil || len(now) != shown+1 {
		t.Errorf("%d are shown, %v", len(now), err)
	}
	if got := show(control.Show{Fault: "no-puback", Lift: true}); len(got) != 1 {
		t.Errorf("lifted %+v", got)
	}
	show(control.Show{Lift: true})
	if now, err := c.Faults(t.Context()); err != nil || len(now) != 0 {
		t.Errorf("still shown: %+v, %v", now, err)
	}
	for name, q := range map[string]control.Show{
		"no fault": {Fault: "nonsense"}, "no device": {Fault: "no-puback", Device: "d3"}, "not shown": {Fault: "no-puback", Lift: true},
	} {
		_, err := c.Fault(t.Context(), q)
		class(t, name, err, record.Usage)
	}
}

// The hub goes once, and comes back at the same port when that is lifted.
func TestTheHubGoesAwayAndComesBack(t *testing.T) {
	dir := folder(t)
	h, _ := start(t, dir, "a:8883")
	address, err := h.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	there := func() bool {
		c, err := net.Dial("tcp", address.String())
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	}
	c, err := control.Find(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	for name, q := range map[string]control.Show{"one device": {Fault: "hub-down", Device: "d1"}, "twice": {Fault: "hub-down", Times: 2}} {
		_, err := c.Fault(t.Context(), q)
		class(t, name, err, record.Usage)
	}
	if !there() {
		t.Error("it went for an order that was refused")
	}
	for range 2 {
		if _, err := c.Fault(t.Context(), control.Show{Fault: "Hub-Down"}); err != nil || there() {
			t.Errorf("there %t, %v", there(), err)
		}
	}
	if now, err := c.Faults(t.Context()); err != nil || len(now) != 1 || now[0].Fault != "hub-down" || now[0].Count != 1 || now[0].Done {
		t.Errorf("%+v, %v", now, err)
	}
	if _, err := c.Fault(t.Context(), control.Show{Lift: true, Device: "d1"}); err != nil || there() {
		t.Errorf("what is shown to d1 is lifted: there %t, %v", there(), err)
	}
	squatter, err := net.Listen("tcp", address.String())
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Fault(t.Context(), control.Show{Lift: true})
	class(t, "the port is taken", err, record.RigHub)
	if now, _ := c.Faults(t.Context()); len(now) != 1 {
		t.Errorf("shown: %+v", now)
	}
	_ = squatter.Close()
	if got, err := c.Fault(t.Context(), control.Show{Lift: true}); err != nil || len(got) != 1 || !there() {
		t.Errorf("lifted %+v, there %t, %v", got, there(), err)
	}
}
