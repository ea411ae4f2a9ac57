package session

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"hilrig/azure"
	"hilrig/azure/hub"
	"hilrig/fixtures"
)

// connect is the CONNECT to judge, and when it came.
func connect(ctx context.Context, b *fixtures.Trial) (*hub.Connect, time.Time) {
	e, err := b.ConnectPacket(ctx)
	b.Premise(err)
	return e.Connect, e.At
}

func protocol(ctx context.Context, b *fixtures.Trial) {
	c, at := connect(ctx, b)
	b.That(c.Protocol == "MQTT" && c.Level == 4, fixtures.Finding{
		Expected: "protocol MQTT, level 4 (3.1.1)", Seen: fmt.Sprintf("protocol %s, level %d", c.Protocol, c.Level),
		Look: "the MQTT version of the firmware's client: MQTTVersion 4 in Paho, MQTT_PROTOCOL_V_3_1_1 in esp-mqtt", At: at,
	})
}

func clientID(ctx context.Context, b *fixtures.Trial) {
	c, at := connect(ctx, b)
	want := b.Type.MQTT.ClientIDFor(b.Device.DeviceID, b.HubName)
	b.That(c.ClientID == want, fixtures.Finding{
		Expected: "client id " + want, Seen: fmt.Sprintf("client id %q", c.ClientID) + onlyInCase(c.ClientID, want), Look: "Client ID in the device's MQTT parameters: the device id, without a space or a line end behind it", At: at,
	})
}

func userName(ctx context.Context, b *fixtures.Trial) {
	c, at := connect(ctx, b)
	look := "User Name in the device's MQTT parameters: {hub}/{device id}/?api-version=2021-04-12"
	if want := b.Type.MQTT.UserNameFor(b.Device.DeviceID, b.HubName); want != "" {
		b.That(c.UserName == want, fixtures.Finding{Expected: "user name " + want, Seen: fmt.Sprintf("user name %q", c.UserName), Look: look, At: at})
		return
	}
	u, err := azure.ParseUserName(c.UserName)
	if err != nil {
		b.Fail(fixtures.Finding{Expected: "a user name with host, device id and api-version", Seen: fmt.Sprintf("user name %q: %v", c.UserName, err), Look: look, At: at})
	}
	if told := toldByClientID(u.DeviceID, c.ClientID, b.Device.DeviceID); told != "" {
		b.NotRun(told)
	}
	b.That(u.DeviceID == b.Device.DeviceID, fixtures.Finding{
		Expected: "device id " + b.Device.DeviceID + " in the user name", Seen: fmt.Sprintf("user name %q", c.UserName) + onlyInCase(u.DeviceID, b.Device.DeviceID), Look: look, At: at})
	b.That(u.Host == b.HubName, fixtures.Finding{
		Expected: "hub " + b.HubName + " in the user name", Seen: fmt.Sprintf("user name %q", c.UserName) + withPort(u.Host, b.HubName), Look: look, At: at})
	b.Step("user name in the form %s", u.Form)
}

// onlyInCase says that a device id is wrong in nothing but upper and lower case,
// which IoT Hub tells apart (Azure: iot-hub-devguide-identity-registry).
func onlyInCase(id, want string) string {
	if id == want || !strings.EqualFold(id, want) {
		return ""
	}
	return ", which differs from it in upper and lower case: to IoT Hub that is another device"
}

// withPort says that a user name has the port behind the hub's name.
func withPort(host, want string) string {
	if port, ok := strings.CutPrefix(host, want+":"); ok {
		return ", which has the port " + port + " behind the hub's name: the name alone belongs there"
	}
	return ""
}

// toldByClientID is why a wrong device id in the user name is not judged: it is
// the one that the device takes for its own everywhere.
func toldByClientID(inUserName, clientID, want string) string {
	if inUserName == want || inUserName != clientID {
		return ""
	}
	return fmt.Sprintf("its user name has the device id %q, as its client id has; see session/client-id", inUserName)
}

