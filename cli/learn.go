package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hilrig/certs"
	"hilrig/hw/learn"
	"hilrig/hw/port"
	"hilrig/record"
)

// learnFlags are the flags of `hilrig learn` as typed.
type learnFlags struct {
	port, out                string
	root, certificate, key   string
	deviceID, host, listen   string
	reboot                   string
	baud                     int
	hubPort                  int
	listenFor, connectWithin time.Duration
	bootWithin               time.Duration
	yes                      bool
}

func (a *app) learnCommand() *cobra.Command {
	f := &learnFlags{}
	cmd := &cobra.Command{
		Use:   "learn --port P",
		Short: "Watch and try a board, and write its device type",
		Long: `Watch a board and try it gently, and write what was learnt as a device type:
echo, line ends, prompt, answers and their times, time to connect, whether it
must be restarted for that, and the telemetry interval.

It asks before it loads anything (--yes: it does not ask): a root and an
identity, your own or this machine's test hub's with a fresh one. What the board
holds is overwritten by them. Without them it learns what can be seen without.`,
		Example: `  hilrig learn --port /dev/ttyUSB0 --host hub.rig.lan --listen 0.0.0.0
  hilrig learn --port /dev/ttyUSB0 --yes --out types/ads300.yaml
  hilrig learn --port /dev/ttyUSB0 --root root.pem --certificate device.crt --key device.key`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := required(cmd, "port"); err != nil {
				return err
			}
			return a.learn(cmd.Context(), f)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.port, "port", "", "serial port of the board: a path, tcp:// or rfc2217://")
	fl.IntVar(&f.baud, "baud", port.DefaultBaud, "rate of the line")
	fl.StringVar(&f.out, "out", "type.yaml", "file to write; one that is there is not overwritten")
	fl.BoolVar(&f.yes, "yes", false, "load without asking, for scripts")
	fl.StringVar(&f.root, "root", "", "root certificate to load (default: this machine's test hub's)")
	fl.StringVar(&f.certificate, "certificate", "", "certificate to load (default: of a fresh identity)")
	fl.StringVar(&f.key, "key", "", "private key to load")
	fl.StringVar(&f.deviceID, "device-id", "NewDevice", "device id set in the board")
	fl.StringVar(&f.host, "host", "localhost", "name of this machine that is set in the board as its broker")
	fl.StringVar(&f.listen, "listen", "127.0.0.1", "address at which the hub waits for the board; 0.0.0.0: all")
	fl.IntVar(&f.hubPort, "hub-port", 8883, "broker port that is set in the board")
	fl.StringVar(&f.reboot, "reboot", "", "console command that restarts the board, if one is known")
	fl.DurationVar(&f.listenFor, "watch", 3*time.Second, "how long the board is listened to first")
	fl.DurationVar(&f.bootWithin, "boot-within", 10*time.Second, "how long the board may boot because its port was opened")
	fl.DurationVar(&f.connectWithin, "within", 2*time.Minute, "how long the board may take to connect")
	return cmd
}

// check finds what is wrong before anything is touched.
func (f *learnFlags) check() error {
	wrong := func(flag string, why string) error {
		return record.NewFailure(record.Usage, "read", flag, errors.New(why))
	}
	switch {
	case (f.certificate == "") != (f.key == ""):
		return wrong("--certificate and --key", "one without the other; give both, or neither for a fresh identity")
	case f.baud < 1:
		return wrong("--baud", "it is less than 1")
	case f.listenFor <= 0 || f.connectWithin <= 0 || f.bootWithin <= 0:
		return wrong("--watch and --within", "not above zero")
	}
	if err := checkDeviceID("read", "--device-id", f.deviceID); err != nil {
		return err
	}
	if _, err := os.Stat(f.out); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return record.NewFailure(record.Usage, "write", f.out, errors.New("it is there already and is not overwritten")).
			WithCure("--out names another")
	}
	return nil
}

