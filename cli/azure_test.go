//go:build linux

package cli

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hilrig/azure"
	"hilrig/azure/hub"
	"hilrig/azure/iothub"
	"hilrig/azure/iothub/registry"
	"hilrig/azure/iothub/standin"
	"hilrig/azure/localhub"
	"hilrig/azure/localhub/registryapi"
	"hilrig/certs"
	"hilrig/fixtures"
	"hilrig/fixtures/rigfile"
	"hilrig/record"
	"hilrig/runner"
	"hilrig/selftest"
	"hilrig/suites"
)

// cloud stands in for Azure: the local hub with its registry over HTTPS, and an
// AMQP endpoint of another make that hands on what the hub has taken.
type cloud struct {
	t      *testing.T
	dir    string
	hub    *localhub.Hub
	server tls.Certificate   // for localhost
	names  *strings.Replacer // of a rig file, into what they are here
	own    []string          // variables that commands have beside this process's
	env    []string          // all that they have
	keys   []string          // that nobody may see
	api    *registryapi.Server
	amqp   *standin.Endpoint

	mu    sync.Mutex
	calls []registryapi.Exchange
}

func openCloud(t *testing.T, groups ...string) *cloud {
	t.Helper()
	return openCloudAt(t, standin.Config{Groups: append([]string{standin.Group}, groups...)})
}

// openCloudAt has another endpoint of events.
func openCloudAt(t *testing.T, at standin.Config) *cloud {
	t.Helper()
	c := &cloud{t: t, dir: t.TempDir()}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	store, err := certs.OpenStore(filepath.Join(c.dir, "pki"))
	must(err)
	server, err := store.Server(t.Context(), "localhost")
	must(err)
	c.server = server
	c.hub, err = localhub.New(localhub.Config{Host: "localhost", Certificate: server})
	must(err)
	mqtt, err := c.hub.Listen(t.Context(), "127.0.0.1:0")
	must(err)
	key, err := registryapi.OpenKey(t.Context(), c.dir)
	must(err)
	c.api = registryapi.New(registryapi.Config{Host: "localhost", Hub: c.hub, Key: key, Certificate: server, Seen: c.saw})
	registryAt, err := c.api.Listen(t.Context(), "127.0.0.1:0")
	must(err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := errors.Join(c.api.Close(ctx), c.hub.Close(ctx)); err != nil {
			t.Error(err)
		}
	})
	file, err := key.WriteConnectionString(c.dir, "localhost", registryAt)
	must(err)
	connection, err := os.ReadFile(file)
	must(err)
	namespace, err := store.Server(t.Context(), cmp.Or(at.Namespace, standin.Namespace))
	must(err)
	_, hubs, _ := strings.Cut(strings.TrimSpace(string(connection)), "SharedAccessKey=")
	at.Certificate, at.Policies = &namespace, map[string]string{standin.Policy: standin.Key, "iothubowner": hubs}
	c.amqp = standin.Start(t, at)
	c.own = []string{"HILRIG_STATE=" + filepath.Join(c.dir, "state"),
		"IOTHUB_SERVICE=" + strings.TrimSpace(string(connection)), "IOTHUB_EVENTS=" + c.amqp.Events()}
	c.env = append(os.Environ(), c.own...)
	for _, text := range []string{string(connection), c.amqp.Events()} {
		_, secret, _ := strings.Cut(text, "SharedAccessKey=")
		secret, _, _ = strings.Cut(secret, ";")
		c.keys = append(c.keys, strings.TrimSpace(secret))
	}
	c.handOn()
	must(os.WriteFile(filepath.Join(c.dir, "root.pem"), store.Root().PEM, 0o600))
	_, port, err := net.SplitHostPort(mqtt.String())
	must(err)
	c.names = strings.NewReplacer("HUBPORT", port, "AMQP", c.amqp.Address)
	return c
}

// handOn has the telemetry that the hub takes arrive at the events endpoint.
func (c *cloud) handOn() {
	taken := make(chan hub.Event, 10_000)
	stop := c.hub.Events().Watch(func(e hub.Event) {
		if e.Kind == hub.KindMessage {
			taken <- e
		}
	})
	over := make(chan struct{})
	go func() {
		defer close(over)
		for e := range taken {
			m := e.Message
			at := m.Enqueued
			c.amqp.Arrive(standin.Event{
				Device: e.DeviceID, Body: m.Payload, Properties: m.Properties, Auth: m.System[azure.SystemAuthMethod], Enqueued: &at,
				System: map[string]string{"content_type": m.System[azure.SystemContentType], "message_id": m.System[azure.SystemMessageID]},
			})
		}
	}()
	c.t.Cleanup(func() { stop(); close(taken); <-over })
}

