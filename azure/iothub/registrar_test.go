package iothub

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hilrig/azure/hub"
	"hilrig/azure/iothub/access"
	"hilrig/azure/iothub/registry"
	"hilrig/azure/localhub"
	"hilrig/azure/localhub/registryapi"
	"hilrig/certs"
	"hilrig/record"
)

// rig is a registry over HTTPS, its client, and a state folder.
type rig struct {
	*registry.Client
	t     *testing.T
	state string

	mu    sync.Mutex
	calls []string
}

func openRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, state: t.TempDir()}
	store, err := certs.OpenStore(filepath.Join(r.state, "pki"))
	if err != nil {
		t.Fatal(err)
	}
	server, err := store.Server(t.Context(), "localhost")
	if err != nil {
		t.Fatal(err)
	}
	h, err := localhub.New(localhub.Config{Host: "localhost", Certificate: server})
	if err != nil {
		t.Fatal(err)
	}
	key, err := registryapi.OpenKey(t.Context(), r.state)
	if err != nil {
		t.Fatal(err)
	}
	api := registryapi.New(registryapi.Config{Host: "localhost", Hub: h, Key: key, Certificate: server, Seen: func(x registryapi.Exchange) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.calls = append(r.calls, x.Method)
	}})
	at, err := api.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := errors.Join(api.Close(ctx), h.Close(ctx)); err != nil {
			t.Error(err)
		}
	})
	file, err := key.WriteConnectionString(r.state, "localhost", at)
	if err != nil {
		t.Fatal(err)
	}
	connection, err := access.FromFile(file)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(store.Root().Certificate)
	r.Client = registry.New(access.ByKey(connection), registry.Options{Network: access.Network{Endpoint: net.JoinHostPort("localhost", connection.Port), Roots: roots}, Pause: time.Millisecond})
	t.Cleanup(r.Close)
	return r
}

// asked are the calls since the last time.
func (r *rig) asked() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := strings.Join(r.calls, " ")
	r.calls = nil
	return all
}

func (r *rig) open(name string, adopt bool, at Registry) *registrar {
	r.t.Helper()
	g, err := r.tryOpen(name, adopt, at)
	if err != nil {
		r.t.Fatal(err)
	}
	if got := r.asked(); got != "GET" {
		r.t.Errorf("to open it called %q", got)
	}
	return g
}

func (r *rig) tryOpen(name string, adopt bool, at Registry) (*registrar, error) {
	c := Config{Host: "localhost", Registry: at, Adopt: adopt}
	return openRegistrar(r.t.Context(), c, hub.Setup{DeviceID: "d", Rig: name, Run: "run-1", StateDir: r.state, Log: slog.New(slog.DiscardHandler)})
}

func (r *rig) device() (registry.Device, bool) {
	r.t.Helper()
	d, err := r.Get(r.t.Context(), "d")
	if err != nil && !errors.Is(err, registry.ErrNotFound) {
		r.t.Fatal(err)
	}
	return d, err == nil
}

// journals are what the state folder has of them.
func (r *rig) journals() string {
	r.t.Helper()
	names, err := filepath.Glob(filepath.Join(Folder(r.state, "localhost"), "journal-*.json"))
	if err != nil {
		r.t.Fatal(err)
	}
	var all []byte
	for _, n := range names {
		text, err := os.ReadFile(n)
		if err != nil {
			r.t.Fatal(err)
		}
		all = append(all, text...)
	}
	return string(all)
}

// byHand makes the device as a person would.
func (r *rig) byHand(reason string) registry.Device {
	r.t.Helper()
	d, err := r.Create(r.t.Context(), registry.Device{ID: "d", StatusReason: reason, PrimaryThumbprint: first, SecondaryThumbprint: first})
	if err != nil {
		r.t.Fatal(err)
	}
	r.asked()
	return d
}

var first, second = strings.Repeat("A1", 32), strings.Repeat("B2", 32)

func known(prints ...string) hub.Device { return hub.Device{ID: "d", Thumbprints: prints} }

// One call for the first identity, one for each further one, none for the same
// again, and one at the end.
func TestADeviceIsMadeChangedAndRemoved(t *testing.T) {
	r := openRig(t)
	g := r.open("bench-1", false, r.Client)
	for _, step := range []struct {
		what  string
		do    func() error
		calls string
	}{
		{"the first identity", func() error { return g.Register(t.Context(), known(strings.ToLower(first))) }, "PUT"},
		{"the same again", func() error { return g.Register(t.Context(), known(first)) }, ""},
		{"the next", func() error { return g.Register(t.Context(), known(second, first)) }, "PUT"},
		{"none", func() error { return g.Register(t.Context(), known()) }, "PUT"},
		{"one again", func() error { return g.Register(t.Context(), known(second)) }, "PUT"},
		{"the end", func() error { return g.close(t.Context()) }, "DELETE"},
	} {
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.what, err)
		}
		if got := r.asked(); got != step.calls {
			t.Errorf("%s: called %q, want %q", step.what, got, step.calls)
		}
	}
	if d, there := r.device(); there || r.journals() != "" {
		t.Errorf("left behind: %+v, %q", d, r.journals())
	}
}

