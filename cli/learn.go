package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"hilrig/certs"
	"hilrig/cli/named"
	"hilrig/cli/verb"
	"hilrig/hw/port"
	"hilrig/onboard"
	"hilrig/record"
	"hilrig/runner"
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
		Args: verb.Exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := verb.Required(cmd, "port"); err != nil {
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
	case f.root != "" && f.certificate == "":
		return wrong("--root", "--root without --certificate and --key: an identity goes with it")
	case (f.certificate == "") != (f.key == ""):
		return wrong("--certificate and --key", "one without the other; give both, or neither for a fresh identity")
	case f.baud < 1:
		return wrong("--baud", "it is less than 1")
	case f.listenFor <= 0 || f.connectWithin <= 0 || f.bootWithin <= 0:
		return wrong("--watch and --within", "not above zero")
	}
	if err := named.DeviceID("read", "--device-id", f.deviceID); err != nil {
		return err
	}
	if _, err := os.Stat(f.out); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return record.NewFailure(record.Usage, "write", f.out, errors.New("it is there already and is not overwritten")).
			WithCure("--out names another")
	}
	return nil
}

func (a *app) learn(ctx context.Context, f *learnFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	ctx, stop := a.UntilSignal(ctx)
	defer stop()
	err := a.learnBoard(ctx, f)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%w; nothing was written, and the board keeps what it has taken so far", verb.ErrInterrupted)
	}
	return err
}

func (a *app) learnBoard(ctx context.Context, f *learnFlags) error {
	say := func(format string, args ...any) { fmt.Fprintln(a.Out, record.Plain(fmt.Sprintf(format, args...))) }
	r := f.request()
	f.plan(say, r)
	state, err := runner.StateDir()
	if err != nil {
		return err
	}
	if r.Store, err = certs.OpenStore(filepath.Join(state, "pki")); err != nil {
		return err
	}
	in := bufio.NewReader(a.In)
	result, err := onboard.Learn(ctx, r, onboard.Contact{Say: say, Yes: f.yes, Log: a.Log,
		Ask: func(ctx context.Context, question string) bool { return a.Ask(ctx, in, question) }})
	if err != nil {
		return err
	}
	return f.write(say, result)
}

func (f *learnFlags) request() onboard.Request {
	return onboard.Request{
		Port: f.port, Baud: f.baud, LockDir: port.LockDir(), Root: f.root, Certificate: f.certificate, Key: f.key,
		DeviceID: f.deviceID, Host: f.host, HubPort: f.hubPort, Listen: f.listen, Reboot: f.reboot,
		Watch: f.listenFor, BootWithin: f.bootWithin, Within: f.connectWithin,
	}
}

// write puts what was learnt into a new file.
func (f *learnFlags) write(say func(format string, args ...any), result *onboard.Result) error {
	text, err := result.DeviceType()
	if err != nil {
		return err
	}
	if err := writeNew(f.out, text); err != nil {
		return err
	}
	for _, n := range result.Notes {
		say("not learnt: %s", n)
	}
	if result.Loaded {
		say("the board is left with what was loaded: hilrig provision puts its own back")
	}
	say("%s: in a rig file, types: {board: {file: %s}} and %s of the device", f.out, f.out, result.Device())
	return nil
}

// plan says what will be done.
func (f *learnFlags) plan(say func(format string, args ...any), r onboard.Request) {
	what := "a fresh identity for " + f.deviceID
	if f.certificate != "" {
		what = f.certificate + " and " + f.key
	}
	root := "the root of this machine's test hub"
	if f.root != "" {
		root = f.root
	}
	say(`hilrig learn, at %s with %d baud:
  1. listens for %s
  2. sends a harmless line, to see how the board answers
  3. asks%s, then loads %s and %s
  4. waits at %s for it to connect and to deliver, at most %s each
and writes %s`, f.port, f.baud, f.listenFor, map[bool]string{true: " nobody (--yes)"}[f.yes], root, what, r.Address(), f.connectWithin, f.out)
}