// learner is one board being learnt.
type learner struct {
	*app
	ctx   context.Context // of the verb: a question ends with it
	f     *learnFlags
	in    *bufio.Reader
	board *learn.Board
	known lesson
}

// lesson is what is written.
type lesson struct {
	when     time.Time
	loaded   bool
	manner   learn.Manner
	seen     bool // at the hub
	connect  time.Duration
	restart  string // "" not needed, "command", "hand"
	message  time.Duration
	interval time.Duration
	sessions int
	notes    []string // what could not be learnt, and why
}

func (a *app) learn(ctx context.Context, f *learnFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	ctx, stop := a.untilSignal(ctx)
	defer stop()
	err := a.learnBoard(ctx, f)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%w; nothing was written, and the board keeps what it has taken so far", errInterrupted)
	}
	return err
}

func (a *app) learnBoard(ctx context.Context, f *learnFlags) error {
	l := &learner{app: a, ctx: ctx, f: f, in: bufio.NewReader(a.in)}
	l.known.when = time.Now()
	l.plan()
	hub, err := l.openHub(ctx)
	if err != nil {
		return err
	}
	defer hub.shut()
	line, err := port.Open(ctx, port.Config{Path: f.port, Baud: f.baud, LockDir: port.LockDir(), Run: "hilrig learn", Log: a.log})
	if err != nil {
		return err
	}
	l.board = learn.Meet(line, learn.Options{Name: f.port, Baud: f.baud, BootWithin: f.bootWithin, Log: a.log, Agree: l.vouched,
		Say: func(format string, args ...any) { l.say(format, args...) }})
	defer func() { _ = l.board.Close() }() // closes the line; nothing is waited for any more
	sound, err := l.board.Listen(ctx, f.listenFor)
	if err != nil {
		return err
	}
	l.say("  %s", sound)
	if err := l.board.Greet(ctx); err != nil {
		return err
	}
	l.say("  %s", l.greeting())
	if l.agreed(ctx, hub) {
		if err := l.load(ctx, hub); err != nil {
			return err
		}
	} else if ctx.Err() == nil {
		l.known.notes = append(l.known.notes, "nothing was loaded: prompt, answer and times of a file, and how it connects, are not learnt")
	}
	if ctx.Err() != nil { // an interrupt at a question is no answer to it
		return context.Cause(ctx)
	}
	l.known.manner = l.board.Manner
	return l.write()
}

// say prints a step, or what came of one (indented).
func (l *learner) say(format string, args ...any) {
	fmt.Fprintln(l.out, record.Plain(fmt.Sprintf(format, args...)))
}

// plan says what will be done.
func (l *learner) plan() {
	f := l.f
	what := "a fresh identity for " + f.deviceID
	if f.certificate != "" {
		what = f.certificate + " and " + f.key
	}
	root := "the root of this machine's test hub"
	if f.root != "" {
		root = f.root
	}
	l.say(`hilrig learn, at %s with %d baud:
  1. listens for %s
  2. sends a harmless line, to see how the board answers
  3. asks%s, then loads %s and %s
  4. waits at %s for it to connect and to deliver, at most %s each
and writes %s`, f.port, f.baud, f.listenFor, map[bool]string{true: " nobody (--yes)"}[f.yes], root, what, l.address(), f.connectWithin, f.out)
}

func (l *learner) greeting() string {
	m := l.board.Manner
	echo := "no echo"
	if m.Echo {
		echo = "echo"
	}
	if m.Newline == "" {
		return echo + ", no answer to a line that it does not know"
	}
	return fmt.Sprintf("%s; %q ends a line; answers %q after %s", echo, m.Newline, m.Answer, round(m.AnswerIn.Most))
}

// ask puts a question that only a plain yes answers.
func (l *learner) ask(ctx context.Context, question string) bool {
	fmt.Fprintf(l.out, "%s [y/N] ", question)
	line, err := l.readLine(ctx)
	if err != nil {
		fmt.Fprintln(l.out, "no")
		return false
	}
	return slices.Contains([]string{"y", "yes"}, strings.ToLower(strings.TrimSpace(line)))
}