// beforeMade is a registry whose device must stand in a journal before it is made.
type beforeMade struct {
	*rig
	noted string
}

func (b *beforeMade) Create(ctx context.Context, d registry.Device) (registry.Device, error) {
	b.noted = b.journals()
	return b.rig.Create(ctx, d)
}

// What a run made that was killed is found by its journal and its mark, and by
// nothing else; here the lock of its journal is let go, as a kill does.
func TestWhatAKilledRunLeft(t *testing.T) {
	for _, c := range []struct {
		name  string
		after func(r *rig, left registry.Device)
		calls string
		what  string
		stays bool
	}{
		{"as it was left", func(*rig, registry.Device) {}, "GET DELETE", "removed", false},
		{"removed by hand", func(r *rig, _ registry.Device) { mustDelete(r) }, "GET", "gone already", false},
		{"made anew by another rig", func(r *rig, _ registry.Device) {
			mustDelete(r)
			r.byHand(NewMark("bench-2", "run-9", time.Now().Add(time.Hour)).String())
		}, "GET", "another's by now", true},
		{"taken by a person", func(r *rig, left registry.Device) {
			left.StatusReason = "mine now"
			if _, err := r.Update(r.t.Context(), left); err != nil {
				r.t.Fatal(err)
			}
		}, "GET", "another's by now", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := openRig(t)
			at := &beforeMade{rig: r}
			g := r.open("bench-1", false, at)
			if err := g.Register(t.Context(), known(first)); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(at.noted, `"device_id":"d"`) || !strings.Contains(at.noted, "hilrig bench-1 run-1 ") {
				t.Errorf("in the journal before it was made: %q", at.noted)
			}
			if s, err := Sweep(t.Context(), r, Folder(r.state, "localhost"), g.log); err != nil || len(s) > 0 {
				t.Errorf("of a run that lives: %+v, %v", s, err)
			}
			left, _ := r.device()
			if err := g.ledger.Close(); err != nil {
				t.Fatal(err)
			}
			c.after(r, left)
			r.asked()
			s, err := Sweep(t.Context(), r, Folder(r.state, "localhost"), g.log)
			if err != nil || len(s) != 1 || s[0].What != c.what || s[0].Err != nil || s[0].DeviceID != "d" {
				t.Errorf("swept: %+v, %v", s, err)
			}
			if got := r.asked(); got != c.calls {
				t.Errorf("called %q, want %q", got, c.calls)
			}
			if _, there := r.device(); there != c.stays || r.journals() != "" {
				t.Errorf("there: %v; journals %q", there, r.journals())
			}
		})
	}
}

func mustDelete(r *rig) {
	r.t.Helper()
	if err := r.Delete(r.t.Context(), "d", registry.AnyETag); err != nil {
		r.t.Fatal(err)
	}
}

// signsIn is a registry whose devices may sign in by key, as the local one's
// cannot.
type signsIn struct {
	*rig
	byKey bool
}

func (s signsIn) Get(ctx context.Context, id string) (registry.Device, error) {
	d, err := s.rig.Get(ctx, id)
	if s.byKey {
		d.AuthenticationType = "sas"
	}
	return d, err
}

// A device that is registered already.
func TestADeviceThatIsThereAlready(t *testing.T) {
	for _, c := range []struct {
		name    string
		reason  string
		byKey   bool
		adopt   bool
		refused string // empty: it is used
		stays   bool   // when the run is over
	}{
		{"made by a person", "lab 3", false, false, "no rig made it", true},
		{"made by a person, and lent", "lab 3", false, true, "", true},
		{"that signs in by key", "", true, true, "signs in by sas", true},
		{"of another rig", NewMark("bench-2", "x", time.Now().Add(time.Hour)).String(), false, true, "rig bench-2 uses it until", true},
		{"of another rig whose time is over", NewMark("bench-2", "x", time.Now().Add(-time.Hour)).String(), false, false, "", false},
		{"of the rig itself", NewMark("bench-1", "x", time.Now().Add(time.Hour)).String(), false, false, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := openRig(t)
			before := r.byHand(c.reason)
			g, err := r.tryOpen("bench-1", c.adopt, signsIn{r, c.byKey})
			if err == nil {
				err = g.Register(t.Context(), known(second))
			}
			var failed *record.Failure
			switch {
			case c.refused == "" && err != nil:
				t.Fatal(err)
			case c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.refused) || !errors.As(err, &failed) || failed.Cure == ""):
				t.Fatalf("got %v, want %q with a cure", err, c.refused)
			}
			if d, _ := r.device(); c.refused == "" && (d.PrimaryThumbprint != second || !strings.HasPrefix(d.StatusReason, "hilrig bench-1 run-1 ")) {
				t.Errorf("while the run lasts: %+v", d)
			}
			if g != nil {
				if err := g.close(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			after, there := r.device()
			if there != c.stays || r.journals() != "" {
				t.Errorf("there: %v; journals %q", there, r.journals())
			}
			if there && (after.StatusReason != before.StatusReason || after.PrimaryThumbprint != before.PrimaryThumbprint || after.Status != before.Status) {
				t.Errorf("after the run %+v, before %+v", after, before)
			}
		})
	}
}

