package localhub

import (
	"bytes"
	"fmt"
	"hilrig/azure/hub"
	"time"

	"hilrig/azure"
	"hilrig/azure/mqttwire"
)

// CONNACK return codes (MQTT 3.1.1 section 3.2.2.3) as Microsoft's Edge Hub
// uses them.
const (
	codeAccepted      = 0
	codeVersion       = 1
	codeUnavailable   = 3 // a user name that cannot be read
	codeNotAuthorized = 5 // everything about who the device is
)

// receiveConnect judges a CONNECT, and answers it; false ends the connection.
func (c *conn) receiveConnect(p mqttwire.Packet) bool {
	w := p.Connect
	if w == nil || p.Malformed != "" && w.Level == 4 { // of other levels the form is not ours to judge
		c.refuseOn("malformed CONNECT: " + p.Malformed)
		return false
	}
	k := &hub.Connect{
		ClientID: w.ClientID, UserName: w.UserName, HasPassword: w.HasPassword, PasswordLen: w.PasswordLength,
		Protocol: w.Protocol, Level: w.Level, Clean: w.Clean, KeepAlive: time.Duration(w.KeepAlive) * time.Second,
	}
	if w.Will != nil {
		k.Will = &hub.Will{Topic: w.Will.Topic, QoS: w.Will.QoS, Retain: w.Will.Retain, Size: len(w.Will.Payload)}
		if err := azure.CheckWillTopic(w.ClientID, w.Will.Topic); err != nil {
			k.Will.Refused = err.Error()
		}
	}
	c.mu.Lock()
	c.connect, c.deviceID = k, w.ClientID
	c.mu.Unlock()
	if w.Protocol != "MQTT" {
		k.ReturnCode, k.Reason = codeVersion, fmt.Sprintf("protocol %q: closed without a word, as IoT Hub does with MQTT 3.1", w.Protocol)
		c.judged("")
		c.refuseOn(k.Reason)
		return false
	}
	if p.Illegal != "" {
		c.refuseOn("illegal packet: " + p.Illegal)
		return false
	}
	if c.hub.beside(k) {
		c.keep(k)
		return true
	}
	k.ReturnCode, k.Reason = c.judge(k)
	c.hs = nil
	if k.ReturnCode != codeAccepted {
		return c.refuse(k, "", 0)
	}
	c.hub.aim.admitted(c.id, c.deviceID)
	if fault, ok := c.hub.faults.Use(c.id, func(x hub.Fault) bool { return x.ReturnCode != 0 }); ok {
		k.ReturnCode, k.Reason = fault.ReturnCode, "fault "+fault.Name
		return c.refuse(k, fault.Name, fault.Linger)
	}
	if fault, ok := c.hub.faults.Use(c.id, func(x hub.Fault) bool { return x.NoConnack }); ok {
		k.ReturnCode, k.Reason = 0xff, "fault "+fault.Name+": no answer"
		c.judged(fault.Name)
		c.deaf, c.timeout = true, time.Hour // the device gives up, not the hub
		return true
	}
	c.timeout = azure.ServerTimeout(k.KeepAlive)
	c.takeOver()
	c.hub.twins.says(c.deviceID, k.ModelID)
	if _, ok := c.hub.faults.Use(c.id, func(x hub.Fault) bool { return x.ForgetBefore }); ok {
		c.hub.subs.forget(c.deviceID)
	}
	c.accept(k, w.Will, c.hub.subs.begin(c.deviceID, k.Clean))
	return true
}

// judge says which return code a CONNECT earns, and why.
func (c *conn) judge(k *hub.Connect) (byte, string) {
	if k.Level != 4 {
		return codeVersion, fmt.Sprintf("protocol level %d; IoT Hub speaks 4 (MQTT 3.1.1)", k.Level)
	}
	u, err := azure.ParseUserName(k.UserName)
	if err != nil {
		return codeUnavailable, err.Error()
	}
	k.Form, k.ModelID = u.Form, u.ModelID()
	if want := c.hub.config.UserNameExact; want != "" && k.UserName != want {
		return codeNotAuthorized, fmt.Sprintf("user name %q is not the rig file's %q", k.UserName, want)
	}
	if err := azure.CheckClientID(k.ClientID, u.DeviceID); err != nil {
		return codeNotAuthorized, err.Error()
	}
	if k.HasPassword && k.PasswordLen > 0 {
		return codeNotAuthorized, "a password beside the certificate: IoT Hub takes it for a token"
	}
	if why := c.hub.admit(k.ClientID, c.hs.Certificates, c.hs.Thumbprints, time.Now()); why != "" {
		return codeNotAuthorized, why
	}
	return codeAccepted, ""
}