// readLine reads what a person types, unless the context ends.
func (l *learner) readLine(ctx context.Context) (string, error) {
	type typed struct {
		line string
		err  error
	}
	got := make(chan typed, 1)
	go func() {
		line, err := l.in.ReadString('\n')
		got <- typed{line, err}
	}()
	select {
	case t := <-got:
		return t.line, t.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

func (l *learner) agreed(ctx context.Context, hub *learnHub) bool {
	if l.f.yes {
		return true
	}
	return l.ask(ctx, fmt.Sprintf("load %s into the board? What it holds is overwritten.", hub.what))
}

// vouched asks whether an answer that the guide does not know means that a file
// was stored; a script has only words that say so.
func (l *learner) vouched(said string) bool {
	if !l.f.yes {
		return l.ask(l.ctx, fmt.Sprintf("it says %q after the file: was it stored?", said))
	}
	said = strings.ToUpper(said)
	return slices.ContainsFunc([]string{"OK", "STORED", "SAVED", "SUCCESS", "DONE"}, func(w string) bool { return strings.Contains(said, w) })
}

func (l *learner) load(ctx context.Context, hub *learnHub) error {
	stored, err := l.board.Load(ctx, []learn.File{
		{Slot: 10, Name: "root certificate", Data: hub.root},
		{Slot: 20, Name: "device certificate", Data: hub.identity.CertificatePEM},
		{Slot: 30, Name: "private key", Data: hub.identity.KeyPEM, Secret: true},
	}, l.progress())
	if err != nil {
		return err
	}
	l.known.loaded = true
	m := l.board.Manner
	l.say("  prompt %q in %s; %q in %s", m.Prompt, between(m.PromptIn), m.OK, between(m.OKIn))
	if hub.elsewhere {
		l.known.notes = append(l.known.notes, "the root that was loaded is not this machine's test hub's: how the board connects is not learnt")
		return nil
	}
	return l.watch(ctx, hub, stored)
}

// progress says how far a file is, where the line is so slow that one wonders.
func (l *learner) progress() func(f learn.File, sent, total int) {
	said := time.Now()
	return func(f learn.File, sent, total int) {
		if now := time.Now(); now.Sub(said) > 5*time.Second {
			said = now
			l.say("  %s: %d of %d bytes", f.Name, sent, total)
		}
	}
}

func between(s learn.Span) string {
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

// filesToLoad are the person's own, or made here.
func (l *learner) filesToLoad(ctx context.Context, store *certs.Store) (root []byte, id *certs.Identity, err error) {
	f := l.f
	root = store.Root().PEM
	switch {
	case f.root != "" && f.certificate != "":
		files, err := certs.CheckFiles(f.root, f.certificate, f.key)
		return files.RootPEM, files.Identity, err
	case f.certificate != "":
		files, err := l.withOwnRoot(root)
		return root, files.Identity, err
	case f.root != "":
		return nil, nil, record.NewFailure(record.Usage, "read", "--root", errors.New("--root without --certificate and --key: an identity goes with it"))
	}
	id, err = certs.NewIdentity(ctx, certs.IdentitySpec{DeviceID: f.deviceID})
	return root, id, err
}

// withOwnRoot checks an identity that is to go with the test hub's root.
func (l *learner) withOwnRoot(root []byte) (certs.Files, error) {
	tmp, err := os.CreateTemp("", "hilrig-root-*.pem")
	if err != nil {
		return certs.Files{}, record.NewFailure(record.RigHost, "make", "temporary file", err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // a copy, for CheckFiles alone
	_, err = tmp.Write(root)
	if err = errors.Join(err, tmp.Close()); err != nil {
		return certs.Files{}, record.NewFailure(record.RigHost, "write", tmp.Name(), err)
	}
	return certs.CheckFiles(tmp.Name(), l.f.certificate, l.f.key)
}
