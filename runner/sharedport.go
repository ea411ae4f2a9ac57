package runner

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"hilrig/azure/frontdoor"
	"hilrig/fixtures/rigfile"
	"hilrig/record"
)

// sharedPort is one that several boards of a rig dial, or one that says whose
// connections it takes.
type sharedPort struct {
	boards []frontdoor.Board        // that may dial it; those of the run first
	run    int                      // how many of them the run is for
	turns  map[string]chan struct{} // by name of the board, one for all that take turns
	door   *frontdoor.Door
	err    error // why there is no door
}

// sharedPorts are those of a plan, by HOST:PORT.
type sharedPorts map[string]*sharedPort

// sharedPorts finds the ports that a front door is needed at: where two boards
// of the run dial the same, or something tells one of them from others.
func (p *Plan) sharedPorts() sharedPorts {
	all := sharedPorts{}
	for _, e := range p.Entries() {
		at := e.Hub.Endpoint(e.Device)
		if at == "" || e.HubPort == 0 {
			continue
		}
		if all[at] == nil {
			all[at] = &sharedPort{turns: map[string]chan struct{}{}}
		}
		all[at].knows(e)
	}
	for _, s := range all {
		s.run = len(s.boards)
	}
	for _, e := range p.bystanders() {
		if s := all[e.Hub.Endpoint(e.Device)]; s != nil {
			s.knows(e)
		}
	}
	for at, s := range all {
		if !s.needed() {
			delete(all, at)
			continue
		}
		s.takeTurns()
	}
	return all
}

// bystanders are boards of the rig file that the run is not for. They are powered
// all the same, and dial: what they do is theirs. An emulated one lives only while
// its own process runs.
func (p *Plan) bystanders() (all []Entry) {
	if !frontdoor.Supported() {
		return nil
	}
	for _, d := range p.Around {
		if d.Serial.Emulated != nil || slices.ContainsFunc(p.Devices, func(o rigfile.Device) bool { return o.Name == d.Name }) {
			continue
		}
		for _, h := range p.Hubs {
			all = append(all, Entry{Device: d.At(h), Hub: h.For(d)})
		}
	}
	return all
}

// needed reports whether a board of the run would get connections that are
// another's without a door.
func (s *sharedPort) needed() bool {
	one := s.boards[0]
	return s.run > 1 || one.From.IsValid() || len(s.boards) > 1 && len(frontdoor.Turns(s.boards, one.Name)) < len(s.boards)
}

// turnsOf are the boards of the run that a board takes turns with, itself among
// them; none where it does not.
func (s *sharedPort) turnsOf(name string) []string {
	names := slices.DeleteFunc(frontdoor.Turns(s.boards, name), func(n string) bool {
		return !slices.ContainsFunc(s.boards[:s.run], func(b frontdoor.Board) bool { return b.Name == n })
	})
	if len(names) < 2 {
		return nil
	}
	return names
}

// knows adds a board, once for all the hubs that it is tested at.
func (s *sharedPort) knows(e Entry) {
	b := e.Hub.Caller(e.Device)
	b.Name = e.Board()
	i := slices.IndexFunc(s.boards, func(o frontdoor.Board) bool { return o.Name == b.Name })
	switch {
	case i < 0:
		s.boards = append(s.boards, b)
	case s.boards[i].Host != b.Host:
		s.boards[i].Host = "" // it dials hubs of several names here: none tells it from others
	}
}

func (s *sharedPort) takeTurns() {
	for _, b := range s.boards[:s.run] {
		names := s.turnsOf(b.Name)
		if len(names) == 0 {
			continue
		}
		first := names[0]
		if s.turns[first] == nil {
			s.turns[first] = make(chan struct{}, 1)
		}
		s.turns[b.Name] = s.turns[first]
	}
}

// sharing says for the record how a board is told from the others.
func (all sharedPorts) sharing(e Entry) *record.Shared {
	at := e.Hub.Endpoint(e.Device)
	s := all[at]
	if s == nil {
		return nil
	}
	shared := &record.Shared{Port: at, From: e.From, Turns: s.turnsOf(e.Board())}
	if frontdoor.ByName(s.boards, e.Board()) {
		shared.Host = e.Hub.Host
	}
	return shared
}

