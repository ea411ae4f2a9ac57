package localhub_test

import (
	"testing"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"hilrig/azure/hub"
	"hilrig/azure/localhub"
)

// A board of the device's own address is let in and left in peace: it need not
// dial again, whatever becomes of the device.
func TestANeighbourIsKeptQuiet(t *testing.T) {
	b := start(t, func(c *localhub.Config) { c.For, c.Beside = "another", []string{deviceID}; c.Devices = nil })
	v := b.hub.Events()
	b.hub.Show(hub.Fault{Name: "refused", ReturnCode: 3}, 0)
	mark := v.Mark()
	c := b.client(func(o *mqtt.ClientOptions) { o.SetAutoReconnect(false) })
	if err := wait(t, c.Connect()); err != nil {
		t.Fatal(err)
	}
	conn := b.await(mark, "its session", hub.Event.Accepted).Conn
	if v.Proof(conn) != hub.ProofNone || !v.Others(conn) || len(v.Dialling()) > 0 {
		t.Errorf("it is the device by %s; %q may dial", v.Proof(conn), v.Dialling())
	}
	b.hub.Down()
	if err := b.hub.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := wait(t, c.Publish("devices/"+deviceID+"/messages/events/", 1, false, "{}")); err != nil {
		t.Errorf("it is not acknowledged: %v", err)
	}
	if !b.hub.Connected(deviceID) {
		t.Error("it is not connected behind an outage of the device's hub")
	}
	for _, e := range v.Since(mark) {
		if e.Kind == hub.KindMessage || e.Kind == hub.KindPacket && e.Packet.Name != "CONNECT" || e.Ends(conn) {
			t.Errorf("in the record: %s %s", e.Kind, e.Text)
		}
	}
}