// cutOnce is a registry whose first PUT of a new device gets no answer.
type cutOnce struct {
	*rig
	cut bool
}

func (c *cutOnce) Create(ctx context.Context, d registry.Device) (registry.Device, error) {
	if !c.cut {
		c.cut = true
		return registry.Device{}, errors.New("the connection was cut")
	}
	return c.rig.Create(ctx, d)
}

// A device that was lent is put back also where it was taken by the second
// attempt, by the run or by a later one.
func TestALentDeviceIsPutBackWhicheverAttemptTookIt(t *testing.T) {
	for _, end := range []struct {
		name string
		of   func(*testing.T, *rig, *registrar) error
	}{
		{"by the run", func(t *testing.T, _ *rig, g *registrar) error { return g.close(t.Context()) }},
		{"by a later one", func(t *testing.T, r *rig, g *registrar) error {
			if err := g.ledger.Close(); err != nil {
				return err
			}
			_, err := Sweep(t.Context(), r, Folder(r.state, "localhost"), g.log)
			return err
		}},
	} {
		t.Run(end.name, func(t *testing.T) {
			r := openRig(t)
			before := r.byHand("lab 3")
			g := r.open("bench-1", true, &cutOnce{rig: r})
			if err := g.Register(t.Context(), known(second)); err == nil {
				t.Fatal("registered without an answer")
			}
			if err := g.Register(t.Context(), known(second)); err != nil {
				t.Fatal(err)
			}
			if err := end.of(t, r, g); err != nil {
				t.Fatal(err)
			}
			after, there := r.device()
			if !there || after.StatusReason != before.StatusReason || after.PrimaryThumbprint != before.PrimaryThumbprint || r.journals() != "" {
				t.Errorf("there: %v; after the run %+v, before %+v; journals %q", there, after, before, r.journals())
			}
		})
	}
}

// A device that a person makes once the run has begun is left alone.
func TestADeviceThatComesToBeMeanwhile(t *testing.T) {
	r := openRig(t)
	g := r.open("bench-1", false, r.Client)
	r.byHand("lab 3")
	if err := g.Register(t.Context(), known(second)); err == nil {
		t.Error("it was taken")
	}
	if err := g.close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d, there := r.device(); !there || d.StatusReason != "lab 3" || r.journals() != "" {
		t.Errorf("%+v, there: %v; journals %q", d, there, r.journals())
	}
}

// What somebody else changes meanwhile is written over while it has the rig's
// mark, and left alone when it has not.
func TestADeviceThatSomebodyElseChanges(t *testing.T) {
	for _, c := range []struct {
		name, reason string
		refused      bool
	}{{"and leaves the mark", "", false}, {"and takes the mark away", "mine", true}} {
		t.Run(c.name, func(t *testing.T) {
			r := openRig(t)
			g := r.open("bench-1", false, r.Client)
			if err := g.Register(t.Context(), known(first)); err != nil {
				t.Fatal(err)
			}
			d, _ := r.device()
			d.Status = registry.Disabled
			if c.refused {
				d.StatusReason = c.reason
			}
			if _, err := r.Update(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			err := g.Register(t.Context(), known(second))
			if (err != nil) != c.refused {
				t.Errorf("got %v", err)
			}
			if err := g.close(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, there := r.device(); there != c.refused {
				t.Errorf("there after the run: %v", there)
			}
		})
	}
}

// A hub that does not answer leaves what was made in the journal, and the next
// sweep removes it.
func TestWhatCouldNotBeRemovedStaysNoted(t *testing.T) {
	r := openRig(t)
	g := r.open("bench-1", false, r.Client)
	if err := g.Register(t.Context(), known(first)); err != nil {
		t.Fatal(err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := g.close(cancelled); err == nil || r.journals() == "" {
		t.Fatalf("closed with %v; journals %q", err, r.journals())
	}
	s, err := Sweep(t.Context(), r, Folder(r.state, "localhost"), g.log)
	if err != nil || !slices.ContainsFunc(s, func(s Swept) bool { return s.What == "removed" }) {
		t.Errorf("swept: %+v, %v", s, err)
	}
}
