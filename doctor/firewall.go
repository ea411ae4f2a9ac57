package doctor

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"hilrig/fixtures/rigfile"
)

// checkFirewall looks for what would keep boards from the hub's ports: ufw,
// firewalld, and where the rules may be read an nftables chain that drops.
// A rule that lets them in may be one that is not seen here: it only warns.
func checkFirewall(ctx context.Context, h *Host) (found []Result) {
	ports := boardPorts(h.Rig)
	if len(ports) == 0 {
		return nil // nobody comes from outside
	}
	rules := h.Rules(ctx)
	for _, n := range ports {
		switch {
		case ufwOn(h.Root) && !mentions(ufwRules(h.Root), n):
			found = append(found, warn(fmt.Sprintf("sudo ufw allow %d/tcp", n), "ufw is on, and no rule of it that you may read lets boards reach port %d", n))
		case runs(h.Root, "firewalld") && !mentions(rules, n):
			found = append(found, warn(fmt.Sprintf("sudo firewall-cmd --add-port=%d/tcp, once more with --permanent", n), "firewalld is on: does it let boards reach port %d?", n))
		case dropsInput(rules) && !mentions(rules, n):
			found = append(found, warn(fmt.Sprintf("sudo nft list ruleset; let tcp dport %d in", n), "nftables drops what comes in, and no rule names port %d", n))
		default:
			found = append(found, fine("none was found that keeps boards from port %d", n))
		}
	}
	return found
}

// boardPorts are the ports of this machine that boards reach over the network.
func boardPorts(rig *rigfile.Rig) (ports []int) {
	for _, d := range rig.Devices {
		at := rig.Hub.Endpoint(d)
		if at == "" || d.Serial.Emulated != nil {
			continue
		}
		listen, _, _ := net.SplitHostPort(at) // it was joined
		ip, port := net.ParseIP(listen), d.At(rig.Hub).HubPort
		here := listen == "localhost" || ip != nil && ip.IsLoopback()
		if !here && !slices.Contains(ports, port) {
			ports = append(ports, port)
		}
	}
	return ports
}

func ufwOn(root string) bool {
	data, err := os.ReadFile(filepath.Join(root, "etc", "ufw", "ufw.conf"))
	return err == nil && regexp.MustCompile(`(?mi)^\s*ENABLED\s*=\s*"?yes"?\s*$`).Match(data)
}

// ufwRules are root's to read; empty for others.
func ufwRules(root string) string {
	var all strings.Builder
	for _, name := range []string{"user.rules", "user6.rules"} {
		data, _ := os.ReadFile(filepath.Join(root, "etc", "ufw", name)) // what may not be read says nothing
		all.Write(data)
	}
	return all.String()
}

// runs looks for a process by its name.
func runs(root, name string) bool {
	comms, err := filepath.Glob(filepath.Join(root, "proc", "[0-9]*", "comm"))
	return err == nil && slices.ContainsFunc(comms, func(c string) bool {
		data, err := os.ReadFile(c)
		return err == nil && strings.TrimSpace(string(data)) == name
	})
}

var inputDrops = regexp.MustCompile(`hook input [^;]*; policy drop;`)

func dropsInput(rules string) bool { return inputDrops.MatchString(rules) }

// mentions reports whether a rule accepts this port by its number: nft's and
// iptables' words for it.
func mentions(rules string, port int) bool {
	return regexp.MustCompile(`(?m)dport[^\n]*\b` + strconv.Itoa(port) + `\b[^\n]*(?i:accept)`).MatchString(rules)
}