func (c *cloud) saw(x registryapi.Exchange) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, x)
}

// called are the calls of the registry since the last time that it was asked.
func (c *cloud) called() (lines []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, x := range c.calls {
		lines = append(lines, fmt.Sprintf("%s %s %d", x.Method, x.Path, x.Status))
	}
	c.calls = nil
	return lines
}

// write puts a file into the folder.
func (c *cloud) write(name, text string) {
	c.t.Helper()
	if err := os.WriteFile(filepath.Join(c.dir, name), []byte(c.names.Replace(text)), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// exported has this process know the hub too.
func (c *cloud) exported() {
	for _, pair := range c.own {
		name, value, _ := strings.Cut(pair, "=")
		c.t.Setenv(name, value)
	}
}

// hilrig runs a command line in the folder.
func (c *cloud) hilrig(args ...string) (code int, out string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 8*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "hilrig", args...)
	cmd.Dir, cmd.Env = c.dir, c.env
	var both bytes.Buffer
	cmd.Stdout, cmd.Stderr = &both, &both
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		c.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), both.String()
}

// record is that of the latest run in a folder of run folders.
func (c *cloud) record(out string) *record.Record {
	c.t.Helper()
	text, err := os.ReadFile(filepath.Join(c.dir, out, "latest", "run.json"))
	if err != nil {
		c.t.Fatal(err)
	}
	var r record.Record
	if err := json.Unmarshal(text, &r); err != nil {
		c.t.Fatal(err)
	}
	return &r
}

const azureRig = `rig: bench-1
hubs:
  azure:
    kind: azure
    host: localhost
    port: HUBPORT
    root: root.pem
    registry: {connection_string_env: IOTHUB_SERVICE}
    events: {connection_string_env: IOTHUB_EVENTS, consumer_group: hilrig}
    endpoints: {events: "AMQP", root: root.pem}
devices:
  - {name: emu-1, type: quick, device_id: NewDevice, serial: {emulated: {}}}
types:
  quick:
    console: {recover: {quiet: 50ms}}
    timing: {connect_within: 5s, publish_within: 5s, interval: 500ms, reconnect_within: 8s, abort_within: 3s}
    payload: {sequence: /seq}
`

