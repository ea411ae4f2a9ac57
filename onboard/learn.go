package onboard

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"hilrig/certs"
	"hilrig/hw/console"
	"hilrig/hw/port"
	"hilrig/onboard/probe"
)

// Request is a board, and how it is to be learnt.
type Request struct {
	Port    string // path, tcp:// or rfc2217://
	Baud    int
	LockDir string // folder of the locks of ports

	// Files to load: of a person's own, or from the store of this machine's test
	// hub, whose root and a fresh identity they are. An own root needs an own
	// identity.
	Root, Certificate, Key string
	Store                  *certs.Store

	DeviceID string // set in the board
	Host     string // name of this machine that is set in the board as its broker
	HubPort  int    // set in the board
	Listen   string // address at which the hub waits
	Reboot   string // command that restarts the board; empty: none is known

	Watch      time.Duration // how long the board is listened to first
	BootWithin time.Duration // how long it may boot because its port was opened
	Within     time.Duration // how long it may take to connect, and to deliver
}

// Address is where the board is told to connect.
func (r Request) Address() string { return net.JoinHostPort(r.Host, strconv.Itoa(r.HubPort)) }

// Contact is the person for whom a board is learnt.
type Contact struct {
	Say func(format string, args ...any)                // a step before it is done; what came of one is indented
	Ask func(ctx context.Context, question string) bool // only a plain yes is true
	Yes bool                                            // nobody is asked: a script has agreed
	Log *slog.Logger
}

// learner is one board being learnt.
type learner struct {
	Contact
	Request
	board *probe.Board
	known Result
}

// Learn watches a board, asks, loads it and watches it connect and deliver. An
// interrupt at a question is no answer to it: it ends in the context's error.
func Learn(ctx context.Context, r Request, c Contact) (*Result, error) {
	h, err := r.openHub(ctx, c.Log)
	if err != nil {
		return nil, err
	}
	defer h.shut()
	line, err := port.Open(ctx, port.Config{Path: r.Port, Baud: r.Baud, LockDir: r.LockDir, Run: "hilrig learn", Log: c.Log})
	if err != nil {
		return nil, err
	}
	return learn(ctx, line, h, r, c)
}

// learn is Learn with an open line, which it closes.
func learn(ctx context.Context, line console.Line, h *watchHub, r Request, c Contact) (*Result, error) {
	l := &learner{Contact: c, Request: r, known: Result{Request: r, When: time.Now()}}
	l.board = probe.Open(line, probe.Options{Name: r.Port, Baud: r.Baud, BootWithin: r.BootWithin, Log: c.Log, Say: c.Say, Confirm: l.confirmed})
	defer func() { _ = l.board.Close() }() // closes the line; nothing is waited for any more
	sound, err := l.board.Listen(ctx, r.Watch)
	if err != nil {
		return nil, err
	}
	l.Say("  %s", sound)
	if err := l.board.Probe(ctx); err != nil {
		return nil, err
	}
	l.Say("  %s", answers(l.board.Profile))
	if l.agreed(ctx, h) {
		if err := l.load(ctx, h); err != nil {
			return nil, err
		}
	} else if ctx.Err() == nil {
		l.note("nothing was loaded: prompt, answer and times of a file, and how it connects, are not learnt")
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	l.known.Console = l.board.Profile
	return &l.known, nil
}

// note adds what could not be learnt, and why.
func (l *learner) note(text string) { l.known.Notes = append(l.known.Notes, text) }

// answers says how the board answers to a line that it does not know.
func answers(p probe.Profile) string {
	echo := "no echo"
	if p.Echo {
		echo = "echo"
	}
	if p.Newline == "" {
		return echo + ", no answer to a line that it does not know"
	}
	return fmt.Sprintf("%s; %q ends a line; answers %q after %s", echo, p.Newline, p.Answer, round(p.AnswerIn.Most))
}

func (l *learner) agreed(ctx context.Context, h *watchHub) bool {
	return l.Yes || l.Ask(ctx, fmt.Sprintf("load %s into the board? What it holds is overwritten.", h.what))
}

// confirmed asks whether an answer that the guide does not know means that a
// file was stored; a script has only words that say so.
func (l *learner) confirmed(ctx context.Context, said string) bool {
	if !l.Yes {
		return l.Ask(ctx, fmt.Sprintf("it says %q after the file: was it stored?", said))
	}
	said = strings.ToUpper(said)
	return slices.ContainsFunc([]string{"OK", "STORED", "SAVED", "SUCCESS", "DONE"}, func(w string) bool { return strings.Contains(said, w) })
}

func (l *learner) load(ctx context.Context, h *watchHub) error {
	stored, err := l.board.Load(ctx, []probe.File{
		{Slot: console.SlotRoot, Data: h.root},
		{Slot: console.SlotCertificate, Data: h.identity.CertificatePEM},
		{Slot: console.SlotKey, Data: h.identity.KeyPEM, Secret: true},
	}, l.progress())
	if err != nil {
		return err
	}
	l.known.Loaded = true
	p := l.board.Profile
	l.Say("  prompt %q in %s; %q in %s", p.Prompt, between(p.PromptIn), p.OK, between(p.OKIn))
	if h.elsewhere {
		l.note("the root that was loaded is not this machine's test hub's: how the board connects is not learnt")
		return nil
	}
	return l.watch(ctx, h, stored)
}

// progress says how far a file is, where the line is so slow that one wonders.
func (l *learner) progress() func(f probe.File, sent, total int) {
	said := time.Now()
	return func(f probe.File, sent, total int) {
		if now := time.Now(); now.Sub(said) > 5*time.Second {
			said = now
			l.Say("  %s: %d of %d bytes", f.Slot, sent, total)
		}
	}
}

func between(s probe.Span) string {
	if round(s.Least) == round(s.Most) {
		return round(s.Most).String()
	}
	return fmt.Sprintf("%s to %s", round(s.Least), round(s.Most))
}

func round(d time.Duration) time.Duration {
	switch {
	case d > 10*time.Second:
		return d.Round(time.Second)
	case d > time.Second:
		return d.Round(100 * time.Millisecond)
	}
	return max(d.Round(time.Millisecond), time.Millisecond)
}
