package localhub

import (
	"bytes"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// admitted lets everything through: who may connect and where a device may
// publish was judged before the broker saw the packet.
type admitted struct{ mqtt.HookBase }

func (*admitted) ID() string { return "admitted" }

func (*admitted) Provides(b byte) bool {
	return bytes.Contains([]byte{mqtt.OnConnectAuthenticate, mqtt.OnACLCheck}, []byte{b})
}

func (*admitted) OnConnectAuthenticate(*mqtt.Client, packets.Packet) bool { return true }

func (*admitted) OnACLCheck(*mqtt.Client, string, bool) bool { return true }

// forgetSession drops what the broker keeps of a device's session: its CONNACK then
// says that no session is present (MQTT 3.1.1 section 3.2.2.2).
func (h *Hub) forgetSession(deviceID string) {
	h.subs.forget(deviceID)
	old, ok := h.broker.Clients.Get(deviceID)
	if !ok {
		return
	}
	h.broker.UnsubscribeClient(old)
	old.ClearInflights()
	h.broker.Clients.Delete(deviceID)
}