// An emulated device through exactly the code that would talk to Azure: only
// names, ports and roots are this test's.
func TestCoreAtAzure(t *testing.T) {
	c := openCloud(t)
	c.write("rig.yaml", azureRig)
	code, out := c.hilrig("run", "--rig", "rig.yaml", "--hub", "azure", "--label-filter", "smoke")
	if code != 0 {
		t.Fatalf("smoke: exit code %d\n%s", code, out)
	}
	if calls := c.called(); len(calls) > 6 {
		t.Errorf("%d calls of the registry for smoke: %q", len(calls), calls)
	}
	code, out = c.hilrig("run", "--rig", "rig.yaml", "--hub", "azure", "--label-filter", "core")
	if code != 0 {
		t.Errorf("core: exit code %d\n%s", code, out)
	}
	if d := c.record(filepath.Join("reports", "out")).Devices[0]; d.Hub.Kind != "azure" || d.Hub.Name != "azure" {
		t.Errorf("the record says %+v", d.Hub)
	}
	if calls := c.called(); len(calls) > 6 {
		t.Errorf("%d calls of the registry for core, with one identity and no refusal: %q", len(calls), calls)
	}
	if left := c.hub.Devices(); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Each further identity costs one call of the registry, and each that the hub is
// to refuse from then on two: both are taken for a while, and then one.
func TestCallsForIdentitiesAndRefusals(t *testing.T) {
	c := openCloud(t)
	c.write("rig.yaml", behindATap.Replace(azureRig))
	for _, x := range []struct {
		spec                 string
		identities, refusals int
	}{
		{"provisioning/no-key-on-console", 1, 0},
		{"provisioning/key-forms", 2, 0},
		{"provisioning/replace", 2, 1},
	} {
		const looksMakesAndRemoves = 3
		code, out := c.hilrig("run", "--rig", "rig.yaml", "--hub", "azure", "--spec", x.spec)
		calls, most := c.called(), looksMakesAndRemoves+(x.identities-1)+2*x.refusals
		if code != 0 || len(calls) > most {
			t.Errorf("%s: exit code %d, %d calls, at most %d: %q\n%s", x.spec, code, len(calls), most, calls, out)
		}
	}
}

// behindATap makes of a rig one with a tap in front of its hub. It listens at the
// hub's port of an address that no test dials from: a port of one may be taken.
var behindATap = strings.NewReplacer("    kind: azure\n", "    kind: azure\n    tap: true\n", "device_id: NewDevice,", "device_id: NewDevice, listen: 127.0.3.2,")

// A run whose events are given by the hub's own connection string asks the hub
// where they are.
func TestEventsByTheHubsOwnConnectionString(t *testing.T) {
	c := openCloud(t)
	service := standin.Start(t, standin.Config{Hub: "localhost", Certificate: &c.server, Policies: map[string]string{"iothubowner": c.keys[0]}})
	c.env = slices.DeleteFunc(c.env, func(v string) bool { return strings.HasPrefix(v, "IOTHUB_EVENTS=") })
	c.write("rig.yaml", strings.NewReplacer("IOTHUB_EVENTS", "IOTHUB_SERVICE", `{events: "AMQP", root`, `{events: "AMQP", service: "`+service.Address+`", root`).Replace(azureRig))
	code, out := c.hilrig("run", "--rig", "rig.yaml", "--hub", "azure", "--label-filter", "smoke")
	if code != 0 {
		t.Errorf("exit code %d\n%s", code, out)
	}
	for where, e := range map[string]*standin.Endpoint{"the hub": service, "the events": c.amqp} {
		if !slices.ContainsFunc(e.Seen(), func(s standin.Seen) bool { return s.Token != nil && s.Token.Code < 300 }) {
			t.Errorf("%s took no token", where)
		}
	}
}

// A shelf at one hub: all at once, by one reader of the one consumer group, which
// lets five in.
func TestAShelfAtAzure(t *testing.T) {
	c := openCloud(t)
	const boards = 8
	_, device, _ := strings.Cut(azureRig, "  - {name: emu-1")
	device, _, _ = strings.Cut(device, "\n")
	var all strings.Builder
	for i := range boards {
		all.WriteString(strings.Replace(fmt.Sprintf("  - {name: emu-%d%s\n", i, device), "NewDevice", fmt.Sprintf("board-%d", i), 1))
	}
	c.write("rig.yaml", strings.Replace(azureRig, "  - {name: emu-1"+device+"\n", all.String(), 1))
	code, out := c.hilrig("run", "--rig", "rig.yaml", "--hub", "azure", "--label-filter", "smoke", "--jobs", fmt.Sprint(boards))
	if code != 0 {
		t.Errorf("exit code %d\n%s", code, out)
	}
	if n := len(c.record(filepath.Join("reports", "out")).Devices); n != boards {
		t.Errorf("%d devices in the record", n)
	}
	connections := 0
	for _, s := range c.amqp.Seen() {
		if s.Connection == "opened" {
			connections++
		}
	}
	if connections != 1 {
		t.Errorf("the endpoint had %d connections", connections)
	}
	if calls := c.called(); len(calls) > 6*boards {
		t.Errorf("%d calls of the registry for %d devices: %q", len(calls), boards, calls)
	}
	if left := c.hub.Devices(); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A tap in front shows handshakes, makes the link bad and lets the hub be away.
func TestCoreAtAzureBehindATap(t *testing.T) {
	c := openCloud(t)
	c.write("rig.yaml", behindATap.Replace(azureRig))
	args := []string{"run", "--rig", "rig.yaml", "--hub", "azure"}
	for _, s := range suites.All() {
		bad := slices.Contains(s.Needs, "N") && !s.Has("soak") && s.ID != "recovery/slow-link" // a minute of its own
		if s.Has("core") || bad {
			args = append(args, "--spec", s.ID)
		}
	}
	code, out := c.hilrig(args...)
	d := c.record(filepath.Join("reports", "out")).Devices[0]
	passed := map[fixtures.Need]int{}
	for _, spec := range suites.All() {
		for _, s := range d.Specs {
			if s.ID == spec.ID && s.Verdict == record.Pass {
				for _, n := range spec.Needs {
					passed[n]++
				}
			}
		}
	}
	if code != 0 || !d.Hub.Tap || passed["W"] == 0 || passed["N"] == 0 {
		t.Errorf("exit code %d, passed by what they need %v, %+v\n%s", code, passed, d.Hub, out)
	}
	if left := c.hub.Devices(); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Faults that this hub shows, of each kind that it lets be seen.
func TestFaultsCaughtAtAzure(t *testing.T) {
	names := []string{
		"silent-key", "abort-wipes-identity", "drops-newlines", "prints-key", "corrupt-payload", "empty-payload", "not-utf8",
		"loses-messages", "stalls", "never-reconnects",
	}
	c := openCloud(t, names...) // a consumer group each: five may read by one
	specs := slices.DeleteFunc(suites.All(), func(s fixtures.Spec) bool {
		return s.Has("soak") || s.WhyNotAt(hub.OfAzure) != ""
	})
	for _, name := range names {
		cases, err := selftest.Cases(selftest.Request{Specs: specs, Faults: []string{name}})
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.write(name+".yaml", strings.NewReplacer("NewDevice", name, "emu-1", name, "consumer_group: hilrig", "consumer_group: "+name).Replace(azureRig))
			args := []string{"run", "--rig", name + ".yaml", "--hub", "azure", "--fault", name, "--out", name}
			for _, s := range cases[0].Specs {
				args = append(args, "--spec", s.ID)
			}
			_, out := c.hilrig(args...)
			if row := selftest.JudgeFault(*cases[0].Fault, c.record(name).Devices[0].Specs); row.Verdict != record.Pass {
				t.Errorf("not caught: %s\n%s", row.Missing, out)
			}
		})
	}
}

// A run sends the device a message and takes the hub's word for what became of
// it; in the basic tier that is not applicable.
func TestMessagesToADeviceInARun(t *testing.T) {
	c := openCloud(t)
	service := standin.Start(t, standin.Config{Hub: "localhost", Certificate: &c.server, Policies: map[string]string{"iothubowner": c.keys[0]}})
	c.write("rig.yaml", strings.Replace(azureRig, `events: "AMQP", root`, `events: "AMQP", service: "`+service.Address+`", root`, 1))
	run := func(out string) (int, record.SpecResult, string) {
		code, said := c.hilrig("run", "--rig", "rig.yaml", "--hub", "azure", "--spec", "delivery/cloud-to-device", "--out", out)
		return code, c.record(out).Devices[0].Specs[0], said
	}
	for _, x := range []struct {
		status  string
		verdict record.Verdict
		code    int
	}{{"Success", record.Pass, 0}, {"DeliveryCountExceeded", record.Fail, 1}} {
		handed := make(chan error)
		go func() {
			m := service.AwaitSent()
			err := c.hub.SendToDevice(m.Device, hub.DeviceBound{ID: m.ID, Payload: m.Body})
			if err == nil && !c.hub.AwaitCompleted(t.Context(), m.Device, m.ID) {
				err = t.Context().Err()
			}
			service.Feedback(standin.Feedback{MessageID: m.ID, Device: m.Device, Status: x.status, Text: x.status})
			handed <- err
		}()
		code, s, said := run(x.status)
		if err := <-handed; err != nil || code != x.code || s.Verdict != x.verdict {
			t.Errorf("%s: %v, exit code %d, %+v\n%s", x.status, err, code, s, said)
		}
	}
	service.Refuse("devicebound", "amqp:not-allowed", "not in this tier", 0)
	if code, s, said := run("basic"); code != 3 || s.Verdict != record.NotApplicable || !strings.Contains(s.Cause+s.Message, "basic tier") {
		t.Errorf("basic: exit code %d, %+v\n%s", code, s, said)
	}
}

// What a check says of the way to the hub, and of the hub where the rig file has
// its resource id: each thing that is wrong with its cure.
func TestCheckOfAnIoTHub(t *testing.T) {
	c := openCloud(t)
	c.exported()
	skewed := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", time.Now().Add(-10*time.Minute).UTC().Format(http.TimeFormat))
		c.api.ServeHTTP(w, r)
	}))
	skewed.TLS = &tls.Config{Certificates: []tls.Certificate{c.server}}
	skewed.StartTLS()
	defer skewed.Close()
	for _, x := range []struct {
		name string
		rig  []string
		at   manager
		code int
		says []string
	}{
		{"without a resource id", nil, manager{}, 0, []string{"is open", "the root to load", "lets the rig read", "the registry has 0 devices", "reads the events", "the hub's entry has no resource_id", "az login"}},
		{"all that can be wrong", []string{"kind: azure", "kind: azure\n    resource_id: " + aHub}, manager{host: "localhost"}, 3, []string{
			"B1, 1 unit(s), 100 of 8000 messages left today; basic", "not taken (local authentication is off)", "entra: true",
			"no built-in endpoint", "classic connection profile", "by private link alone", "must be in the private link's network",
		}},
		{"another hub's resource id", []string{"kind: azure", "kind: azure\n    resource_id: " + aHub}, manager{}, 3, []string{"resource_id is that of a-hub"}},
		{"nobody is signed in", []string{"kind: azure", "kind: azure\n    resource_id: " + aHub}, manager{signedOut: true}, 3, []string{"sign in at Microsoft Entra", "az login"}},
		{"a clock that is ahead", []string{"endpoints: {", `endpoints: {registry: "` + skewed.Listener.Addr().String() + `", `}, manager{}, 0, []string{"this machine's is 10m", "timedatectl"}},
	} {
		c.write("check.yaml", strings.NewReplacer(x.rig...).Replace(azureRig))
		out, _, err := x.at.azure(t, "", "check", "--rig", filepath.Join(c.dir, "check.yaml"))
		if err != nil || x.at.code != x.code {
			t.Errorf("%s: exit code %d, %v", x.name, x.at.code, err)
		}
		for _, want := range x.says {
			if !strings.Contains(out, want) {
				t.Errorf("%s: no %q in\n%s", x.name, want, out)
			}
		}
	}
}

