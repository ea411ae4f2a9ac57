package doctor

import (
	"context"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	"hilrig/fixtures/rigfile"
	"hilrig/record"
)

// checkHubPorts takes each endpoint of this machine for a moment: several boards
// may share one.
func checkHubPorts(ctx context.Context, h *Host) (found []Result) {
	boards, places := h.endpoints()
	for _, at := range places {
		found = append(found, h.takeEndpoint(ctx, at, strings.Join(boards[at], ", ")))
	}
	return found
}

// endpoints are the boards of each endpoint of this machine, and the endpoints
// in the order of the rig file.
func (h *Host) endpoints() (boards map[string][]string, places []string) {
	boards = map[string][]string{}
	for _, d := range h.Rig.Devices {
		at := h.Rig.Hub.Endpoint(d)
		if at == "" || d.At(h.Rig.Hub).HubPort == 0 {
			continue // another host's, or a free one
		}
		if boards[at] == nil {
			places = append(places, at)
		}
		boards[at] = append(boards[at], d.Name)
	}
	return boards, places
}

func (h *Host) takeEndpoint(ctx context.Context, at, whose string) Result {
	l, err := h.Listen(ctx, "tcp", at)
	if err != nil {
		return bad("ss -ltnp shows who has it; or another hub_port for "+whose, "%s for %s: %s", at, whose, record.WithoutAddress(err))
	}
	_ = l.Close() // nobody has connected
	return fine("%s for %s is free", at, whose)
}

// dialled is a name that devices dial; boards: hardware does, too.
type dialled struct {
	host   string
	boards bool
}

// dialledBy is the name that d dials.
func (h *Host) dialledBy(d rigfile.Device) dialled {
	return dialled{h.Rig.Hub.For(d).Host, d.Serial.Emulated == nil}
}

// checkHubHost looks at each name that a device dials.
func checkHubHost(ctx context.Context, h *Host) (found []Result) {
	hosts := map[string]bool{}
	for _, d := range h.Rig.Devices {
		name := h.dialledBy(d)
		hosts[name.host] = hosts[name.host] || name.boards
	}
	if len(hosts) == 0 {
		hosts[h.Rig.Hub.Host] = false
	}
	for _, host := range slices.Sorted(maps.Keys(hosts)) {
		found = append(found, checkHost(ctx, h, dialled{host, hosts[host]})...)
	}
	return found
}

// checkHost: a device dials this name, and sends it as SNI, which cannot carry an
// IP address (RFC 6066, section 3).
func checkHost(ctx context.Context, h *Host, name dialled) []Result {
	host := name.host
	switch {
	case h.Rig.Hub.Kind == rigfile.KindBroker:
		return nil // its own check says it
	case net.ParseIP(host) != nil:
		return []Result{warn("give hub.host a name", "%s is an IP address: SNI cannot carry it, tls/server-name is not applicable", host)}
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	addresses, err := h.Resolve(ctx, host)
	if err != nil {
		return []Result{bad("add it to the lab's DNS, or to /etc/hosts here and where devices resolve names", "%s does not resolve: %s", host, err)}
	}
	found := []Result{fine("%s is %v", host, addresses)}
	switch {
	case h.Rig.Hub.Kind != rigfile.KindLocal || !name.boards: // what is emulated is on this machine

	case leadsElsewhere(addresses, h.Addresses()):
		found = append(found, warn("the lab's DNS must give this machine's address for it (docs/lab-hub.md); where only the boards ask that DNS, nothing", "%s does not lead to this machine: a board that dials it comes elsewhere", host))
	case loopbackOnly(addresses):
		found = append(found, warn("hub.host needs a name that boards resolve to this machine, hub.listen 0.0.0.0", "%s leads only to this machine itself: a board cannot dial it", host))
	}
	return found
}

// leadsElsewhere: none of a name's addresses is one of this machine's.
func leadsElsewhere(addresses, own []string) bool {
	return len(own) > 0 && !loopbackOnly(addresses) && !slices.ContainsFunc(addresses, func(a string) bool { return slices.Contains(own, a) })
}

func loopbackOnly(addresses []string) bool {
	return !slices.ContainsFunc(addresses, func(a string) bool { ip := net.ParseIP(a); return ip == nil || !ip.IsLoopback() })
}

// checkBroker goes the way of a run at the rig's broker.
func checkBroker(ctx context.Context, h *Host) []Result {
	if h.Rig.Hub.Kind != rigfile.KindBroker || h.Broker == nil {
		return nil
	}
	return h.Broker(ctx, h.Rig.Hub, h.Rig.Devices)
}
