package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/vbauerster/mpb/v8/decor"

	"hilrig/certs"
	"hilrig/cli/terminal"
	"hilrig/cli/verb"
	"hilrig/fixtures/rigfile"
	"hilrig/hw/console"
	"hilrig/hw/port"
	"hilrig/record"
	"hilrig/suites"
)

// provisionFlags are the flags of `hilrig provision` as typed.
type provisionFlags struct {
	port, root, certificate, key string
	rig, typeName                string
	baud                         int
	baudSet                      bool
	bootWithin                   time.Duration
	bootSet                      bool
}

func (a *app) provisionCommand() *cobra.Command {
	f := &provisionFlags{}
	cmd := &cobra.Command{
		Use:   "provision --port P --root F --certificate F --key F",
		Short: "Load root, certificate and private key into one device",
		Long: `Load three files into one device over its terminal, as the manufacturer's guide
does by hand: 9270,10 the root, 9270,20 the certificate, 9270,30 the private
key. The files are checked before the device is touched. A board that boots when
its port is opened is waited for until its console answers.`,
		Example: `  hilrig certs new --device-id NewDevice --out identity
  hilrig provision --port /dev/ttyUSB0 --root root.pem --certificate identity/device.pem --key identity/device.key
  hilrig provision --rig bench.yaml --type ads300 --port /dev/ttyUSB0 --root root.pem --certificate identity/device.pem --key identity/device.key`,
		Args: verb.Exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := verb.Required(cmd, "port", "root", "certificate", "key"); err != nil {
				return err
			}
			f.baudSet, f.bootSet = cmd.Flags().Changed("baud"), cmd.Flags().Changed("boot-within")
			return a.provision(cmd.Context(), f)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.port, "port", "", "serial port of the device")
	fl.StringVar(&f.root, "root", "", "the hub's root certificate, for 9270,10")
	fl.StringVar(&f.certificate, "certificate", "", "the device's certificate, for 9270,20")
	fl.StringVar(&f.key, "key", "", "the device's private key, for 9270,30")
	fl.StringVar(&f.rig, "rig", "", "rig file that knows the device's type")
	fl.StringVar(&f.typeName, "type", "", "type of the device in the rig file (default: the built-in type infinite)")
	fl.IntVar(&f.baud, "baud", 0, "rate of the line (default: the type's)")
	fl.DurationVar(&f.bootWithin, "boot-within", 0, "wait so long for a board that boots when its port is opened (default: the type's timing.boot_within)")
	return cmd
}

// warn says what may be loaded and is worth a look, each in a line.
func (a *app) warn(files certs.Files) {
	for _, w := range files.Warnings {
		fmt.Fprintf(a.Err, "warning: %s\n", w)
	}
}

func (a *app) provision(ctx context.Context, f *provisionFlags) error {
	files, err := certs.CheckFiles(f.root, f.certificate, f.key)
	if err != nil {
		return err
	}
	if err := checkOwner(files, f.certificate); err != nil {
		return err
	}
	a.warn(files)
	t, err := f.deviceType(suites.Measured(a.Catalogue))
	if err != nil {
		return err
	}
	ctx, stop := a.UntilSignal(ctx)
	defer stop()
	err = a.load(ctx, f.port, t, []console.File{
		{Slot: console.SlotRoot, Name: f.root, Data: files.RootPEM},
		{Slot: console.SlotCertificate, Name: f.certificate, Data: files.Identity.CertificatePEM},
		{Slot: console.SlotKey, Name: f.key, Data: files.Identity.KeyPEM, Secret: true},
	})
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%w; the device keeps what it has taken so far, load all three again", verb.ErrInterrupted)
	}
	return err
}

// deviceType is the type whose console is talked to. Measured are the names that
// limits of it may be set for.
func (f *provisionFlags) deviceType(measured []string) (rigfile.Type, error) {
	t := rigfile.Infinite()
	switch {
	case f.rig != "":
		rig, err := rigfile.Load(f.rig, measured...)
		if err != nil {
			return t, err
		}
		if t, err = rig.TypeNamed(f.typeName, f.port); err != nil {
			return t, err
		}
	case f.typeName != "" && f.typeName != rigfile.TypeInfinite:
		return t, record.NewFailure(record.Usage, "find type", f.typeName, errors.New("only the type infinite is built in")).
			WithCure("--rig names the file that knows it")
	}
	if f.baudSet && f.baud < 1 {
		return t, record.NewFailure(record.Usage, "read", "--baud", fmt.Errorf("%d is less than 1", f.baud))
	}
	if f.baudSet {
		t.Baud = f.baud
	}
	if f.bootSet && f.bootWithin < 0 {
		return t, record.NewFailure(record.Usage, "read", "--boot-within", fmt.Errorf("%s is below zero", f.bootWithin))
	}
	if f.bootSet {
		t.Timing.BootWithin = f.bootWithin
	}
	return t, nil
}

// load opens the line and has its console load the files.
func (a *app) load(ctx context.Context, path string, t rigfile.Type, files []console.File) error {
	line, err := port.Open(ctx, port.Config{Path: path, Baud: t.Baud, LockDir: port.LockDir(), Run: "hilrig provision", Log: a.Log})
	if err != nil {
		return err
	}
	con := console.Open(line, t.ConsoleSettings(), console.Options{Log: a.Log})
	defer func() { _ = con.Close() }() // closes the line too; every answer is in by then
	slow := time.AfterFunc(2*time.Second, func() {
		fmt.Fprintf(a.Err, "waiting for the console to answer, %s at the most\n", t.Timing.BootWithin)
	})
	defer slow.Stop()
	holds, err := con.LoadSet(ctx, t.Timing.BootWithin, console.Set{Files: files, Begin: func(f console.File) (func(int, int), func()) {
		slow.Stop()
		return a.transferBar(f)
	}, Took: func(f console.File, r console.Receipt) {
		fmt.Fprintf(a.Out, "%s  %s  %d bytes in %.2f s  %s\n", f.Slot.Command(), f.Name, r.Bytes, r.Answered.Sub(r.Started).Seconds(), terminal.OneLine(r.Answer))
	}})
	switch {
	case err == nil:
		fmt.Fprintf(a.Out, "the device at %s holds all three files\n", path)
	case holds != "":
		fmt.Fprintf(a.Err, "%s: load all three again before it goes back to work\n", holds)
	}
	return err
}

// transferBar is a moving line at a terminal, nothing elsewhere.
func (a *app) transferBar(f console.File) (progress func(sent, total int), done func()) {
	if !terminal.Coloured(a.Out) {
		return nil, func() {}
	}
	bar, done := terminal.Bar(a.Out, 0, decor.Name(fmt.Sprintf("%s  %s  ", f.Slot.Command(), f.Name)), decor.Percentage(decor.WC{W: 6}))
	return func(sent, total int) {
		bar.SetTotal(int64(total), false)
		bar.SetCurrent(int64(sent))
	}, done
}