// What a run left whose journal is gone is found by its mark, and nothing else.
func TestDevicesAreListed(t *testing.T) {
	c := openCloud(t)
	c.exported()
	c.write("rig.yaml", azureRig)
	client, err := runner.RegistryOf(rigfile.Hub{Host: "localhost", Registry: &rigfile.Registry{Source: rigfile.Source{ConnectionStringEnv: "IOTHUB_SERVICE"}},
		Endpoints: rigfile.Endpoints{Root: filepath.Join(c.dir, "root.pem")}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for id, reason := range map[string]string{
		"a": "", "b": iothub.NewMark("bench-1", "lost", time.Now().Add(-time.Hour)).String(), "c": iothub.NewMark("bench-2", "at work", time.Now().Add(time.Hour)).String(),
	} {
		if _, err := client.Create(t.Context(), registry.Device{ID: id, StatusReason: reason, PrimaryThumbprint: strings.Repeat("A", 64)}); err != nil {
			t.Fatal(err)
		}
	}
	for args, want := range map[string]string{"": "abc", "--left": "b"} {
		code, out := c.hilrig(append([]string{"azure", "device", "list", "--rig", "rig.yaml", "--json"}, strings.Fields(args)...)...)
		var found []struct{ Device, What string }
		err := json.Unmarshal([]byte(out), &found)
		ids := ""
		for _, f := range found {
			ids += f.Device
		}
		if code != 0 || err != nil || ids != want {
			t.Errorf("%s: exit code %d, %v\n%s", args, code, err, out)
		}
	}
}

// A message goes to a device by command, and what became of it is said where
// somebody waits for that.
func TestAMessageIsSentToADeviceByCommand(t *testing.T) {
	t.Parallel()
	c := openCloud(t)
	key := c.keys[0]
	service := standin.Start(t, standin.Config{Hub: "localhost", Certificate: &c.server, Policies: map[string]string{"iothubowner": key}})
	c.env = append(c.env, "IOTHUB_SERVICE=HostName=localhost;SharedAccessKeyName=iothubowner;SharedAccessKey="+key)
	c.write("rig.yaml", strings.Replace(azureRig, `events: "AMQP", root`, `events: "AMQP", service: "`+service.Address+`", root`, 1))
	send := func(args ...string) (int, string) {
		return c.hilrig(append([]string{"azure", "device", "send", "NewDevice", "hello", "--rig", "rig.yaml"}, args...)...)
	}
	if code, out := send("--dry-run"); code != 0 || !strings.Contains(out, "would be sent 5 bytes") {
		t.Errorf("dry run: exit code %d\n%s", code, out)
	}
	if code, out := send(); code != 0 || !strings.Contains(out, "the hub has the message") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	if m := service.AwaitSent(); string(m.Body) != "hello" || m.Ack != "" {
		t.Errorf("the hub got %+v", m)
	}
	for _, x := range []struct {
		status, says string
		code         int
	}{{"Success", "the device took the message", 0}, {"Expired", "the hub says Expired", 1}} {
		told := make(chan struct{})
		go func() {
			defer close(told)
			m := service.AwaitSent()
			service.Feedback(standin.Feedback{MessageID: m.ID, Device: "NewDevice", Status: x.status, Text: x.status})
		}()
		code, out := send("--wait", "30s")
		<-told
		if code != x.code || !strings.Contains(out, x.says) {
			t.Errorf("%s: exit code %d\n%s", x.status, code, out)
		}
	}
	if code, out := send("--wait", "1ms"); code != 1 || !strings.Contains(out, "did not say within 1ms") {
		t.Errorf("nobody answers: exit code %d\n%s", code, out)
	}
}

// docs/azure.md followed word for word: its rig file and its commands, with names,
// ports and roots of this test.
func TestThePageOfAzure(t *testing.T) {
	t.Parallel()
	c := openCloud(t)
	page, err := os.ReadFile(filepath.Join("..", "docs", "azure.md"))
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(page)
	if block == nil {
		t.Fatal("docs/azure.md has no rig file")
	}
	c.write("azure.yaml", strings.NewReplacer(
		"host: MyVeryFirstHub.azure-devices.net", "host: localhost\n    port: HUBPORT\n    root: root.pem\n    endpoints: {events: \"AMQP\", root: root.pem}",
		"{path: /dev/ttyUSB0}", "{emulated: {}}").Replace(string(block[1])))
	if code, out := c.hilrig("certs", "new", "--device-id", "NewDevice", "--out", "identity"); code != 0 {
		t.Fatal(out)
	}
	commands := regexp.MustCompile(`(?m)^\$ hilrig (.*)$`).FindAllSubmatch(page, -1)
	for _, m := range commands {
		code, out := c.hilrig(strings.Fields(string(m[1]))...)
		if code != 0 {
			t.Errorf("hilrig %s: exit code %d\n%s", m[1], code, out)
		}
		c.hides().shown("hilrig "+string(m[1]), []byte(out))
	}
	create := regexp.MustCompile("`hilrig (azure hub create [^`]*)`").FindSubmatch(page)
	if create == nil {
		t.Fatal("docs/azure.md does not say how a hub is made")
	}
	at := manager{vacant: true, sku: "F1"}
	words := strings.Fields(strings.NewReplacer(" ID ", " "+aHub+" ", "REGION", "westeurope").Replace(string(create[1])))
	if out, _, err := at.azure(t, "y\n", words[1:]...); err != nil || len(at.changes) != 1 {
		t.Errorf("%s: %v, changes %q\n%s", create[1], err, at.changes, out)
	}
	if len(commands) != 8 || len(c.hub.Devices()) > 0 {
		t.Errorf("%d commands; left behind: %v", len(commands), c.hub.Devices())
	}
	c.hides().below(filepath.Join(c.dir, "reports"))
}

// scripts/azure-live.sh goes the whole way, leaves nothing and prints no key.
func TestTheScriptForARealHub(t *testing.T) {
	t.Parallel()
	c := openCloud(t)
	c.write("rig.yaml", azureRig)
	script, err := filepath.Abs(filepath.Join("..", "scripts", "azure-live.sh"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", script)
	cmd.Dir, cmd.Env = c.dir, append(c.env, "HILRIG=hilrig", "RIG=rig.yaml")
	out, err := cmd.CombinedOutput()
	if err != nil || bytes.Count(out, []byte("== exit code 0")) != 5 {
		t.Errorf("%v\n%s", err, out)
	}
	c.hides().shown("the report", out)
	if left := c.hub.Devices(); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