// openSharedPorts listens for the boards of the whole run. A port that is taken
// costs the boards that dial it, and no others.
func (r *run) openSharedPorts(ctx context.Context) {
	for at, s := range r.ports {
		s.door, s.err = frontdoor.Open(ctx, frontdoor.Config{
			Listen: at, Boards: s.boards, Log: r.Log,
			Stranger: func(of frontdoor.Stranger) { r.stranger(at, of) },
			Waits:    func(board, other string) { r.waits(at, board, other) },
		})
	}
}

func (r *run) closeSharedPorts() {
	for at, s := range r.ports {
		if s.door != nil {
			if err := s.door.Close(); err != nil {
				r.Log.Warn("close the shared port", "port", at, "error", err)
			}
		}
	}
}

// stranger says that a connection was served nothing.
func (r *run) stranger(at string, of frontdoor.Stranger) {
	whose := fmt.Sprintf("from %s", of.From)
	switch {
	case of.More:
		whose = "of more kinds than are told of"
	case of.Shared && of.Name != "":
		whose += fmt.Sprintf(" that name hub %q", of.Name)
	case of.Shared:
		whose += " that name no hub"
	}
	text := fmt.Sprintf("%s: connections %s belong to no device of the rig and are served nothing", at, whose)
	r.Log.Warn(text)
	r.noteAtPort(KindStranger, text)
}

// waits says that a board is not let in yet.
func (r *run) waits(at, board, other string) {
	r.noteAtPort(KindTurn, fmt.Sprintf("%s waits until %s has named its hub at %s: a connection without a name could be either's", board, other, at))
}

func (r *run) noteAtPort(kind, text string) {
	if led := r.led.Load(); led != nil {
		led.note("", kind, text, nil)
	}
}

// waitTurn waits until a board may be alone with the addresses that it shares
// with others; the turn is given back with done.
func (r *run) waitTurn(d rigfile.Device) (done func()) {
	places := map[string]bool{}
	for _, e := range r.plan.EntriesOf(d) {
		places[e.Hub.Endpoint(e.Device)] = true
	}
	var held []chan struct{}
	for _, at := range slices.Sorted(maps.Keys(places)) { // one order for all, so that no two wait for each other
		if s := r.ports[at]; s != nil && s.turns[d.Name] != nil {
			s.turns[d.Name] <- struct{}{}
			held = append(held, s.turns[d.Name])
		}
	}
	return func() {
		for _, turn := range held {
			<-turn
		}
	}
}

// admit makes the way from the shared port to the process of an entry; there is
// none where the board has a port of its own. It may wait, until the run is being
// ended; leave is for when the process has ended.
func (r *run) admit(e Entry) (way *os.File, address string, leave func(), err error) {
	s := r.ports[e.Hub.Endpoint(e.Device)]
	if s == nil {
		return nil, "", func() {}, nil
	}
	if s.err != nil {
		return nil, "", nil, s.err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-r.halt.at(orderStop):
			cancel()
		case <-ctx.Done():
		}
	}()
	way, err = s.door.Admit(ctx, e.Board())
	return way, s.door.Addr().String(), func() { s.door.Leave(e.Board()) }, err
}

// toldApart says by which source addresses boards that took turns could be told
// apart: each was seen at one, and no two at the same.
func toldApart(r *record.Record) (texts []string) {
	seen, came := map[string]map[string]bool{}, map[string][]string{}
	for _, d := range r.Devices {
		if d.Shared == nil || len(d.Shared.Turns) == 0 || len(d.Sources) != 1 {
			continue
		}
		group := d.Shared.Port + " " + strings.Join(d.Shared.Turns, " ")
		if seen[group] == nil {
			seen[group] = map[string]bool{}
		}
		seen[group][d.Sources[0]] = true
		came[group] = append(came[group], d.Name+" from "+d.Sources[0])
		if n := len(came[group]); n == len(d.Shared.Turns) && n == len(seen[group]) {
			texts = append(texts, fmt.Sprintf("boards took turns at %s, and each came from an address of its own (%s): from of each device in the rig file lets them run at once",
				d.Shared.Port, strings.Join(came[group], ", ")))
		}
	}
	return texts
}

// takesTurns says which boards a board takes turns with; empty where it does not.
func (r *run) takesTurns(d rigfile.Device) string {
	for _, e := range r.plan.EntriesOf(d) {
		if s := r.ports.sharing(e); s != nil && len(s.Turns) > 0 {
			return fmt.Sprintf("%s dial %s, and neither a source address nor the name of a hub tells them apart: they take turns", strings.Join(s.Turns, ", "), s.Port)
		}
	}
	return ""
}
