package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"hilrig/azure/frontdoor"
	"hilrig/fixtures/rigfile"
	"hilrig/record"
)

// Board is what was found of one device of the rig: a result for each of
// [BoardChecks] that it has something of.
type Board struct {
	Device string   `json:"device"`
	Checks []Result `json:"checks"`
	own    record.DeviceRecord
}

// BoardChecks are the names of what is checked of each device, in order.
func BoardChecks() []string { return []string{"line", "power", "flash", "hub", "from"} }

// BoardsWithin is what all boards may take, being looked at at once.
const BoardsWithin = 25 * time.Second

// longestBoot is how long one that boots when its line is opened is waited for.
const longestBoot = 15 * time.Second

// ExamineBoards looks at every device of the rig at the same time: its line is
// opened and loaded as [Host.Line] is. The order is that of the rig file.
func ExamineBoards(ctx context.Context, h *Host) []Board {
	ctx, cancel := context.WithTimeoutCause(ctx, BoardsWithin, fmt.Errorf("not done within %s", BoardsWithin))
	defer cancel()
	boards, line, power := make([]Board, len(h.Rig.Devices)), make([]Result, len(h.Rig.Devices)), make([]Result, len(h.Rig.Devices))
	var hubs map[string][]Result
	var all sync.WaitGroup
	all.Go(func() { hubs = h.hubOfEach(ctx) })
	for i, d := range h.Rig.Devices {
		all.Go(func() {
			var both sync.WaitGroup
			var dead bool
			var off outage
			both.Go(func() { line[i], dead = h.lineOf(ctx, d) })
			both.Go(func() { power[i], off = h.powerOf(ctx, d) })
			both.Wait()
			if dead {
				line[i] = off.excuses(line[i], power[i])
			}
			if h.Tried != nil {
				h.Tried(d.Name)
			}
		})
	}
	all.Wait()
	for i, d := range h.Rig.Devices {
		boards[i] = Board{d.Name, slices.Concat(
			named("line", line[i]), named("power", power[i]), named("flash", h.flashOf(d)),
			named("hub", hubs[d.Name]...), named("from", h.sourceOf(d)),
		), ownNames(d.Name, d.DeviceID, cmp.Or(d.Serial.Address(), d.Serial.USB))}
	}
	return boards
}

// named gives results the name of their check; one without a word is none. What
// it is given may be shared: boards of one hub have that hub's results.
func named(check string, found ...Result) (all []Result) {
	for _, r := range found {
		if r.What != "" {
			r.Name = check
			all = append(all, r)
		}
	}
	return all
}

// lineOf tries a device's line; one that is dead is nowhere, or silent.
func (h *Host) lineOf(ctx context.Context, d rigfile.Device) (found Result, dead bool) {
	r := ReachOf(d, h.Ports, h.NoPorts, h.LockDir)
	switch {
	case d.Serial.Emulated != nil:
		return fine("emulated"), false
	case !r.Reachable:
		return bad(r.cure(), "%s", r.trouble()), lifeless(r.err) || errors.Is(r.err, fs.ErrNotExist)
	}
	return h.tryLine(ctx, r.Port, d.Type, min(d.Type.Timing.BootWithin, longestBoot))
}

// powerOf looks for the programs that switch the device, tries the servers that
// do, and reads its power back where the rig file says how; it switches nothing.
func (h *Host) powerOf(ctx context.Context, d rigfile.Device) (found Result, off outage) {
	p := d.Power
	if p == nil {
		return Result{}, ""
	}
	there, failed := h.programs("power of the device", p.On.Argv, p.Off.Argv)
	if failed.State == Bad {
		return failed, unread(p)
	}
	hub := d.At(h.Rig.Hub)
	c, err := p.At(h.Rig.Hub.For(d).Host, strconv.Itoa(hub.HubPort)).Switch(record.Environ(h.Rig.SecretVariables()))
	if err != nil {
		return Failed(err), unread(p)
	}
	servers, err := c.Reach(ctx)
	if err != nil {
		return Failed(err), unread(p)
	}
	switch on, known, err := c.IsOn(ctx); {
	case err != nil:
		return Failed(err), unread(p)
	case known && h.unsafe(d, on):
		return warn("a run of the board leaves it safe as it ends, or switch it by hand",
			"%s, though safe is %s and no run has the board: one that was killed with all its processes leaves the power as it was", switched(on), p.Safe), readBack(on)
	case known:
		return fine("%s", switched(on)), readBack(on)
	}
	return fine("%s", strings.Join(append(there, servers...), ", ")), unread(p)
}

