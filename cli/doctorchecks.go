package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"hilrig/certs"
	"hilrig/fixtures/rigfile"
	"hilrig/hw/port"
)

func checkPorts(_ context.Context, p *patient) (found []finding) {
	if p.noPorts != nil {
		return []finding{warn("name ports by path", "%s", p.noPorts)}
	}
	for _, s := range p.ports {
		switch err := mayOpen(s.Path); {
		case err == nil:
			found = append(found, fine("%s may be opened", s))
		case s.USB && p.rig.File == "":
			found = append(found, bad(port.PermissionCure(s.Path), "%s: %s", s, err))
		default: // the machine's own, or not of this rig, whose devices have a check of their own
			found = append(found, warn(port.PermissionCure(s.Path), "%s: %s", s, err))
		}
	}
	if len(found) == 0 {
		found = append(found, fine("no serial port is plugged in"))
	}
	return found
}

// checkLockDir: locks count only in a folder that all users of the host share.
func checkLockDir(_ context.Context, p *patient) []finding {
	info, err := os.Stat(p.lockDir)
	share := "sudo install -d -m 1777 /run/lock/hilrig"
	switch {
	case err != nil:
		return []finding{bad(share, "%s", err)}
	case port.LockFolder(p.lockDir) != nil:
		return []finding{bad(share, "%s: %s", p.lockDir, port.LockFolder(p.lockDir))}
	case len(port.StrangeLocks(p.lockDir)) > 0:
		var found []finding
		for _, s := range port.StrangeLocks(p.lockDir) {
			found = append(found, bad("somebody has put it there: look at it, and remove it", "%s", s))
		}
		return found
	case mayWriteIn(p.lockDir) != nil:
		return []finding{bad("sudo chmod 1777 "+p.lockDir, "%s cannot be written by you", p.lockDir)}
	case p.lockDir != "/run/lock/hilrig":
		return []finding{warn(share, "%s stands in for /run/lock/hilrig, which cannot be made", p.lockDir)}
	case info.Mode().Perm()&0o002 == 0 || info.Mode()&os.ModeSticky == 0:
		return []finding{warn("sudo chmod 1777 "+p.lockDir, "%s is not shared by all users (%s)", p.lockDir, info.Mode())}
	}
	if other := port.FolderOwner(p.lockDir); other != "" {
		return []finding{warn("sudo chown root "+p.lockDir, "%s is shared by all users, and of user %s, who can take away anybody's lock", p.lockDir, other)}
	}
	return []finding{fine("%s is shared by all users", p.lockDir)}
}

// checkStateDir makes nothing: a folder that is still to be made is judged by
// the nearest one above it.
func checkStateDir(_ context.Context, p *patient) []finding {
	const cure = "HILRIG_STATE names another folder"
	if p.noState != nil {
		return []finding{bad(cure, "%s", p.noState)}
	}
	at := nearestFolder(p.stateDir)
	if err := mayWriteIn(at); err != nil {
		return []finding{bad(cure, "%s: %s cannot be written: %s", p.stateDir, at, err)}
	}
	if at != p.stateDir {
		return []finding{fine("%s will be made by the first run", p.stateDir)}
	}
	return []finding{fine("%s", p.stateDir)}
}