// refuse answers with the return code, and closes: at once, or once it was seen
// what the device sends on a connection that was refused.
func (c *conn) refuse(k *hub.Connect, fault string, linger time.Duration) bool {
	k.Answered = true
	c.judged(fault)
	c.because(fmt.Sprintf("CONNECT refused with %d: %s", k.ReturnCode, k.Reason), fault)
	if !c.connack(k.ReturnCode, false) || linger <= 0 {
		return false
	}
	c.deaf, c.timeout = true, linger
	return true
}

// connack sends the answer to a CONNECT at once. MQTT 3.1.1 has the return
// codes 0 to 5 (section 3.2.2.3): another one never leaves, whoever asks for it.
func (c *conn) connack(code byte, present bool) bool {
	if code > codeNotAuthorized {
		c.cut(fmt.Sprintf("CONNACK %d was not sent: MQTT 3.1.1 has 0 to 5", code), "")
		return false
	}
	c.sending.Lock()
	defer c.sending.Unlock()
	c.transmit(mqttwire.Packet{
		At: time.Now(), Type: mqttwire.CONNACK, Name: mqttwire.TypeName(mqttwire.CONNACK), ReturnCodes: []byte{code}, SessionPresent: present,
	})
	c.flushed()
	return true
}

func (c *conn) judged(fault string) {
	c.mu.Lock()
	k := *c.connect
	c.mu.Unlock()
	text := fmt.Sprintf("CONNECT of %s accepted", k.ClientID)
	if k.ReturnCode != codeAccepted {
		text = fmt.Sprintf("CONNECT of %q refused with %d: %s", k.ClientID, k.ReturnCode, k.Reason)
	} else if k.Reason != "" {
		text += ": " + k.Reason
	} else if k.Will != nil && k.Will.Refused != "" {
		text += ", and its will is lost: " + k.Will.Refused
	}
	c.event(hub.Event{Kind: hub.KindConnect, Text: text, Connect: &k, Fault: fault})
}

// takeOver makes this connection its id's session: an older one is dropped
// (Azure: 400027 ConnectionForcefullyClosedOnNewConnection).
func (c *conn) takeOver() {
	h := c.hub
	h.mu.Lock()
	old := h.live[c.deviceID]
	h.live[c.deviceID] = c
	c.check.Claim()
	h.mu.Unlock()
	if old == nil || old == c {
		return
	}
	old.mu.Lock()
	old.takeover = true
	old.mu.Unlock()
	old.cut(fmt.Sprintf("taken over by connection %d of the same id", c.id), "")
	select { // its end is in the record before this one's beginning
	case <-old.gone:
	case <-time.After(takeOverWithin):
	case <-h.closing:
	}
}

// takeOverWithin bounds the wait for a connection that was cut to end.
const takeOverWithin = 2 * time.Second

// accept is the moment at which a session exists: it is recorded before the
// device learns of it.
func (c *conn) accept(k *hub.Connect, will *mqttwire.Will, present bool) {
	if _, ok := c.hub.faults.Use(c.id, func(x hub.Fault) bool { return x.ClaimSession }); ok {
		present = true
	}
	c.mu.Lock()
	k.Answered, k.Present = true, present
	if will != nil && k.Will.Refused == "" {
		c.will = &mqttwire.Will{Topic: will.Topic, Payload: bytes.Clone(will.Payload), QoS: will.QoS, Retain: will.Retain} // without the CONNECT's password
	}
	c.mu.Unlock()
	fault, drop := c.hub.faults.Use(c.id, func(x hub.Fault) bool { return x.Drop })
	c.judged(fault.Name)
	c.connack(codeAccepted, present)
	switch {
	case !drop:
		c.start()
	case fault.DropAfter == 0:
		c.drop(fault)
	default:
		c.start()
		c.later(fault.DropAfter, func() { c.drop(fault) })
	}
}

func (c *conn) drop(fault hub.Fault) {
	why := "dropped after CONNACK"
	if fault.TakeOver {
		why = "taken over, as the fault has it"
		c.mu.Lock()
		c.takeover = true
		c.mu.Unlock()
	}
	c.cut(why, fault.Name)
}
