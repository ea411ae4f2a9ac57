package iothub

import (
	"errors"
	"fmt"
	"strings"

	"hilrig/azure/iothub/arm"
	"hilrig/record"
)

// Managed is a hub as Azure Resource Manager has it.
type Managed struct {
	Hub   arm.Hub
	Quota arm.Quota
	Keys  bool // the rig signs in by key somewhere
}

// wrong is what would make a run fail.
func (c Config) wrong(why, cure string) Finding {
	return Finding{Err: record.NewFailure(record.RigCloud, "use", c.Host, errors.New(why)).WithCure(cure)}
}

// CheckManaged says what of a hub's properties would make a run fail, or holds
// for some machines alone.
func (c Config) CheckManaged(m Managed) []Finding {
	h := m.Hub
	if !strings.EqualFold(h.HostName, c.Host) && !strings.EqualFold(h.DeviceHostName, c.Host) {
		return []Finding{c.wrong("resource_id is that of "+h.HostName, "resource_id is in Azure portal, IoT Hub, Properties")}
	}
	found := []Finding{c.checkTier(m), c.checkKeys(m), c.checkRoutes(h)}
	return append(found, c.checkNetwork(h)...)
}

func (c Config) checkTier(m Managed) Finding {
	h, q := m.Hub, m.Quota
	switch {
	case h.State != "Active":
		return c.wrong("the hub is "+h.State, "Azure portal, IoT Hub, Overview, says why: is the subscription paid?")
	case q.MaxMessages > 0 && q.Left() == 0:
		return c.wrong(fmt.Sprintf("the day's %d messages are used up", q.MaxMessages), "wait until 00:00 UTC, when the day begins anew, or give the hub another unit")
	case q.MaxDevices > 0 && q.Devices >= q.MaxDevices:
		return c.wrong(fmt.Sprintf("the registry has all %d devices that it may", q.MaxDevices), "remove devices")
	}
	what := fmt.Sprintf("%s, %d unit(s), %d of %d messages left today", h.SKU, h.Units, q.Left(), q.MaxMessages)
	if h.Tier == "Basic" {
		what += "; basic: what speaks to the device is not applicable"
	}
	return Finding{What: what}
}

func (c Config) checkKeys(m Managed) Finding {
	switch {
	case m.Hub.LocalAuth:
		return Finding{What: "keys of shared access policies are taken"}
	case m.Keys:
		return c.wrong("keys of shared access policies are not taken (local authentication is off)",
			"registry: {entra: true}, and events: {namespace: NAME.servicebus.windows.net, name: EVENTHUB, entra: true}; or az iot hub update --name NAME --disable-local-auth false")
	}
	return Finding{What: "keys are not taken, and the rig signs in by Entra"}
}

func (c Config) checkRoutes(h arm.Hub) Finding {
	swallowed := h.Swallowed()
	switch {
	case c.Events.Namespace != "":
		return Finding{What: "telemetry is read from " + c.Events.Namespace + ", to which a route of the hub must lead"}
	case h.EventsPath == "":
		return c.wrong("the hub has no built-in endpoint, as with the MQTT v5 connection profile: it takes MQTT 5 alone, and the guide's devices speak 3.1.1",
			"another hub, with the classic connection profile: it is chosen when a hub is made")
	case swallowed != "":
		return c.wrong("telemetry does not arrive at the built-in endpoint", swallowed)
	}
	return Finding{What: fmt.Sprintf("telemetry arrives at the built-in endpoint, %d partitions", h.Partitions)}
}

// checkNetwork are warnings: whether this machine may come in is shown by its
// coming in.
func (c Config) checkNetwork(h arm.Hub) (found []Finding) {
	if !h.PublicAccess {
		found = append(found, Finding{What: "public access is off: the hub is reached by private link alone",
			Cure: "rig and devices must be in the private link's network: does the hub's name resolve to a private address there? Or Azure portal, IoT Hub, Networking, Public access"})
	}
	if len(h.IPRules) > 0 {
		what := "only these addresses may come in: " + strings.Join(h.IPRules, ", ")
		if h.IPRulesForEvents {
			what += "; to the built-in endpoint too"
		}
		found = append(found, Finding{What: what, Cure: "the public addresses of rig and devices must be among them: Azure portal, IoT Hub, Networking"})
	}
	if h.MinimumTLS != "" && h.MinimumTLS != "1.2" {
		found = append(found, Finding{What: "the least TLS version is said to be " + h.MinimumTLS, Cure: "az iot hub show --query properties.minTlsVersion; the guide's is 1.2, and it is chosen when a hub is made"})
	}
	return found
}
