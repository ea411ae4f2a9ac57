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