func noPassword(ctx context.Context, b *fixtures.Trial) {
	c, at := connect(ctx, b)
	if m := b.Type.MQTT; m.PasswordFile != "" || m.PasswordEnv != "" && os.Getenv(m.PasswordEnv) != "" {
		b.NotApplicable("the type declares a password (mqtt.password_env or password_file)")
	}
	b.That(!c.HasPassword || c.PasswordLen == 0, fixtures.Finding{
		Expected: "no password", Seen: fmt.Sprintf("a password of %d bytes", c.PasswordLen), At: at,
		Look: "Password in the device's MQTT parameters: IoT Hub takes it for a token and ignores the certificate",
	})
}

const keepAliveLook = "the keep-alive that the firmware gives its MQTT client: minutes, and below what its router forgets connections after"

func keepAlive(ctx context.Context, b *fixtures.Trial) {
	c, at := connect(ctx, b)
	b.DecidedAt(at)
	b.Measure("keep-alive", c.KeepAlive.Seconds(), "s", nil, nil)
	switch {
	case c.KeepAlive == 0:
		b.WarnOf(fixtures.Finding{
			Expected: fmt.Sprintf("a keep-alive from 1 s to %.0f s", azure.MaxKeepAlive.Seconds()),
			Seen:     fmt.Sprintf("keep-alive 0: nothing tells the device that the hub is gone; the hub drops it after %.0f s of silence", azure.MaxIdle.Seconds()),
			Look:     keepAliveLook, At: at,
		})
	case c.KeepAlive > azure.MaxKeepAlive:
		b.WarnOf(fixtures.Finding{
			Expected: fmt.Sprintf("a keep-alive from 1 s to %.0f s", azure.MaxKeepAlive.Seconds()),
			Seen:     fmt.Sprintf("keep-alive %.0f s, above what IoT Hub can keep: it drops the connection after %.0f s of silence", c.KeepAlive.Seconds(), azure.MaxIdle.Seconds()),
			Look:     keepAliveLook, At: at,
		})
	}
}

// noSelfTakeover counts connects over a session that was alive: one that
// carried data of the device in the last two seconds. One may be a network's
// doing; three are the firmware's.
func noSelfTakeover(ctx context.Context, b *fixtures.Trial) {
	b.Premise(b.Connected(ctx))
	if b.Stands(ctx) != nil {
		b.Step("the hub ends its sessions; judging those seen so far")
	} else if _, err := b.Messages(ctx, 5); err != nil {
		b.Step("not five messages; judging the sessions seen so far")
	}
	mark := b.Mark()
	seen := selfTakeovers(b)
	for n := len(seen); n > 0 && n < 3; n = len(seen) { // suspicious: give it time to do it again
		e, err := b.AwaitSession(ctx, mark, b.Type.Timing.ReconnectWithin)
		if err != nil {
			break
		}
		mark = e.Seq + 1
		seen = selfTakeovers(b)
		if len(seen) == n {
			break
		}
	}
	b.Measure("self-takeovers", float64(len(seen)), "", nil, nil)
	if len(seen) >= 3 {
		b.Fail(fixtures.Finding{
			Expected: "one session at a time", Seen: fmt.Sprintf("%d connects over its own living session, the last %s", len(seen), seen[len(seen)-1].text),
			Look: "whether two tasks of the firmware both connect, or its reconnect timer runs on after it has a session", At: seen[0].at,
		})
	}
}

// takeover is one of them, in words, and when.
type takeover struct {
	text string
	at   time.Time
}

// selfTakeovers are the connects of the run over a session that had carried
// data of the device within the last two seconds. One that the rig has made the
// device do, by a command or by what it loaded, is the rig's.
func selfTakeovers(b *fixtures.Trial) []takeover {
	last := map[int64]time.Time{}
	var live int64
	var connected int // Seq of the last CONNECT
	var seen []takeover
	for _, e := range b.Since(0, func(hub.Event) bool { return true }) {
		switch {
		case e.Kind == hub.KindPacket && e.Packet != nil && e.Packet.In:
			last[e.Conn] = e.At
		case e.Ends(live) && !e.Takeover:
			live = 0
		case e.Accepted():
			if live != 0 && live != e.Conn && e.At.Sub(last[live]) < 2*time.Second && !b.Ordered(connected, e.Seq) {
				seen = append(seen, takeover{fmt.Sprintf("%.2f s after data on the session before", e.At.Sub(last[live]).Seconds()), e.At})
			}
			live, connected = e.Conn, e.Seq
		}
	}
	return seen
}
