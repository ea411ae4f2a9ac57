package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"hilrig/certs"
	"hilrig/fixtures/rigfile"
	"hilrig/hw/console"
	"hilrig/hw/port"
	"hilrig/record"
	"hilrig/record/wording"
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
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := required(cmd, "port", "root", "certificate", "key"); err != nil {
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
		fmt.Fprintf(a.err, "warning: %s\n", w)
	}
}

// transfer is a file for a slot.
type transfer struct {
	slot console.Slot
	name string // of the file
	data []byte
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
	t, err := f.deviceType(suites.Measured(a.catalogue))
	if err != nil {
		return err
	}
	ctx, stop := a.untilSignal(ctx)
	defer stop()
	err = a.load(ctx, f.port, t, []transfer{
		{console.SlotRoot, f.root, files.RootPEM},
		{console.SlotCertificate, f.certificate, files.Identity.CertificatePEM},
		{console.SlotKey, f.key, files.Identity.KeyPEM},
	})
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%w; the device keeps what it has taken so far, load all three again", errInterrupted)
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
		if t, err = typeOf(rig, f); err != nil {
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

// typeOf finds a type by the devices that are of it, or by the port.
func typeOf(rig *rigfile.Rig, f *provisionFlags) (rigfile.Type, error) {
	var known []string
	for _, d := range rig.Devices {
		if f.typeName == "" && d.Serial.Address() == f.port || f.typeName != "" && d.TypeName == f.typeName {
			return d.Type, nil
		}
		if !slices.Contains(known, d.TypeName) {
			known = append(known, d.TypeName)
		}
	}
	if f.typeName == "" || f.typeName == rigfile.TypeInfinite {
		return rigfile.Infinite(), nil
	}
	fail := record.NewFailure(record.Usage, "find type", f.typeName, fmt.Errorf("no device of %s is of this type", rig.File))
	if near := wording.DidYouMean(f.typeName, known); near != "" {
		return rigfile.Type{}, fail.WithCure(near)
	}
	return rigfile.Type{}, fail
}

// load opens the line, brings the console back and loads the files.
func (a *app) load(ctx context.Context, path string, t rigfile.Type, files []transfer) error {
	line, err := port.Open(ctx, port.Config{Path: path, Baud: t.Baud, LockDir: port.LockDir(), Run: "hilrig provision", Log: a.log})
	if err != nil {
		return err
	}
	con := console.Open(line, t.ConsoleSettings(), console.Options{Log: a.log})
	defer func() { _ = con.Close() }() // closes the line too; every answer is in by then
	if err := a.waken(ctx, con, t.Timing.BootWithin); err != nil {
		return err
	}
	for i, s := range files {
		opened, err := a.transfer(ctx, con, s)
		if err != nil {
			return a.leaveFile(ctx, con, files[:i], s, opened, err)
		}
	}
	fmt.Fprintf(a.out, "the device at %s holds all three files\n", path)
	return nil
}

// waken asks the console until it listens, and says so where that takes long.
func (a *app) waken(ctx context.Context, con *console.Console, within time.Duration) error {
	slow := time.AfterFunc(2*time.Second, func() {
		fmt.Fprintf(a.err, "waiting for the console to answer, %s at the most\n", within)
	})
	defer slow.Stop()
	_, err := con.Wake(ctx, within)
	return err
}

// leaveFile brings the console back from a file that was begun, so that the
// next person at it types a command, and says what the device holds now.
func (a *app) leaveFile(ctx context.Context, con *console.Console, taken []transfer, s transfer, opened bool, err error) error {
	if con.InFile() && con.Err() == nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveWithin)
		defer cancel()
		if rerr := con.Recover(ctx); rerr != nil {
			a.log.Warn("console not brought back", "err", rerr)
		}
	}
	if opened || len(taken) > 0 {
		names := []string{}
		for _, t := range taken {
			names = append(names, t.name)
		}
		what := "the device has taken " + strings.Join(names, " and ")
		if len(taken) == 0 {
			what = "the device has taken none of them for certain"
		}
		if opened {
			what += fmt.Sprintf("; what it made of %s is not known", s.name)
		}
		fmt.Fprintf(a.err, "%s: load all three again before it goes back to work\n", what)
	}
	return err
}

// leaveWithin bounds bringing the console back at the end.
const leaveWithin = 5 * time.Second

// transfer loads one file and says how it went.
func (a *app) transfer(ctx context.Context, con *console.Console, s transfer) (opened bool, err error) {
	progress, done := a.transferBar(s)
	r, err := con.Transfer(ctx, console.File{Slot: s.slot, Name: s.name, Data: s.data, Secret: s.slot == console.SlotKey, Progress: progress})
	done()
	if err != nil {
		return r.Opened, err
	}
	fmt.Fprintf(a.out, "%s  %s  %d bytes in %.2f s  %s\n", s.slot.Command(), s.name, r.Bytes, r.Answered.Sub(r.Started).Seconds(), oneLine(r.Answer))
	return true, nil
}

// transferBar is a moving line at a terminal, nothing elsewhere.
func (a *app) transferBar(s transfer) (progress func(sent, total int), done func()) {
	if !lively(a.out) {
		return nil, func() {}
	}
	bars := mpb.New(screen(unfiltered(a.out)), mpb.WithWidth(24), mpb.WithRefreshRate(100*time.Millisecond))
	bar := bars.New(0, mpb.BarStyle().Lbound("").Rbound("").Filler("━").Tip("").Padding("─"),
		mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name(fmt.Sprintf("%s  %s  ", s.slot.Command(), s.name))),
		mpb.AppendDecorators(decor.Percentage(decor.WC{W: 6})))
	return func(sent, total int) {
			bar.SetTotal(int64(total), false)
			bar.SetCurrent(int64(sent))
		}, func() {
			bar.Abort(true)
			bars.Wait()
		}
}
