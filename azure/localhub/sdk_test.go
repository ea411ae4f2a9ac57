package localhub_test

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"hilrig/azure/hub"
	"hilrig/azure/iothub/access"
	"hilrig/azure/iothub/devicebound"
	"hilrig/azure/iothub/standin"
	"hilrig/azure/mqttwire"
	"hilrig/peers"
)

// Microsoft's own device SDK takes the hub for the cloud's, also at IoT Hub's own
// port, where it is told no other.
func TestMicrosoftsDeviceSDK(t *testing.T) {
	t.Parallel()
	t.Run("a port that is free", func(t *testing.T) {
		t.Parallel()
		b := start(t)
		_, port, err := net.SplitHostPort(b.addr)
		if err != nil {
			t.Fatal(err)
		}
		b.servesDeviceSDK("localhost:" + port)
	})
	t.Run("IoT Hub's own port", func(t *testing.T) {
		startAt(t, peers.Port(t, 8883)).servesDeviceSDK("localhost")
	})
}

func (b *bench) servesDeviceSDK(hostName string) {
	t := b.t
	node, modules := peers.Node(t, "testdata/sdk", "Microsoft's device SDK (npm azure-iot-device)")
	const model = "dtmi:com:example:Thermostat;1"
	root, cert, key := files(t, makePKI().root, b.id)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var complaint bytes.Buffer
	device := exec.CommandContext(ctx, node, "testdata/sdk/device.js", hostName, deviceID, root, cert, key, model)
	device.Env = append(os.Environ(), "SDK_MODULES="+modules)
	device.Stderr = &complaint
	out, err := device.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := device.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = device.Process.Kill() }) // it has ended, where all went well
	said := bufio.NewScanner(out)
	expect := func(want string) {
		t.Helper()
		if !said.Scan() || said.Text() != want {
			t.Fatalf("the device says %q, want %q\n%s", said.Text(), want, complaint.String())
		}
	}
	served := func(filter string) {
		t.Helper()
		b.await(0, filter, func(e hub.Event) bool {
			return e.Kind == hub.KindServed && slices.ContainsFunc(e.Filters, func(f mqttwire.Filter) bool { return f.Topic == filter })
		})
	}

	expect("connected")
	expect("sent")
	m := b.await(0, "telemetry", kind(hub.KindMessage)).Message
	if string(m.Payload) != `{"seq":1}` || m.Properties["kind"] != "a&b" || m.System["content-type"] != "application/json" {
		t.Errorf("telemetry %q with %v and %v", m.Payload, m.Properties, m.System)
	}
	if m.System["dt-dataschema"] != model || m.System["iothub-connection-auth-generation-id"] == "" {
		t.Errorf("stamped %v", m.System)
	}
	if v, _ := b.hub.Twin(deviceID); v.ModelID != model {
		t.Errorf("the twin's model is %q", v.ModelID)
	}
	expect(`twin {"$version":1}`)
	expect("reported")
	if v, _ := b.hub.Twin(deviceID); string(v.Reported) != `{"firmware":{"version":"1.2"},"$version":2}` {
		t.Errorf("reported %s", v.Reported)
	}
	expect("listening")

	served(twinDesired)
	if _, err := b.hub.PatchDesired(deviceID, []byte(`{"interval":5}`)); err != nil {
		t.Fatal(err)
	}
	expect(`desired {"interval":5,"$version":2}`)
	served(methodFilter)
	status, body, err := b.hub.Invoke(ctx, deviceID, "reboot", []byte(`{"in":5}`), 10*time.Second)
	if err != nil || status != 200 || string(body) != `{"asked":{"in":5}}` {
		t.Errorf("method: %d %s %v", status, body, err)
	}
	expect(`called {"in":5}`)
	b.toDevice(overAMQP(t, hub.DeviceBound{ID: "m-1", Payload: []byte("hello"), Properties: map[string]string{"color": "dark blue"}}))
	expect(`received {"id":"m-1","text":"hello","color":"dark blue"}`)
	b.await(0, "its completion", kind(hub.KindCompleted))
	expect("closed")
	if err := device.Wait(); err != nil {
		t.Errorf("%v\n%s", err, complaint.String())
	}
	for _, e := range b.hub.Events().Since(0) {
		if e.Kind == hub.KindViolation {
			t.Errorf("against MQTT: %s", e.Text)
		}
	}
}

// overAMQP is a message as it came out of AMQP, by which a service sends it at
// Azure.
func overAMQP(t *testing.T, m hub.DeviceBound) hub.DeviceBound {
	t.Helper()
	e := standin.Start(t, standin.Config{Devices: []string{deviceID}})
	connection, err := access.ParseConnectionString(e.Service())
	if err != nil {
		t.Fatal(err)
	}
	c := devicebound.New(devicebound.Config{Credential: access.ByKey(connection), Network: access.Network{Endpoint: e.Address, Roots: e.Roots()}})
	if err := c.Send(t.Context(), deviceID, m); err != nil {
		t.Fatal(err)
	}
	sent := e.AwaitSent()
	if err := c.Close(t.Context()); err != nil {
		t.Error(err)
	}
	return hub.DeviceBound{ID: sent.ID, Payload: sent.Body, Properties: sent.Properties, TTL: time.Until(sent.Expiry)}
}
