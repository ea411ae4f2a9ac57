package localhub_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"hilrig/azure/hub"
	"hilrig/azure/mqttwire"
	"hilrig/peers"
)

// MQTT.js takes the hub for the cloud's: its CONNECT is taken, what was not
// acknowledged is sent again in the session that was kept, what came meanwhile
// is there, its will is handed on, and its own telemetry never comes back.
func TestMQTTJS(t *testing.T) {
	t.Parallel()
	node, modules := peers.Node(t, "testdata/mqttjs", "MQTT.js (npm mqtt)")
	b := start(t)
	root, cert, key := files(t, makePKI().root, b.id)
	_, port, err := net.SplitHostPort(b.addr)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	unacknowledged := b.hub.Show(hub.Withhold("no-puback", mqttwire.PUBACK), 0)
	var out, complaint bytes.Buffer
	device := exec.CommandContext(ctx, node, "testdata/mqttjs/device.js", port, deviceID, userName, root, cert, key)
	device.Env = append(os.Environ(), "NODE_MODULES="+modules)
	device.Stdout, device.Stderr, device.WaitDelay = &out, &complaint, time.Second
	tell, err := device.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := device.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- device.Wait() }()

	if _, err := b.hub.Events().Await(ctx, 0, kind(hub.KindMessage)); err != nil { // node takes its time to start
		t.Fatalf("no message: %v", err)
	}
	unacknowledged.Lift()
	if !b.hub.Drop(deviceID) {
		t.Error("not connected")
	}
	b.toDevice(hub.DeviceBound{ID: "m-1", Payload: []byte("from the cloud")})
	if _, err := b.hub.Events().Await(ctx, 0, kind(hub.KindCompleted)); err != nil {
		t.Fatalf("no acknowledgement of its message: %v", err)
	}
	if err := tell.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Fatalf("%v after\n%s%s", err, &out, &complaint)
	}
	again := b.await(0, "its second CONNECT", func(e hub.Event) bool { return e.Kind == hub.KindConnect && e.Connect.Present }).Conn
	b.await(0, "the last will", func(e hub.Event) bool {
		return e.Kind == hub.KindMessage && e.Message.Will && e.Conn == again
	})

	for _, step := range []string{"connected false", "subscribed 1 1", "connected true", "sent", "received from the cloud"} {
		if !strings.Contains(out.String(), step+"\n") {
			t.Errorf("it never said %q:\n%s", step, &out)
		}
	}
	if strings.Contains(out.String(), "echoed") {
		t.Errorf("its own telemetry came back:\n%s", &out)
	}
	connect := b.await(0, "its CONNECT", kind(hub.KindConnect)).Connect
	if !connect.HasPassword || connect.PasswordLen != 0 || connect.Clean || connect.Will == nil || !connect.Will.Retain {
		t.Errorf("CONNECT %+v", connect)
	}
	got := map[string]int{}
	var sent []uint16
	for _, e := range messages(b) {
		got[fmt.Sprintf("%s, will %v, retained %v", e.Message.Payload, e.Message.Will, e.Message.Retain)]++
		if !e.Message.Will {
			sent = append(sent, e.Message.PacketID)
		}
	}
	if want := map[string]int{"hello, will false, retained false": 2, "gone, will true, retained true": 2}; !maps.Equal(got, want) {
		t.Errorf("the hub got %v, want %v", got, want)
	} else if sent[0] != sent[1] {
		t.Errorf("sent again as %d, first as %d", sent[1], sent[0])
	}
	var against []string
	for _, e := range b.hub.Events().Since(0) {
		if e.Kind == hub.KindViolation {
			against = append(against, e.Text)
		}
	}
	// MQTT.js never sets DUP when it sends again (mqttjs/MQTT.js#692).
	if len(against) != 1 || !strings.Contains(against[0], "MQTT-3.3.1-1") {
		t.Errorf("against MQTT: %q, want the one without DUP", against)
	}
}