// switched is a power in the rig file's words.
func switched(on bool) string {
	if on {
		return rigfile.SafeOn
	}
	return rigfile.SafeOff
}

// unsafe reports whether the power of a device that no run has is not as the rig
// file says that each run leaves it.
func (h *Host) unsafe(d rigfile.Device, on bool) bool {
	said := d.Power.Safe == rigfile.SafeOn || d.Power.Safe == rigfile.SafeOff
	return said && d.Power.Safe != switched(on) && ReachOf(d, h.Ports, h.NoPorts, h.LockDir).Reachable
}

func (h *Host) flashOf(d rigfile.Device) Result {
	if len(d.Type.Flash.Command) == 0 {
		return Result{}
	}
	there, failed := h.programs("flash.command of the type", d.Type.Flash.Command)
	if failed.State == Bad {
		return failed
	}
	if d.Type.Flash.Verify != rigfile.VerifyNone && d.Type.Commands.FirmwareVersion.Send == "" {
		return bad("firmware_version: {send, match}, or flash: {verify: none}",
			"its type has no commands.firmware_version to ask afterwards what was flashed: hilrig flash would refuse it")
	}
	return fine("%s", strings.Join(there, ", "))
}

// programs are those of commands that key holds: all must be there.
func (h *Host) programs(key string, commands ...[]string) (there []string, failed Result) {
	for _, argv := range commands {
		if len(argv) == 0 { // a request
			continue
		}
		path, err := h.Program(argv[0])
		if named := (*exec.Error)(nil); errors.As(err, &named) {
			err = named.Err
		}
		if err != nil {
			return nil, bad("install it, or name it by its path in "+key, "%s: %s", argv[0], err)
		}
		if !slices.Contains(there, path) {
			there = append(there, path)
		}
	}
	return there, Result{}
}

// hubOfEach is what stands between each device and its hub: what is wrong with
// the hub is so for all of them.
func (h *Host) hubOfEach(ctx context.Context) map[string][]Result {
	all, names := map[string][]Result{}, h.eachName(ctx)
	broker := checkBroker(ctx, h)
	for _, d := range h.Rig.Devices {
		all[d.Name] = slices.Concat(names[h.dialledBy(d)], broker)
	}
	boards, places := h.endpoints()
	for _, at := range places {
		r := h.takeEndpoint(ctx, at, strings.Join(boards[at], ", "))
		for _, name := range boards[at] {
			all[name] = append(all[name], r)
		}
	}
	return all
}

// eachName looks at all names that are dialled at once: one name server that is
// silent would cost the rest their time.
func (h *Host) eachName(ctx context.Context) map[dialled][]Result {
	found := map[dialled][]Result{}
	for _, d := range h.Rig.Devices {
		found[h.dialledBy(d)] = nil
	}
	names := slices.Collect(maps.Keys(found))
	of := make([][]Result, len(names))
	var all sync.WaitGroup
	for i, name := range names {
		all.Go(func() { of[i] = checkHost(ctx, h, name) })
	}
	all.Wait()
	for i, name := range names {
		found[name] = of[i]
	}
	return found
}

// sourceOf says by what address a device is told from those that dial the same
// name and port.
func (h *Host) sourceOf(d rigfile.Device) Result {
	names, _ := h.endpoints()
	at := h.Rig.Hub.Endpoint(d)
	var boards []frontdoor.Board
	for _, o := range h.Rig.Devices {
		if slices.Contains(names[at], o.Name) {
			boards = append(boards, h.Rig.Hub.Caller(o))
		}
	}
	switch {
	case frontdoor.Turns(boards, d.Name) != nil:
		return warn("from: of each device, an address of its own", "%s: another device at %s is the same: they take turns", cmp.Or(d.From, "not said"), at)
	case frontdoor.ByName(boards, d.Name):
		return fine("%s", strings.TrimSpace(d.From+" by the name "+h.Rig.Hub.For(d).Host))
	}
	return Result{State: OK, What: d.From}
}

// Worst is the gravest state among results, empty where there is none.
func Worst(found []Result) (state State) {
	for _, r := range found {
		if r.State == Bad || state == "" || state == OK && r.State == Warn {
			state = r.State
		}
	}
	return state
}
