package localhub

import (
	"fmt"
	"time"

	"hilrig/azure"
	"hilrig/azure/localhub/mqttwire"
)

// CONNACK return codes (MQTT 3.1.1 section 3.2.2.3) as Microsoft's Edge Hub
// uses them.
const (
	codeAccepted      = 0
	codeVersion       = 1
	codeUnavailable   = 3 // a user name that cannot be read
	codeNotAuthorized = 5 // everything about who the device is
)

// receiveConnect judges a CONNECT. A refusal is answered and closed here; the
// broker sees accepted ones only.
func (c *conn) receiveConnect(f mqttwire.Frame, p mqttwire.Packet) bool {
	w := p.Connect
	if w == nil || p.Malformed != "" && w.Level == 4 { // of other levels the form is not ours to judge
		c.cut("malformed CONNECT: "+p.Malformed, "")
		return false
	}
	k := &Connect{
		ClientID: w.ClientID, UserName: w.UserName, HasPassword: w.HasPassword, PasswordLen: w.PasswordLength,
		Protocol: w.Protocol, Level: w.Level, Clean: w.Clean, KeepAlive: time.Duration(w.KeepAlive) * time.Second,
	}
	if w.Will != nil {
		k.Will = &Will{Topic: w.Will.Topic, QoS: w.Will.QoS, Retain: w.Will.Retain, Size: len(w.Will.Payload)}
	}
	c.mu.Lock()
	c.connect, c.deviceID = k, w.ClientID
	c.mu.Unlock()
	if w.Protocol != "MQTT" {
		k.ReturnCode, k.Reason = codeVersion, fmt.Sprintf("protocol %q: closed without a word, as IoT Hub does with MQTT 3.1", w.Protocol)
		c.judged("")
		c.cut(k.Reason, "")
		return false
	}
	k.ReturnCode, k.Reason = c.judge(k)
	if k.ReturnCode != codeAccepted {
		c.refuse(k, "", 0)
		return false
	}
	if fault, ok := c.hub.faults.take(c.id, func(x Fault) bool { return x.ReturnCode != 0 }); ok {
		k.ReturnCode, k.Reason = fault.ReturnCode, "fault "+fault.Name
		c.refuse(k, fault.Name, fault.Linger)
		return c.lingering
	}
	if fault, ok := c.hub.faults.take(c.id, func(x Fault) bool { return x.NoConnack }); ok {
		k.ReturnCode, k.Reason = 0xff, "fault "+fault.Name+": no answer"
		c.judged(fault.Name)
		c.timeout = time.Hour // the device gives up, not the hub
		return true
	}
	c.timeout = azure.ServerTimeout(k.KeepAlive)
	c.takeOver()
	c.hub.twins.says(c.deviceID, k.ModelID)
	if _, ok := c.hub.faults.take(c.id, func(x Fault) bool { return x.ForgetBefore }); ok {
		c.hub.forgetSession(c.deviceID)
	}
	c.hub.subs.begin(c.deviceID, k.Clean)
	c.ready = append(c.ready, f.Raw...)
	return true
}

// judge says which return code a CONNECT earns, and why.
func (c *conn) judge(k *Connect) (byte, string) {
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
func (c *conn) refuse(k *Connect, fault string, linger time.Duration) {
	k.Answered = true
	c.judged(fault)
	c.sending.Lock()
	defer c.sending.Unlock()
	for _, f := range mqttwire.NewSplitter(0, nil).Feed(mqttwire.Connack(k.ReturnCode, false)) {
		_ = c.transmit(f) // closed in any case
	}
	c.because(fmt.Sprintf("CONNECT refused with %d: %s", k.ReturnCode, k.Reason), fault)
	if linger > 0 {
		c.lingering, c.timeout = true, linger
		return
	}
	_ = c.Conn.Close() // TLS first: the CONNACK must arrive
}

func (c *conn) judged(fault string) {
	c.mu.Lock()
	k := *c.connect
	c.mu.Unlock()
	text := fmt.Sprintf("CONNECT of %s accepted", k.ClientID)
	if k.ReturnCode != codeAccepted {
		text = fmt.Sprintf("CONNECT of %q refused with %d: %s", k.ClientID, k.ReturnCode, k.Reason)
	}
	c.event(Event{Kind: KindConnect, Text: text, Connect: &k, Fault: fault})
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
	// The broker must be done with it: an older CONNECT that it answers behind
	// this one would take the session back.
	select {
	case <-old.gone:
	case <-time.After(takeOverWithin):
	case <-h.closing:
	}
}

// takeOverWithin bounds the wait for a connection that was cut to end.
const takeOverWithin = 2 * time.Second

// sendConnack is the moment at which a session exists: it is recorded before
// the device learns of it.
func (c *conn) sendConnack(f mqttwire.Frame) error {
	p, _ := mqttwire.Decode(f, false)
	if _, ok := c.hub.faults.take(c.id, func(x Fault) bool { return x.ClaimSession }); ok {
		p.SessionPresent = true
		f.Raw = mqttwire.Connack(codeAccepted, true)
	}
	c.mu.Lock()
	c.connect.Answered, c.connect.Present = true, p.SessionPresent
	if len(p.ReturnCodes) > 0 && c.connect.ReturnCode == codeAccepted && p.ReturnCodes[0] != 0 {
		c.connect.ReturnCode, c.connect.Reason = p.ReturnCodes[0], "refused by the broker"
	}
	c.mu.Unlock()
	fault, drop := c.hub.faults.take(c.id, func(x Fault) bool { return x.Drop })
	c.judged(fault.Name)
	if err := c.transmit(f); err != nil {
		return err
	}
	c.hub.running.Go(c.postman)
	if !drop {
		return nil
	}
	if fault.DropAfter == 0 {
		c.drop(fault)
		return nil
	}
	c.hub.running.Go(func() {
		select {
		case <-time.After(fault.DropAfter):
			c.drop(fault)
		case <-c.gone:
		}
	})
	return nil
}

func (c *conn) drop(fault Fault) {
	why := "dropped after CONNACK"
	if fault.TakeOver {
		why = "taken over, as the fault has it"
		c.mu.Lock()
		c.takeover = true
		c.mu.Unlock()
	}
	c.cut(why, fault.Name)
}
