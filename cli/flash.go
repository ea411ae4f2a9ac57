package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"hilrig/cli/named"
	"hilrig/cli/terminal"
	"hilrig/cli/verb"
	"hilrig/record"
	"hilrig/record/wording"
	"hilrig/runner"
)

func (a *app) flashCommand() *cobra.Command {
	var rig string
	request := runner.Request{Repeat: 1, Attempts: 1, Flash: true, CheckFault: checkFault}
	cmd := &cobra.Command{
		Use:   "flash FILE",
		Short: "Put an image onto boards",
		Long: `Put an image onto the boards of a rig, by flash.command of their types, several
at once, and ask each what it runs then. The console's port is given up while
the command runs. A board that hilrig has flashed with the same image before,
and that says the same version still, is left alone.

Exit code 1 when a board does not come up with the image, 3 when the tool, the
power or the port failed, or a board kept its old image. hilrig run --flash does
the same before its first spec.`,
		Example: `  hilrig flash --rig bench.yaml --device ads300-a fw.bin
  hilrig flash --rig bench.yaml --firmware 2.4.1 fw.bin`,
		Args: verb.Exactly("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			request.Firmware.File = args[0]
			return a.flash(cmd.Context(), rig, request)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&rig, "rig", "", "rig file (default: one emulated device emu-1)")
	fl.StringArrayVar(&request.Devices, "device", nil, "only this device (repeatable; default: all)")
	fl.StringVar(&request.Firmware.Version, "firmware", "", "version that the boards must say afterwards")
	fl.IntVar(&request.Jobs, "jobs", 0, "devices at once (default: all)")
	fl.DurationVar(&request.Timeout, "timeout", time.Hour, "for all of it")
	return cmd
}

// flash is a run without a spec: its record says what is on the boards.
func (a *app) flash(ctx context.Context, rig string, request runner.Request) error {
	var err error
	if request.Rig, err = named.Rig(rig, a.Catalogue); err != nil {
		return err
	}
	plan, err := runner.NewPlan(request)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "hilrig-flash-")
	if err != nil {
		return record.NewFailure(record.RigHost, "make", "folder", err)
	}
	a.Behind("flash", verb.MostText, verb.LineMark)
	sup, err := a.supervisor(dir)
	if err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	defer a.supervised(sup)()
	show := a.progress(plan, "", false)
	sup.Observe = show.Event
	res, err := sup.Run(ctx, plan)
	show.Close()
	if res == nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	a.Code = a.flashed(res.Record)
	if err == nil && a.Code == runner.ExitPass {
		return os.RemoveAll(dir)
	}
	fmt.Fprintln(a.Out, res.Dir)
	return err
}

// flashed says what is on each board now, and what that is worth.
func (a *app) flashed(r *record.Record) (code int) {
	ink, width := terminal.PaletteOf(a.Out), 0
	for _, d := range r.Devices {
		width = max(width, len(d.Name))
	}
	for _, d := range r.Devices {
		v, text := record.Pass, wording.Running(d.Running)
		switch {
		case d.Class == record.ClassDevice:
			v, text, code = record.Fail, d.Cause, runner.ExitDevice
		case d.Cause != "":
			v, text = record.Error, d.Cause
			if code == runner.ExitPass {
				code = runner.ExitRig
			}
		}
		fmt.Fprintf(a.Out, "%s %-*s  %s\n", ink.Verdict(v), width, d.Name, terminal.OneLine(text))
	}
	switch {
	case r.Run.Interrupted:
		return runner.ExitInterrupted
	case r.Run.TimedOut && code == runner.ExitPass:
		return runner.ExitRig
	}
	return code
}
