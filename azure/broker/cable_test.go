package broker_test

import (
	"testing"
	"time"

	"hilrig/azure/broker"
	"hilrig/azure/hub"
	"hilrig/peers/brokers"
)

// A cable that is pulled tells nobody. Who asks whether messages still come is
// told in time; who does not ask learns it by the observer's own pings. What the
// device sent meanwhile counts as unseen, and the observer is back with the
// cable.
func TestACableIsPulled(t *testing.T) {
	t.Parallel()
	reads := func(t *testing.T) (*brokers.Broker, broker.Observer) {
		m := brokers.Mosquitto(t, "password_file %[1]s/passwords\nacl_file %[1]s/acl", map[string][]byte{
			"passwords": append(brokers.Passwords(t, "rig", "sesame"), brokers.Passwords(t, "board", "sesame")...),
			"acl":       []byte("user rig\ntopic read devices/#\n\nuser board\ntopic devices/#\n"),
		})
		return m, broker.Observer{User: "rig", Password: "sesame"}
	}
	writes := func(t *testing.T) (*brokers.Broker, broker.Observer) {
		return brokers.Mosquitto(t, "password_file %[1]s/passwords", map[string][]byte{"passwords": brokers.Passwords(t, "board", "sesame")}), broker.Observer{User: "board", Password: "sesame"}
	}
	aedes := func(t *testing.T) (*brokers.Broker, broker.Observer) {
		return brokers.Aedes(t, "board", "sesame"), broker.Observer{User: "board", Password: "sesame"}
	}
	for name, c := range map[string]struct {
		start func(*testing.T) (*brokers.Broker, broker.Observer)
		asked bool
	}{
		"and somebody asks": {writes, true},
		"and nobody asks":   {writes, false},
		"somebody asks an observer that may not write": {reads, true},
		"somebody asks in MQTT 3.1.1":                  {aedes, true},
		"nobody asks in MQTT 3.1.1":                    {aedes, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, o := c.start(t)
			cable := brokers.NewCable(t, m.Address)
			to := config(m, o)
			to.Address = cable.Address
			h := open(t, to, setup())
			d := connectDevice(t, m, nil, "board", "sesame")
			d.send(t, topic, 1, false, "before")
			await(t, h, 0, "a message", message("before"))
			h.StillHears(t.Context())
			pulled := time.Now()
			if missed := h.Events().Missed(pulled, pulled); missed != nil {
				t.Errorf("all is well, and still: %v", missed)
			}

			cable.Pull()
			d.send(t, topic, 1, false, "unseen")
			if c.asked {
				h.StillHears(t.Context())
			} else {
				await(t, h, 0, "the gap", func(e hub.Event) bool { return e.Kind == hub.KindGap && e.At.After(pulled) })
			}
			if missed := h.Events().Missed(pulled, time.Now()); len(missed) != 1 || missed[0].From.After(pulled) {
				t.Errorf("unseen since %v: %v", pulled, missed)
			}
			mark := h.Events().Mark()
			cable.Plug()
			if name != "somebody asks an observer that may not write" { // the first message is its proof
				await(t, h, mark, "its return", kind(hub.KindListening))
				d.send(t, topic, 1, false, "behind")
			} else {
				await(t, h, mark, "its return", kind(hub.KindGap))
				d.send(t, topic, 1, false, "behind")
				await(t, h, mark, "its proof", kind(hub.KindListening))
			}
			await(t, h, mark, "a message", message("behind"))
		})
	}
}
