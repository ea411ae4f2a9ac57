package doctor

import (
	"context"
	"log/slog"
	"net"
	"os/exec"
	"path/filepath"
	"time"

	"hilrig/fixtures/rigfile"
	"hilrig/hw/console"
	"hilrig/hw/port"
	"hilrig/hw/usb"
	"hilrig/record"
)

// Host is what the checks look at, and how. [ThisHost] fills in all but Rig,
// StateDir, Line and Broker.
type Host struct {
	Rig      *rigfile.Rig
	StateDir string // folder for what outlives a run; it may be still to be made
	NoState  error  // why there is none
	Line     string // port that is opened and tried; empty: none is

	Broker func(context.Context, rigfile.Hub, []rigfile.Device) []Result // looks at one; nil: nobody does

	Tried func(device string) // told, at any time and by anybody, when the line and the power of a device have been tried; nil: nobody is

	Ports   []usb.Port
	NoPorts error  // why they could not be listed
	LockDir string // folder of the locks of ports
	Out     string // folder of run folders
	Root    string // of the file system
	Log     *slog.Logger

	Now         func() time.Time
	ClockSynced func() (synced, known bool)
	FreeBytes   func(dir string) (free uint64, known bool)
	Program     func(name string) (path string, err error)
	Rules       func(context.Context) string // of the kernel's firewall; empty where they may not be read
	Resolve     func(ctx context.Context, host string) ([]string, error)
	Addresses   func() []string // of this machine's interfaces; none where they cannot be told
	Listen      func(ctx context.Context, network, address string) (net.Listener, error)
	Open        func(context.Context, port.Config) (console.Line, error)
}

// ThisHost is the machine that this runs on.
func ThisHost(log *slog.Logger) *Host {
	h := &Host{
		LockDir: port.LockDir(), Out: filepath.Join("reports", "out"), Root: "/", Log: log,
		Now: time.Now, ClockSynced: clockSynced, FreeBytes: freeBytes, Program: exec.LookPath, Rules: nftRules,
		Resolve: net.DefaultResolver.LookupHost, Addresses: ownAddresses, Listen: new(net.ListenConfig).Listen,
		Open: func(ctx context.Context, c port.Config) (console.Line, error) { return port.Open(ctx, c) },
	}
	h.Ports, h.NoPorts = usb.List(h.Root)
	return h
}

// nftRules are the kernel's rules as nft prints them; empty where they may not
// be read or nft is missing.
func nftRules(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "nft", "list", "ruleset")
	cmd.Env = record.ToolEnviron()
	out, err := cmd.Output()
	if err != nil {
		return ""
	}
	return string(out)
}

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