// nearestFolder is the folder itself, or the first one above that is there.
func nearestFolder(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	for dir != filepath.Dir(dir) {
		if _, err := os.Stat(dir); err == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	return dir
}

func checkDevices(_ context.Context, p *patient) (found []finding) {
	for _, d := range p.rig.Devices {
		switch l := reach(d, p.ports, p.noPorts, p.lockDir); {
		case d.Serial.Emulated != nil:
			found = append(found, fine("%s is emulated", d.Name))
		case l.Reachable && d.Serial.URL != "":
			found = append(found, fine("%s at %s is on the network: not tried, that would open it", d.Name, l.Port))
		case l.Reachable:
			found = append(found, fine("%s at %s can be reached", d.Name, l.Port))
		default:
			found = append(found, bad("hilrig devices shows what is plugged in", "%s cannot be reached: %s", d.Name, l.Why))
		}
	}
	return found
}

// checkHubPorts takes each device's endpoint for a moment.
func checkHubPorts(ctx context.Context, p *patient) (found []finding) {
	if p.rig.Hub.Kind != rigfile.KindLocal {
		return nil
	}
	for _, d := range p.rig.Devices {
		if d.HubPort == 0 {
			continue // a free one
		}
		host := d.Listen
		if host == "" {
			host = p.rig.Hub.Listen
		}
		addr := net.JoinHostPort(host, strconv.Itoa(d.HubPort))
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
		if err != nil {
			found = append(found, bad("ss -ltnp shows who has it; or another hub_port for "+d.Name, "%s for %s: %s", addr, d.Name, bare(err)))
			continue
		}
		_ = l.Close() // nobody has connected
		found = append(found, fine("%s for %s is free", addr, d.Name))
	}
	return found
}

// bare is what the system says, without the address that was said already.
func bare(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

// checkHubHost: a device dials this name, and sends it as SNI, which cannot
// carry an IP address (RFC 6066, section 3).
func checkHubHost(ctx context.Context, p *patient) []finding {
	host := p.rig.Hub.Host
	switch {
	case p.rig.Hub.Kind == rigfile.KindBroker && host == "":
		return nil
	case net.ParseIP(host) != nil:
		return []finding{warn("give hub.host a name", "%s is an IP address: SNI cannot carry it, tls/server-name is not applicable", host)}
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		return []finding{bad("add it to the lab's DNS, or to /etc/hosts here and where devices resolve names", "%s does not resolve: %s", host, err)}
	}
	found := []finding{fine("%s is %v", host, addresses)}
	boards := slices.ContainsFunc(p.rig.Devices, func(d rigfile.Device) bool { return d.Serial.Emulated == nil })
	switch {
	case p.rig.Hub.Kind != rigfile.KindLocal || !boards:
	case leadsElsewhere(addresses, ownAddresses()):
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

// ownAddresses are those of this machine's interfaces; empty where they cannot
// be told.
func ownAddresses() (own []string) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok {
			own = append(own, n.IP.String())
		}
	}
	return own
}

func loopbackOnly(addresses []string) bool {
	return !slices.ContainsFunc(addresses, func(a string) bool { ip := net.ParseIP(a); return ip == nil || !ip.IsLoopback() })
}

// leastYear is when this was written: no sane clock is before it.
const leastYear = 2026

func checkClock(context.Context, *patient) []finding {
	now := time.Now()
	if y := now.Year(); y < leastYear || y > leastYear+20 {
		return []finding{bad("sudo timedatectl set-ntp true, or date -s", "the clock says %s: certificates made now would be refused", now.Format(time.RFC3339))}
	}
	switch synced, known := clockSynced(); {
	case !known:
		return []finding{fine("%s; whether it is synchronised cannot be told", now.UTC().Format(time.RFC3339))}
	case !synced:
		return []finding{warn("sudo timedatectl set-ntp true; in a closed lab, a time server of its own", "%s, not synchronised by NTP", now.UTC().Format(time.RFC3339))}
	}
	return []finding{fine("%s, synchronised", now.UTC().Format(time.RFC3339))}
}

// runsOut is how long before its end a certificate is told of.
const runsOut = 30 * 24 * time.Hour

// checkCertificates reads the rig's own store and the root that the rig file
// names. It makes none: the first run does.
func checkCertificates(_ context.Context, p *patient) (found []finding) {
	names, err := filepath.Glob(filepath.Join(p.stateDir, "pki", "*.pem"))
	if err != nil || p.stateDir == "" {
		names = nil
	}
	cure := "nothing to do: the next run renews it"
	for _, name := range names {
		found = append(found, checkCertificate(name, cure, warn, time.Now()))
	}
	if p.rig.Hub.Root != "" {
		found = append(found, checkCertificate(p.rig.Hub.Root, "hub.root names the file of the hub's present root", bad, time.Now()))
	}
	for _, d := range p.rig.Devices {
		if g := d.AfterRun; g != nil {
			cure := "after_run of " + d.Name + " names files that a fleet device can work with"
			found = append(found, checkCertificate(g.Root, cure, bad, time.Now()), checkCertificate(g.Certificate, cure, bad, time.Now()))
		}
	}
	if len(found) == 0 {
		found = append(found, fine("none yet; the first run makes them"))
	}
	return found
}

// checkCertificate judges one file. One that has run out is spent: of those
// that runs renew that is a warning, of others no run can do with it.
func checkCertificate(name, cure string, spent func(cure, what string, args ...any) finding, now time.Time) finding {
	data, err := certs.ReadFile(name)
	if err != nil {
		return bad("check its owner and mode", "%s", unreadFile("read", name, err))
	}
	c, err := certs.ParseCertificate(data)
	if err != nil {
		return bad(cmp.Or(certs.Cure(err, certs.KindCertificate, name), "move it away: the next run makes another of the rig's own"), "%s: %s", name, err)
	}
	until := c.NotAfter.UTC().Format(time.DateOnly)
	switch left := c.NotAfter.Sub(now); {
	case now.Before(c.NotBefore):
		return bad("set the clock", "%s is valid only from %s", name, c.NotBefore.UTC().Format(time.DateOnly))
	case left <= 0:
		return spent(cure, "%s ran out on %s", name, until)
	case left < runsOut:
		return warn(cure, "%s runs out on %s", name, until)
	}
	return fine("%s until %s", filepath.Base(name), until)
}

func checkOpenSSL(context.Context, *patient) []finding {
	path, err := exec.LookPath("openssl")
	if err != nil {
		return []finding{warn("sudo apt install openssl", "no openssl: identities are not compared with what it says")}
	}
	return []finding{fine("%s", path)}
}

// What a run leaves is a few MB; a soak leaves hundreds.
const (
	leastFree  = 50 << 20
	enoughFree = 1 << 30
)

func checkDisk(context.Context, *patient) []finding {
	dir := nearestFolder(filepath.Join("reports", "out"))
	free, known := freeBytes(dir)
	size := fmt.Sprintf("%d MB free for reports in %s", free>>20, dir)
	switch {
	case !known:
		return nil
	case free < leastFree:
		return []finding{bad("make room, or --out names another disk", "%s", size)}
	case free < enoughFree:
		return []finding{warn("enough for runs, not for a soak: make room", "%s", size)}
	}
	return []finding{fine("%s", size)}
}
