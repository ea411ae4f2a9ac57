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

	"hilrig/azure"
	"hilrig/azure/hub"
	"hilrig/azure/iothub/access"
	"hilrig/azure/iothub/devicebound"
	"hilrig/azure/iothub/standin"
	"hilrig/azure/localhub"
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
		b.servesNode("localhost:" + port)
	})
	t.Run("IoT Hub's own port", func(t *testing.T) {
		startAt(t, peers.Port(t, 8883)).servesNode("localhost")
	})
}

func (b *bench) servesNode(hostName string) {
	node, modules := peers.Node(b.t, "testdata/sdk", "Microsoft's device SDK (npm azure-iot-device)")
	b.servesDevice(deviceID, hostName, []string{"SDK_MODULES=" + modules}, node, "testdata/sdk/device.js")
}

// What its device SDK for Python does on the wire, by the MQTT library that this
// is made of: also with a device id that elsewhere would be percent-encoded.
func TestRulesOfTheDeviceSDKForPython(t *testing.T) {
	python := peers.Find(t, "/usr/bin/python3")
	if said, err := runs(t, "", python, "-c", "import paho.mqtt.client"); err != nil {
		peers.Missing(t, "python3-paho-mqtt: "+said)
	}
	for _, device := range []string{deviceID, "line:4=a,b@c(1)!", "100%25_sure"} {
		t.Run(device, func(t *testing.T) {
			b := start(t, func(c *localhub.Config) { c.Devices[0].ID = device })
			_, port, err := net.SplitHostPort(b.addr)
			if err != nil {
				t.Fatal(err)
			}
			b.servesDevice(device, "localhost:"+port, nil, python, "testdata/python/device.py")
			connect := b.await(0, "its CONNECT", kind(hub.KindConnect)).Connect
			if connect.Form != azure.FormDocumented || connect.KeepAlive != time.Minute || connect.Clean || connect.HasPassword {
				t.Errorf("its CONNECT is %+v", connect)
			}
			m := b.await(0, "telemetry", kind(hub.KindMessage)).Message
			if m.QoS != 1 || m.System["message-id"] != "m/1" || m.System["content-encoding"] != "utf-8" {
				t.Errorf("telemetry has QoS %d and %v", m.QoS, m.System)
			}
		})
	}
}

// servesDevice goes with a device through what the hub promises one.
func (b *bench) servesDevice(id, hostName string, env []string, program, script string) {
	t := b.t
	t.Helper()
	const model = "dtmi:com:example:Thermostat;1"
	root, cert, key := files(t, makePKI().root, b.id)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var complaint bytes.Buffer
	device := exec.CommandContext(ctx, program, script, hostName, id, root, cert, key, model)
	device.Env = append(os.Environ(), env...)
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
	if v, _ := b.hub.Twin(id); v.ModelID != model {
		t.Errorf("the twin's model is %q", v.ModelID)
	}
	expect(`twin {"$version":1}`)
	expect("reported")
	if v, _ := b.hub.Twin(id); string(v.Reported) != `{"firmware":{"version":"1.2"},"$version":2}` {
		t.Errorf("reported %s", v.Reported)
	}
	expect("listening")

	served(twinDesired)
	if _, err := b.hub.PatchDesired(id, []byte(`{"interval":5}`)); err != nil {
		t.Fatal(err)
	}
	expect(`desired {"interval":5,"$version":2}`)
	served(methodFilter)
	status, body, err := b.hub.Invoke(ctx, id, "reboot", []byte(`{"in":5}`), 10*time.Second)
	if err != nil || status != 200 || string(body) != `{"asked":{"in":5}}` {
		t.Errorf("method: %d %s %v", status, body, err)
	}
	expect(`called {"in":5}`)
	if err := b.hub.SendToDevice(id, overAMQP(t, id, hub.DeviceBound{ID: "m-1", Payload: []byte("hello"), Properties: map[string]string{"color": "dark blue"}})); err != nil {
		t.Fatal(err)
	}
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
func overAMQP(t *testing.T, id string, m hub.DeviceBound) hub.DeviceBound {
	t.Helper()
	e := standin.Start(t, standin.Config{Devices: []string{id}})
	connection, err := access.ParseConnectionString(e.Service())
	if err != nil {
		t.Fatal(err)
	}
	c := devicebound.New(devicebound.Config{Credential: access.ByKey(connection), Network: access.Network{Endpoint: e.Address, Roots: e.Roots()}})
	if err := c.Send(t.Context(), id, m); err != nil {
		t.Fatal(err)
	}
	sent := e.AwaitSent()
	if err := c.Close(t.Context()); err != nil {
		t.Error(err)
	}
	return hub.DeviceBound{ID: sent.ID, Payload: sent.Body, Properties: sent.Properties, TTL: time.Until(sent.Expiry)}
}
