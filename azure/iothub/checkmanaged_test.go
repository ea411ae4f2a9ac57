package iothub_test

import (
	"strings"
	"testing"

	"hilrig/azure/iothub"
	"hilrig/azure/iothub/arm"
	"hilrig/record"
)

// What Azure Resource Manager knows of a hub, and a run would meet late or never.
func TestAManagedHubIsChecked(t *testing.T) {
	sound := arm.Hub{
		Name: "a-hub", State: "Active", SKU: "S1", Tier: "Standard", Units: 1, HostName: "a-hub.azure-devices.net", MinimumTLS: "1.2", LocalAuth: true, PublicAccess: true,
		EventsPath: "a-hub", Partitions: 4, Fallback: true,
	}
	for _, x := range []struct {
		name   string
		change func(*iothub.Managed, *iothub.Config)
		says   string
		cure   string // of a failure or a warning; empty: nothing is wrong
		bad    bool
	}{
		{"sound", func(*iothub.Managed, *iothub.Config) {}, "S1, 1 unit(s), 300000 of 400000 messages left today", "", false},
		{"another hub", func(_ *iothub.Managed, c *iothub.Config) { c.Host = "b-hub.azure-devices.net" }, "resource_id is that of a-hub", "Properties", true},
		{"suspended", func(m *iothub.Managed, _ *iothub.Config) { m.Hub.State = "Suspended" }, "the hub is Suspended", "is the subscription paid", true},
		{"the day is used up", func(m *iothub.Managed, _ *iothub.Config) { m.Quota.Messages = 400_000 }, "the day's 400000 messages are used up", "00:00 UTC", true},
		{"a full registry", func(m *iothub.Managed, _ *iothub.Config) { m.Quota.Devices = 500 }, "all 500 devices", "remove devices", true},
		{"basic", func(m *iothub.Managed, _ *iothub.Config) { m.Hub.Tier = "Basic" }, "basic: what speaks to the device is not applicable", "", false},
		{"no keys", func(m *iothub.Managed, _ *iothub.Config) { m.Hub.LocalAuth, m.Keys = false, true }, "keys of shared access policies are not taken", "entra: true", true},
		{"no keys, by Entra", func(m *iothub.Managed, _ *iothub.Config) { m.Hub.LocalAuth = false }, "the rig signs in by Entra", "", false},
		{"MQTT 5", func(m *iothub.Managed, _ *iothub.Config) { m.Hub.EventsPath = "" }, "no built-in endpoint, as with the MQTT v5", "classic connection profile", true},
		{"no fallback route", func(m *iothub.Managed, _ *iothub.Config) { m.Hub.Fallback = false }, "telemetry does not arrive", "the fallback route is off", true},
		{"a route that swallows", func(m *iothub.Managed, _ *iothub.Config) {
			m.Hub.Routes = []arm.Route{{Name: "store", Source: "DeviceMessages", Endpoints: []string{"s"}, Enabled: true}}
		}, "telemetry does not arrive", "add a route with the endpoint events", true},
		{"an Event Hub of its own", func(m *iothub.Managed, c *iothub.Config) {
			m.Hub.Fallback, c.Events.Namespace = false, "n.servicebus.windows.net"
		}, "read from n.servicebus.windows.net", "", false},
		{"private", func(m *iothub.Managed, _ *iothub.Config) { m.Hub.PublicAccess = false }, "by private link alone", "in the private link's network", false},
		{"addresses", func(m *iothub.Managed, _ *iothub.Config) {
			m.Hub.IPRules, m.Hub.IPRulesForEvents = []string{"192.0.2.0/24"}, true
		}, "192.0.2.0/24; to the built-in endpoint too", "must be among them", false},
		{"old TLS", func(m *iothub.Managed, _ *iothub.Config) { m.Hub.MinimumTLS = "1.0" }, "said to be 1.0", "1.2", false},
	} {
		c := iothub.Config{Host: "A-hub.azure-devices.net"}
		m := iothub.Managed{Hub: sound, Quota: arm.Quota{Messages: 100_000, MaxMessages: 400_000, Devices: 3, MaxDevices: 500}, Keys: false}
		x.change(&m, &c)
		said, bad, cures := "", false, ""
		for _, f := range c.CheckManaged(m) {
			said += f.What + "\n"
			cures += f.Cure
			if f.Err != nil {
				bad = true
				said += f.Err.Error() + "\n"
				if record.ClassOf(f.Err) != record.RigCloud {
					t.Errorf("%s: %v", x.name, f.Err)
				}
			}
		}
		if bad != x.bad || !strings.Contains(said, x.says) || !strings.Contains(said+cures, x.cure) || (cures == "") != (x.cure == "" || x.bad) {
			t.Errorf("%s: bad is %v, said\n%s%s", x.name, bad, said, cures)
		}
	}
}
