package mqttwire

// The connect flags (MQTT 3.1.2.3).
const (
	flagReserved   = 0x01
	flagClean      = 0x02
	flagWill       = 0x04
	flagWillRetain = 0x20
	flagPassword   = 0x40
	flagUserName   = 0x80
)

// is311 says whether c is a CONNECT that MQTT 3.1.1 judges. What calls itself
// 3.1 or 5 properly is of another standard.
func (c *Connect) is311() bool {
	mqtt31 := c.Protocol == "MQIsdp" && c.Level == 3
	mqtt5 := c.Protocol == "MQTT" && c.Level == 5
	return !mqtt31 && !mqtt5
}

// connect reads a CONNECT of 3.1, 3.1.1 or 5. Until the place of the password
// is known, d.secret is where the payload begins.
func (d *decoder) connect() {
	c := &Connect{}
	d.p.Connect = c
	if !d.connectHeader(c) {
		return
	}
	d.secret = d.at
	d.connectFlags(c)
	if c.Level == 5 && !d.skipProperties() {
		return
	}
	ok := false
	if c.ClientID, ok = d.text("client identifier"); !ok {
		d.violate("[MQTT-3.1.3-3]", "has no client identifier")
		return
	}
	if c.ClientID == "" && !c.Clean {
		d.violate("[MQTT-3.1.3-7]", "client identifier is empty and clean session is 0")
	}
	if c.Flags&flagWill != 0 && !d.will(c) {
		return
	}
	d.credentials(c)
}

// connectHeader reads the variable header up to the keep-alive.
func (d *decoder) connectHeader(c *Connect) (ok bool) {
	if c.Protocol, ok = d.text("protocol name"); !ok {
		return false
	}
	if c.Level, ok = d.byte("protocol level"); !ok {
		return false
	}
	switch {
	case !c.is311():
		d.blame = false
	case c.Protocol != "MQTT":
		d.violate("[MQTT-3.1.2-1]", "protocol name is %q", c.Protocol)
	case c.Level != 4:
		d.violate("[MQTT-3.1.2-2]", "protocol level is %d, that of MQTT 3.1.1 is 4", c.Level)
	}
	if c.Flags, ok = d.byte("connect flags"); !ok {
		return false
	}
	c.KeepAlive, ok = d.u16("keep-alive")
	return ok
}

func (d *decoder) connectFlags(c *Connect) {
	c.Clean = c.Flags&flagClean != 0
	c.HasUserName = c.Flags&flagUserName != 0
	c.HasPassword = c.Flags&flagPassword != 0
	willQoS := c.Flags >> 3 & 3
	if c.Flags&flagReserved != 0 {
		d.illegal("[MQTT-3.1.2-3]", "the reserved connect flag is set")
	}
	if c.Flags&flagWill == 0 && willQoS != 0 {
		d.violate("[MQTT-3.1.2-13]", "will QoS is %d without a will", willQoS)
	}
	if c.Flags&flagWill == 0 && c.Flags&flagWillRetain != 0 {
		d.violate("[MQTT-3.1.2-15]", "will retain is set without a will")
	}
	if willQoS == 3 {
		d.illegal("[MQTT-3.1.2-14]", "will QoS is 3")
	}
	if c.HasPassword && !c.HasUserName {
		d.violate("[MQTT-3.1.2-22]", "a password without a user name")
	}
}

// will reads the will's topic and message.
func (d *decoder) will(c *Connect) bool {
	if c.Level == 5 && !d.skipProperties() {
		return false
	}
	w := &Will{QoS: c.Flags >> 3 & 3, Retain: c.Flags&flagWillRetain != 0}
	ok := false
	if w.Topic, ok = d.text("will topic"); ok {
		w.Payload, ok = d.field("will message")
	}
	if !ok {
		d.violate("[MQTT-3.1.2-9]", "the will flag is set and will topic or message are missing")
		return false
	}
	d.topicName(d.violate, "will topic", w.Topic, "[MQTT-4.7.1-1]")
	c.Will = w
	return true
}

// credentials reads user name and password. Whatever stands behind the user
// name is kept out of every record.
func (d *decoder) credentials(c *Connect) {
	ok := true
	if c.HasUserName {
		if c.UserName, ok = d.text("user name"); !ok {
			d.violate("[MQTT-3.1.2-19]", "the user name flag is set and there is none")
			return
		}
	}
	d.secret = d.at
	if c.HasPassword {
		password, ok := d.field("password")
		if !ok {
			d.violate("[MQTT-3.1.2-21]", "the password flag is set and there is none")
			return
		}
		c.PasswordLength = len(password)
	}
	d.end()
}

// skipProperties passes over the properties of MQTT 5 (its section 2.2.2).
func (d *decoder) skipProperties() bool {
	n := 0
	for i := range 4 {
		b, ok := d.byte("properties")
		if !ok {
			return false
		}
		n |= int(b&0x7f) << (7 * i)
		if b&0x80 == 0 {
			break
		}
	}
	if d.at+n > len(d.body) {
		d.malformed("ends inside its properties of %d bytes", n)
		return false
	}
	d.at += n
	return true
}
